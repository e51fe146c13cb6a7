"""Exec, attach and port-forward: handed on to the kubelet over WebSocket, as kubectl opens them."""

import json

import pytest

from calico_lab.local.resources import PODS
from calico_lab.local.wire import Response

EXEC = "/api/v1/namespaces/default/pods/web/exec"
STATUS, OUTPUT, ERROR = b"\x03", b"\x01", b"\x02"


@pytest.fixture
async def asked(server, client, make):
    """A pod on a node whose kubelet writes down what it was asked, and says back what it was sent."""
    asked = []

    async def kubelet(request):
        async def talk(socket):
            message = await socket.receive()
            await socket.send(OUTPUT + b"heard: " + message[1:])
            await socket.send(STATUS + json.dumps({"metadata": {}, "status": "Success"}).encode())
            await socket.close()

        asked.append(request)
        return Response(101, headers={"Sec-WebSocket-Protocol": "v5.channel.k8s.io"}, websocket=talk)

    server.connect_kubelet("worker1", kubelet)
    await client.create(PODS, make.pod())
    await client.create_subresource(PODS, "web", "default", "binding", {"target": {"kind": "Node", "name": "worker1"}})
    status = {"phase": "Running", "containerStatuses": []}
    await client.patch(PODS, "web", "default", {"status": status}, subresource="status")
    return asked


async def test_exec_reaches_the_kubelet_and_back(kubectl, asked):
    assert await kubectl("exec", "-i", "web", "--", "say", "it", given="hello") == (0, "heard: hello")
    assert asked[0].path == "/exec/default/web/main"
    streams = {("input", "1"), ("output", "1"), ("error", "1")}
    assert asked[0].query[:2] == (("command", "say"), ("command", "it"))
    assert set(asked[0].query[2:]) == streams
    assert asked[0].headers["sec-websocket-protocol"] == "v5.channel.k8s.io"


@pytest.mark.parametrize(
    ("upgrade", "message"),
    [
        ("", "Upgrade request required"),
        (
            "SPDY/3.1",
            "unable to upgrade to SPDY/3.1: the local lab speaks exec, attach and port-forward over WebSocket",
        ),
    ],
)
async def test_only_websockets_are_spoken(ask, asked, upgrade, message):
    answer = await ask("POST", EXEC, upgrade=upgrade, command="ls", stdout="true")
    assert answer.status == 400
    assert answer.body["message"].startswith(message)
    assert not asked


async def test_a_stream_must_be_asked_for(ask, asked):
    answer = await ask("POST", EXEC, command="ls")
    assert (answer.status, answer.body["message"]) == (400, "you must specify at least one of stdin, stdout, stderr")


async def test_a_pod_that_has_ended_takes_no_commands(client, kubectl, asked):
    await client.patch(PODS, "web", "default", {"status": {"phase": "Succeeded"}}, subresource="status")
    code, output = await kubectl("exec", "web", "--", "ls")
    assert (code, output) == (
        1,
        "error: cannot exec into a container in a completed pod; current phase is Succeeded\n",
    )
