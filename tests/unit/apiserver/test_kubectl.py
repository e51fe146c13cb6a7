"""Real kubectl against the server over TLS: the guide's commands, as far as the API server alone can answer them."""

import asyncio
import base64
import contextlib
import datetime
import ipaddress
import json
import os
import socket
import ssl
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from calico_lab.local import custom_resources
from calico_lab.local.apiserver import http
from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.client import ApiClient
from calico_lab.local.resources import CUSTOM_RESOURCE_DEFINITIONS, DEPLOYMENTS, PODS, SERVICE_ACCOUNTS
from calico_lab.local.wire import Response

KUBECTL = Path(sys.prefix) / "bin" / "kubectl"
GUIDE = Path(__file__).parents[1] / "schemas" / "guide_objects.yaml"
TOKEN = "a-token-of-the-tests"


def certificate(folder):
    """Write a throwaway certificate for 127.0.0.1 and return what a server and its clients need."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem = signed.public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "both.pem").write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return pem, context


class Kubectl:
    """Runs kubectl with a kubeconfig and a home of its own."""

    def __init__(self, folder, port, authority):
        self.folder = folder
        self.port = port
        cluster = {
            "server": f"https://127.0.0.1:{port}",
            "certificate-authority-data": base64.b64encode(authority).decode(),
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": "lab", "user": {"token": TOKEN}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
            "current-context": "lab",
        }
        (folder / "kubeconfig").write_text(json.dumps(config))

    async def __call__(self, *arguments, given=""):
        """Return the exit code and what kubectl wrote."""
        process = await asyncio.create_subprocess_exec(
            KUBECTL,
            *arguments,
            env={"KUBECONFIG": str(self.folder / "kubeconfig"), "HOME": str(self.folder), "PATH": os.environ["PATH"]},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(given.encode()), 20)
        return process.returncode, output.decode()


@pytest.fixture
async def server():
    return ApiServer(seed="tests", tokens={TOKEN: "kubernetes-admin"})


@pytest.fixture
async def client(server):
    client = ApiClient(server.handle, token=TOKEN)
    await client.create(SERVICE_ACCOUNTS, {"metadata": {"name": "default", "namespace": "default"}})
    return client


@pytest.fixture
async def kubectl(server, tmp_path):
    authority, context = certificate(tmp_path)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(http.serve(server.handle, [listening], context))
    await asyncio.sleep(0)
    yield Kubectl(tmp_path, listening.getsockname()[1], authority)
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


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


async def eventually(true):
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true")
