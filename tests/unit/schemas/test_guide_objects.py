"""The guide's own objects pass, and come out with the defaults that a cluster shows."""

import pytest

GUIDE_KINDS = [
    "IPPool", "BGPConfiguration", "BGPPeer", "GatewayAPI", "ServiceAccount", "Service", "Deployment", "Gateway",
    "BackendTrafficPolicy", "HTTPRoute",
]  # fmt: skip


@pytest.mark.parametrize("kind", GUIDE_KINDS)
def test_the_guides_object_is_served_whole(judge, guide, kind):
    item = guide[kind]
    assert judge.schema_of(item)[-1] is not None
    assert (judge.decode(item), judge.unsupported(item), judge.refuse(item)) == ([], [], [])


@pytest.mark.parametrize("kind", GUIDE_KINDS)
def test_applying_defaults_twice_changes_nothing(judge, guide, kind):
    once = judge.complete(guide[kind])
    assert judge.complete(once) == once


def test_a_pod_template_gets_what_kubernetes_fills_in(judge, guide):
    spec = judge.complete(guide["Deployment"])["spec"]["template"]["spec"]
    assert {key: spec[key] for key in spec if key != "containers"} == {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccount": "backend",
        "serviceAccountName": "backend",
        "terminationGracePeriodSeconds": 30,
    }


def test_a_container_gets_what_kubernetes_fills_in(judge, guide):
    container = judge.complete(guide["Deployment"])["spec"]["template"]["spec"]["containers"][0]
    assert container["ports"] == [{"containerPort": 3000, "protocol": "TCP"}]
    assert container["env"][0]["valueFrom"] == {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}
    assert container["resources"] == {}
    assert container["terminationMessagePath"] == "/dev/termination-log"
    assert container["terminationMessagePolicy"] == "File"


def test_a_deployment_rolls_by_a_quarter(judge, guide):
    spec = judge.complete(guide["Deployment"])["spec"]
    rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": rolling}
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)


def test_a_service_gets_what_kubernetes_fills_in(judge, guide):
    spec = judge.complete(guide["Service"])["spec"]
    assert (spec["type"], spec["sessionAffinity"], spec["internalTrafficPolicy"]) == ("ClusterIP", "None", "Cluster")
    assert spec["ports"] == [{"name": "http", "port": 3000, "protocol": "TCP", "targetPort": 3000}]


def test_a_load_balancer_service_gets_node_ports_and_a_traffic_policy(judge, guide, changed):
    spec = judge.complete(changed(guide["Service"], "spec.type", "LoadBalancer"))["spec"]
    assert (spec["externalTrafficPolicy"], spec["allocateLoadBalancerNodePorts"]) == ("Cluster", True)


def test_a_gateway_waits_for_its_controller(judge, guide):
    gateway = judge.complete(guide["Gateway"])
    assert [(each["type"], each["status"], each["reason"]) for each in gateway["status"]["conditions"]] == [
        ("Accepted", "Unknown", "Pending"),
        ("Programmed", "Unknown", "Pending"),
    ]
    assert gateway["spec"]["listeners"][0]["allowedRoutes"] == {"namespaces": {"from": "Same"}}


def test_a_routes_references_are_completed(judge, guide):
    spec = judge.complete(guide["HTTPRoute"])["spec"]
    assert spec["parentRefs"][0] == {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": "load-balancing-gateway",
    }
    assert spec["rules"][0]["backendRefs"] == [
        {"group": "", "kind": "Service", "name": "backend", "port": 3000, "weight": 1}
    ]


def test_a_route_without_rules_matches_every_path(judge, guide, changed):
    spec = judge.complete(changed(guide["HTTPRoute"], "spec.rules", None))["spec"]
    assert spec["rules"] == [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}]


def test_a_pool_gets_what_calico_fills_in(judge, guide, changed):
    pool = changed(changed(guide["IPPool"], "spec.allowedUses", None), "spec.blockSize", None)
    spec = judge.complete(pool)["spec"]
    assert (spec["blockSize"], spec["allowedUses"], spec["nodeSelector"]) == (26, ["Workload", "Tunnel"], "all()")


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.29", "IfNotPresent"),
        ("registry:5000/nginx", "Always"),
        ("nginx@sha256:0", "IfNotPresent"),
    ],
)
def test_an_image_is_pulled_by_its_tag(judge, image, policy):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": [{"name": "a", "image": image}]}}
    assert judge.complete(pod)["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_null_is_absence(judge, guide, changed):
    assert judge.complete(changed(guide["Deployment"], "spec.replicas", 4)) == judge.complete(
        guide["Deployment"] | {"status": None}
    )


@pytest.mark.parametrize(
    "item",
    [
        {"apiVersion": "v1", "kind": "Event", "involvedObject": {"kind": "Pod", "name": "a"}, "reportingInstance": ""},
        {"apiVersion": "v1", "kind": "Namespace"},
        {"apiVersion": "v1", "kind": "Node", "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}},
        {"apiVersion": "v1", "kind": "Secret", "data": {"password": "YQ=="}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": []},
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"holderIdentity": ""}},
    ],
    ids=lambda item: item["kind"],
)
def test_what_controllers_and_kubelets_write_passes(judge, item):
    item = item | {"metadata": {"name": "a"}}
    assert (judge.decode(item), judge.unsupported(item), judge.refuse(item)) == ([], [], [])
