"""What kubectl prints: columns, words and ages are Kubernetes' own."""

import pytest

from calico_lab.local.apiserver.columns import age_since, human_duration
from calico_lab.local.apiserver.jsonpath import compile_path
from calico_lab.local.apiserver.kinds import BUILT_IN_KINDS
from calico_lab.local.apiserver.tables import table
from calico_lab.local.resources import BGP_PEERS, DEPLOYMENTS, PODS, SERVICES

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
KINDS = {kind.kind: kind for kind in BUILT_IN_KINDS}


def row(kind, item, *, wide=False):
    """Return the one row of an object as {column: cell}."""
    metadata = {"name": "x", "creationTimestamp": "2000-01-01T00:00:00Z"} | item.pop("metadata", {})
    answer = table(KINDS[kind], [item | {"metadata": metadata}], {}, "None")
    columns = answer["columnDefinitions"]
    cells = answer["rows"][0]["cells"]
    return {c["name"]: cell for c, cell in zip(columns, cells, strict=True) if wide or c["priority"] == 0}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (179 * 60, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600 + 60, "8h"),
        (47 * 3600, "47h"),
        (2 * 86400, "2d"),
        (2 * 86400 + 3600, "2d1h"),
        (9 * 86400, "9d"),
        (800 * 86400, "2y70d"),
        (3000 * 86400, "8y"),
    ],
)
def test_ages(seconds, text):
    assert human_duration(seconds) == text


@pytest.mark.parametrize("timestamp", [None, "", "yesterday", "2026-01-01"])
def test_an_age_that_is_not_known(timestamp):
    assert age_since(timestamp) == "<unknown>"


async def test_the_columns_of_deployments(client, ask, make):
    await client.create(DEPLOYMENTS, make.deployment("backend"))
    answer = await ask("GET", "/apis/apps/v1/namespaces/default/deployments", accept=TABLE)
    columns = answer.body["columnDefinitions"]
    assert [column["name"] for column in columns if column["priority"] == 0] == [
        *("Name", "Ready", "Up-to-date", "Available", "Age")
    ]
    assert [column["name"] for column in columns if column["priority"]] == ["Containers", "Images", "Selector"]
    assert answer.body["rows"][0]["cells"] == ["backend", "0/4", 0, 0, "0s", "main", "echo", "app=backend"]
    assert answer.body["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_one_object_as_a_table(client, ask, make):
    await client.create(PODS, make.pod())
    path = "/api/v1/namespaces/default/pods/web"
    answer = await ask("GET", path, accept=TABLE, includeObject="Object")
    assert answer.body["rows"][0]["cells"][:4] == ["web", "0/1", "Pending", "0"]
    assert answer.body["rows"][0]["object"]["spec"]["containers"][0]["name"] == "main"


def pod(status, **metadata):
    return {"metadata": metadata, "spec": {"containers": [{"name": "c"}]}, "status": status}


def container(**state):
    ready = state.pop("ready", False)
    return {"name": "c", "ready": ready, "restartCount": state.pop("restarts", 0), "state": state}


RUNNING = container(running={}, ready=True)
DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("status", "metadata", "word"),
    [
        ({"phase": "Pending"}, {}, "Pending"),
        ({"phase": "Running", "containerStatuses": [RUNNING]}, {}, "Running"),
        ({"phase": "Running", "containerStatuses": [RUNNING]}, DELETED, "Terminating"),
        (
            {"phase": "Pending", "containerStatuses": [container(waiting={"reason": "ErrImagePull"})]},
            {},
            "ErrImagePull",
        ),
        ({"phase": "Failed", "containerStatuses": [container(terminated={"exitCode": 3})]}, {}, "ExitCode:3"),
        ({"phase": "Failed", "containerStatuses": [container(terminated={"reason": "Error"})]}, {}, "Error"),
        ({"phase": "Failed", "reason": "Evicted"}, {}, "Evicted"),
        ({"phase": "Succeeded", "containerStatuses": [container(terminated={"reason": "Completed"})]}, {}, "Completed"),
        ({"phase": "Pending", "initContainerStatuses": [container(running={})]}, {}, "Init:0/0"),
    ],
)
def test_the_status_of_a_pod(status, metadata, word):
    assert row("Pod", pod(status, **metadata))["Status"] == word


def test_restarts_tell_when_the_last_one_was():
    entry = container(running={}, ready=True, restarts=2)
    entry["lastState"] = {"terminated": {"finishedAt": "2000-01-01T00:00:00Z"}}
    cells = row("Pod", pod({"phase": "Running", "podIP": "10.48.1.0", "containerStatuses": [entry]}), wide=True)
    assert cells["Restarts"].startswith("2 (")
    assert (cells["Ready"], cells["IP"], cells["Node"]) == ("1/1", "10.48.1.0", "<none>")


