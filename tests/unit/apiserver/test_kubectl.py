"""Real kubectl against the server over TLS: the guide's commands, as far as the API server alone can answer them."""

import asyncio
import ssl
from pathlib import Path

import pytest
from support.eventually import eventually
from support.kubectl import TOKEN

from calico_lab.local import custom_resources
from calico_lab.local.resources import CUSTOM_RESOURCE_DEFINITIONS, DEPLOYMENTS, PODS
from calico_lab.local.wire import Response

GUIDE = Path(__file__).parents[1] / "schemas" / "guide_objects.yaml"


@pytest.fixture
async def guide(client, kubectl):
    """Everything that the guide applies."""
    for definition in custom_resources.definitions():
        await client.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    code, output = await kubectl("apply", "-f", str(GUIDE))
    assert code == 0, output
    return output


async def test_apply_creates_and_then_finds_nothing_to_do(kubectl, guide):
    assert guide.splitlines() == [
        "ippool.projectcalico.org/loadbalancer-ip-pool created",
        "bgpconfiguration.projectcalico.org/default created",
        "bgppeer.projectcalico.org/my-global-peer created",
        "gatewayapi.operator.tigera.io/tigera-secure created",
        "serviceaccount/backend created",
        "service/backend created",
        "deployment.apps/backend created",
        "gateway.gateway.networking.k8s.io/load-balancing-gateway created",
        "backendtrafficpolicy.gateway.envoyproxy.io/round-robin-policy created",
        "httproute.gateway.networking.k8s.io/round-robin-route created",
    ]
    _, again = await kubectl("apply", "-f", str(GUIDE))
    assert "deployment.apps/backend unchanged" in again
    assert "created" not in again


async def test_apply_of_a_change(client, kubectl, guide):
    changed = GUIDE.read_text().replace("replicas: 4", "replicas: 2")
    _, output = await kubectl("apply", "-f", "-", given=changed)
    assert "deployment.apps/backend configured" in output
    assert (await client.get(DEPLOYMENTS, "backend", "default"))["spec"]["replicas"] == 2


async def test_gateways_are_unknown_before_they_are_defined(kubectl):
    assert await kubectl("get", "gateways") == (1, 'error: the server doesn\'t have a resource type "gateways"\n')


async def test_gateways_appear_while_kubectl_remembers_older_discovery(client, kubectl):
    await kubectl("get", "gateways")
    for definition in custom_resources.definitions():
        await client.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    assert await kubectl("get", "gateways") == (0, "No resources found in default namespace.\n")


async def test_apply_before_the_kind_is_defined(kubectl):
    gateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\n"
    code, output = await kubectl("apply", "-f", "-", given=gateway)
    assert code == 1
    assert 'no matches for kind "Gateway" in version "gateway.networking.k8s.io/v1"' in output


async def test_a_misspelt_field_is_refused(kubectl):
    wrong = GUIDE.read_text().replace("replicas: 4", "replicsa: 4")
    code, output = await kubectl("apply", "-f", "-", given=wrong)
    assert code == 1
    assert 'strict decoding error: unknown field "spec.replicsa"' in output


async def test_get_prints_tables(kubectl, guide):
    _, output = await kubectl("get", "gateways,httproutes")
    lines = [line.split() for line in output.splitlines() if line]
    assert lines[0] == ["NAME", "CLASS", "ADDRESS", "PROGRAMMED", "AGE"]
    assert lines[1][:3] == [
        "gateway.gateway.networking.k8s.io/load-balancing-gateway",
        "tigera-gateway-class",
        "Unknown",
    ]
    assert lines[3][:2] == ["httproute.gateway.networking.k8s.io/round-robin-route", '["www.example.com"]']


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        ("get deploy backend -o jsonpath={.spec.replicas}", "4"),
        ("get svc -l app=backend --no-headers -o custom-columns=:metadata.name", "backend\n"),
        ("get deployments,ippools -o name", "deployment.apps/backend\nippool.projectcalico.org/loadbalancer-ip-pool\n"),
        ("scale deployment backend --replicas=2", "deployment.apps/backend scaled\n"),
        ("label service backend tier=web", "service/backend labeled\n"),
        ("delete ServiceAccount backend", 'serviceaccount "backend" deleted from default namespace\n'),
        ("get pods", "No resources found in default namespace.\n"),
    ],
)
async def test_everyday_commands(kubectl, guide, arguments, output):
    assert await kubectl(*arguments.split()) == (0, output)


async def test_delete_of_what_is_not_there(kubectl):
    code, output = await kubectl("delete", "deployment", "backend")
    assert (code, output) == (1, 'Error from server (NotFound): deployments.apps "backend" not found\n')


async def test_wait_and_rollout_status_end_when_it_comes_true(client, kubectl, guide):
    commands = [
        kubectl("wait", "--for=condition=Available", "deployment/backend", "--timeout=10s"),
        kubectl("rollout", "status", "deployment/backend", "--timeout=10s"),
    ]
    running = [asyncio.create_task(command) for command in commands]
    await asyncio.sleep(0.3)
    assert not any(task.done() for task in running)
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 4)
    status = counts | {"observedGeneration": 1, "conditions": [{"type": "Available", "status": "True"}]}
    await client.patch(DEPLOYMENTS, "backend", "default", {"status": status}, subresource="status")
    (waited, _), (rolled_out, output) = await asyncio.gather(*running)
    assert (waited, rolled_out) == (0, 0)
    assert output.endswith('deployment "backend" successfully rolled out\n')


async def test_delete_waits_until_a_pod_is_gone(client, kubectl):
    container = {"name": "main", "image": "echo"}
    await client.create(
        PODS, {"metadata": {"name": "web", "namespace": "default"}, "spec": {"containers": [container]}}
    )
    await client.create_subresource(PODS, "web", "default", "binding", {"target": {"kind": "Node", "name": "worker1"}})
    deleting = asyncio.create_task(kubectl("delete", "pod", "web"))
    await asyncio.sleep(0.5)
    assert not deleting.done()
    await client.delete(PODS, "web", "default", grace_seconds=0)
    assert (await deleting)[0] == 0


async def test_logs_are_streamed(server, client, kubectl):
    container = {"name": "main", "image": "echo"}
    await client.create(
        PODS, {"metadata": {"name": "web", "namespace": "default"}, "spec": {"containers": [container]}}
    )
    await client.create_subresource(PODS, "web", "default", "binding", {"target": {"kind": "Node", "name": "worker1"}})

    async def lines():
        for number in range(3):
            yield f"line {number}\n".encode()
            await asyncio.sleep(0)

    async def kubelet(request):
        return Response(200, content_type="text/plain", stream=lines())

    server.connect_kubelet("worker1", kubelet)
    assert await kubectl("logs", "-f", "web") == (0, "line 0\nline 1\nline 2\n")


async def test_a_client_that_goes_away_ends_its_watch(server, kubectl):
    history = server._store.history(("", "configmaps"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(kubectl.folder / "both.pem")
    reader, writer = await asyncio.open_connection("127.0.0.1", kubectl.port, ssl=context)
    path = "/api/v1/configmaps?watch=true&resourceVersion=1"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    assert b"200" in await reader.readline()
    await eventually(lambda: history._waiting)
    writer.transport.abort()
    await eventually(lambda: not history._waiting)
