"""Scale, binding, tokens and logs."""

import pytest

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.resources import DEPLOYMENTS, PODS, SERVICE_ACCOUNTS
from calico_lab.local.wire import Response

SCALE = "/apis/apps/v1/namespaces/default/deployments/web/scale"
LOG = "/api/v1/namespaces/default/pods/web/log"
MERGE = "application/merge-patch+json"


async def test_scaling(client, ask, make):
    await client.create(DEPLOYMENTS, make.deployment(replicas=4))
    scale = (await ask("GET", SCALE)).body
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 4}, "app=web")
    answer = await ask("PATCH", SCALE, {"spec": {"replicas": 2}}, content_type=MERGE)
    assert answer.body["spec"] == {"replicas": 2}
    assert (await client.get(DEPLOYMENTS, "web", "default"))["spec"]["replicas"] == 2


async def test_scaling_from_an_old_version_is_a_conflict(client, ask, make):
    await client.create(DEPLOYMENTS, make.deployment())
    scale = (await ask("GET", SCALE)).body
    await client.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": 1}})
    assert (await ask("PUT", SCALE, scale | {"spec": {"replicas": 2}})).status == 409


@pytest.mark.parametrize(("replicas", "status"), [(-1, 422), ("two", 400), (1.5, 400)])
async def test_scales_that_make_no_sense(client, ask, make, replicas, status):
    await client.create(DEPLOYMENTS, make.deployment())
    assert (await ask("PATCH", SCALE, {"spec": {"replicas": replicas}}, content_type=MERGE)).status == status


async def bind(client, node="worker1"):
    binding = {"metadata": {"name": "web"}, "target": {"kind": "Node", "name": node}}
    return await client.create_subresource(PODS, "web", "default", "binding", binding)


async def test_binding_a_pod_once(client, make):
    await client.create(PODS, make.pod())
    assert (await bind(client))["status"] == "Success"
    pod = await client.get(PODS, "web", "default")
    assert pod["spec"]["nodeName"] == "worker1"
    assert [(each["type"], each["status"]) for each in pod["status"]["conditions"]] == [("PodScheduled", "True")]
    with pytest.raises(errors.Conflict, match='pod web is already assigned to node "worker1"'):
        await bind(client, "worker2")


async def test_a_token_lives_as_long_as_its_account(server, client):
    answer = await client.create_subresource(SERVICE_ACCOUNTS, "default", "default", "token", {"spec": {}})
    holder = ApiClient(server.handle, token=answer["status"]["token"])
    assert await holder.get(SERVICE_ACCOUNTS, "default", "default")
    await client.delete(SERVICE_ACCOUNTS, "default", "default")
    with pytest.raises(errors.Unauthorized):
        await holder.list(PODS)


async def test_logs_come_from_the_kubelet_of_the_node(server, client, ask, make):
    asked = []

    async def kubelet(request):
        asked.append((request.path, request.query))
        return Response(200, b"one line\n", "text/plain")

    server.connect_kubelet("worker1", kubelet)
    await client.create(PODS, make.pod())
    await bind(client)
    answer = await ask("GET", LOG, tailLines="1", container="main", pretty="true")
    assert (answer.status, answer.body) == (200, b"one line\n")
    assert asked == [("/containerLogs/default/web/main", (("tailLines", "1"),))]


async def test_logs_of_a_pod_without_a_node(client, ask, make):
    await client.create(PODS, make.pod())
    answer = await ask("GET", LOG)
    assert (answer.status, answer.body["message"]) == (400, "pod web does not have a host assigned")


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ("", "a container name must be specified for pod web, choose one of: [a b]"),
        ("c", "container c is not valid for pod web"),
    ],
)
async def test_the_container_must_be_clear(client, ask, make, container, message):
    await client.create(PODS, make.pod(containers=[{"name": name, "image": "echo"} for name in "ab"]))
    answer = await ask("GET", LOG, container=container)
    assert (answer.status, answer.body["message"]) == (400, message)


@pytest.mark.parametrize("subresource", ["eviction", "ephemeralcontainers"])
async def test_what_the_lab_cannot_do_with_a_pod_is_said(client, ask, make, subresource):
    await client.create(PODS, make.pod())
    answer = await ask("POST", f"/api/v1/namespaces/default/pods/web/{subresource}", {})
    assert answer.status == 403
    assert answer.body["message"].endswith(f"the local lab does not implement {subresource}")


async def test_a_fault_of_the_server_is_answered(server, client, ask, make):
    async def kubelet(request):
        raise ValueError("broken")

    server.connect_kubelet("worker1", kubelet)
    await client.create(PODS, make.pod())
    await bind(client)
    answer = await ask("GET", LOG)
    assert (answer.status, answer.body["message"]) == (500, "Internal error occurred: broken")


async def test_a_dry_run_issues_no_token(ask):
    path = "/api/v1/namespaces/default/serviceaccounts/default/token"
    answer = await ask("POST", path, {"spec": {}}, dryRun="All")
    assert (answer.status, answer.body["status"]["token"]) == (201, "")


async def test_a_dry_run_of_a_scale_changes_nothing(client, ask, make):
    await client.create(DEPLOYMENTS, make.deployment(replicas=4))
    answer = await ask("PATCH", SCALE, {"spec": {"replicas": 2}}, content_type=MERGE, dryRun="All")
    assert answer.body["spec"] == {"replicas": 2}
    assert (await client.get(DEPLOYMENTS, "web", "default"))["spec"]["replicas"] == 4


async def test_a_token_request_that_is_none(ask):
    answer = await ask("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {"spec": [1]})
    assert answer.status == 400