@pytest.mark.parametrize(
    ("spec", "status", "address", "ports"),
    [
        ({"type": "ClusterIP"}, {}, "<none>", "80/TCP"),
        ({"type": "LoadBalancer", "nodePort": 30080}, {}, "<pending>", "80:30080/TCP"),
        ({"type": "LoadBalancer"}, {"ingress": [{"ip": "10.10.10.0"}]}, "10.10.10.0", "80/TCP"),
        ({"type": "ExternalName", "externalName": "example.com"}, {}, "example.com", "80/TCP"),
    ],
)
def test_the_addresses_of_a_service(spec, status, address, ports):
    node_port = {"nodePort": spec.pop("nodePort")} if "nodePort" in spec else {}
    item = {"spec": spec | {"ports": [{"port": 80} | node_port]}, "status": {"loadBalancer": status}}
    cells = row("Service", item)
    assert (cells["External-IP"], cells["Port(s)"]) == (address, ports)


def test_a_node():
    labels = {"node-role.kubernetes.io/control-plane": ""}
    status = {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1.37.0"}}
    item = {"metadata": {"labels": labels}, "spec": {"unschedulable": True}, "status": status}
    cells = row("Node", item)
    assert (cells["Status"], cells["Roles"]) == ("Ready,SchedulingDisabled", "control-plane")


def test_an_endpoint_slice_names_three_addresses():
    endpoints = [{"addresses": [f"10.48.1.{number}"]} for number in range(4)]
    item = {"addressType": "IPv4", "ports": [{"port": 3000}], "endpoints": endpoints}
    assert row("EndpointSlice", item)["Endpoints"] == "10.48.1.0,10.48.1.1,10.48.1.2 + 1 more..."


def test_an_event():
    involved = {"kind": "Pod", "name": "web"}
    cells = row("Event", {"involvedObject": involved, "reason": "Pulled", "type": "Normal", "message": "done\n"})
    assert (cells["Object"], cells["Message"], cells["Last Seen"]) == ("pod/web", "done", "<unknown>")


async def test_calico_kinds_tell_when_they_were_created(client, ask):
    spec = {"peerIP": "10.0.1.10", "asNumber": 64512}
    made = await client.create(BGP_PEERS, {"metadata": {"name": "peer"}, "spec": spec})
    answer = await ask("GET", "/apis/projectcalico.org/v3/bgppeers", accept=TABLE)
    assert [column["name"] for column in answer.body["columnDefinitions"]] == ["Name", "Created At"]
    assert answer.body["rows"][0]["cells"] == ["peer", made["metadata"]["creationTimestamp"]]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.hostnames", [["a", "b"]]),
        (".spec.hostnames[0]", ["a"]),
        (".spec.hostnames[7]", []),
        (".status.addresses[*].value", ["1.1.1.1", "2.2.2.2"]),
        ('.status.conditions[?(@.type=="Programmed")].status', ["True"]),
        (r".metadata.annotations.example\.com/x", ["y"]),
        (".metadata['name']", ["n"]),
        (".nothing.here", []),
    ],
)
def test_json_paths(path, found):
    item = {
        "metadata": {"name": "n", "annotations": {"example.com/x": "y"}},
        "spec": {"hostnames": ["a", "b"]},
        "status": {
            "addresses": [{"value": "1.1.1.1"}, {"value": "2.2.2.2"}],
            "conditions": [{"type": "Accepted", "status": "False"}, {"type": "Programmed", "status": "True"}],
        },
    }
    assert compile_path(path)(item) == found


async def test_a_load_balancer_without_a_pool_is_pending(client, ask, make):
    await client.create(SERVICES, make.service(type="LoadBalancer"))
    answer = await ask("GET", "/api/v1/namespaces/default/services/web", accept=TABLE)
    assert answer.body["rows"][0]["cells"][3] == "<pending>"


def test_an_ingress_shows_its_class_hosts_address_and_ports():
    rules = [{"host": f"{letter}.example.com"} for letter in "abcd"]
    status = {"loadBalancer": {"ingress": [{"ip": "10.10.10.1"}, {"hostname": "lb.example.com"}]}}
    found = row("Ingress", {"spec": {"ingressClassName": "nginx", "rules": rules, "tls": [{}]}, "status": status})
    assert {**found, "Age": ""} == {
        "Name": "x",
        "Class": "nginx",
        "Hosts": "a.example.com,b.example.com,c.example.com + 1 more...",
        "Address": "10.10.10.1,lb.example.com",
        "Ports": "80, 443",
        "Age": "",
    }
    bare = row("Ingress", {"spec": {}, "metadata": {"annotations": {"kubernetes.io/ingress.class": "old"}}})
    assert [bare[name] for name in ("Class", "Hosts", "Address", "Ports")] == ["old", "*", "", "80"]


def test_a_binding_shows_its_role_and_widely_its_subjects():
    subjects = [{"kind": "ServiceAccount", "namespace": "a", "name": "b"}, {"kind": "User", "name": "c"}]
    item = {"roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": subjects}
    found = row("RoleBinding", item, wide=True)
    assert [found[name] for name in ("Role", "Users", "Groups", "ServiceAccounts")] == ["ClusterRole/r", "c", "", "a/b"]
