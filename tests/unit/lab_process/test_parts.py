import asyncio
import json

import pytest
from support.eventually import eventually

from calico_lab.local import parts as module
from calico_lab.local.control import Control
from calico_lab.local.parts import Parts
from calico_lab.local.topology import BASTION, WORKER1
from calico_lab.local.wire import Request, Response

OWNER = {"authorization": "Bearer secret"}


class Recorder:
    """Takes events down."""

    def __init__(self):
        self.events = []

    async def event(self, item, kind, reason, message):
        self.events.append((item["kind"], item["metadata"]["name"], kind, reason, message))


class Cables:
    """A switch of which only the bastion's cable is in."""

    def __init__(self):
        self.cut_off = []

    def carries(self, host):
        return host == BASTION

    def cut(self, host):
        self.cut_off.append(host.name)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(module, "FIRST_RESTART_SECONDS", 0.001)


@pytest.fixture
async def started():
    """Parts in a group that is ended after the test, and the events about them."""
    recorder = Recorder()
    async with asyncio.TaskGroup() as group:
        yield Parts(group, recorder), recorder.events
        for task in list(group._tasks):
            task.cancel()


def failing(times):
    runs = []

    async def run():
        runs.append(1)
        if len(runs) <= times:
            raise ValueError("no more")
        await asyncio.Event().wait()

    return run


async def test_a_part_that_fails_is_started_again_and_said_to_be(started):
    parts, events = started
    parts.keep_running("kubelet", WORKER1, failing(2))
    await eventually(lambda: len(events) == 2)
    (told,) = parts.as_json()
    assert (told["restarts"], told["host"], told["lastEnd"]) == (2, "worker1", "ValueError: no more")
    assert events[0] == ("Node", "worker1", "Warning", "Restarted", "kubelet: ValueError: no more; started again")


async def test_a_part_that_goes_on_is_not_said_to_be_anything(started):
    parts, events = started
    parts.keep_running("kubelet", WORKER1, failing(0))
    await asyncio.sleep(0.02)
    assert parts.as_json() == [{"name": "kubelet", "host": "worker1", "restarts": 0}]
    assert events == []


async def test_a_killed_part_is_started_again(started):
    parts, events = started
    parts.keep_running("SSH server", BASTION, failing(0))
    await asyncio.sleep(0.01)
    assert parts.kill("SSH server")
    await eventually(lambda: events)
    assert events[0][:2] == ("Host", "bastion")
    assert parts.as_json()[0]["lastEnd"] == "it was killed"


async def test_the_end_of_a_parts_program_is_counted_too(started):
    parts, events = started
    parts.keep_running("BIRD", WORKER1, failing(0))
    parts.ended("BIRD", "it was killed by SIGKILL")
    await eventually(lambda: events)
    assert parts.as_json()[0]["restarts"] == 1


async def api_server(request):
    return Response(200, b"api")


def control(parts=None, cables=None):
    return Control(api_server, "secret", parts, cables or Cables())


async def test_requests_for_the_cluster_are_left_to_the_api_server():
    assert (await control().handle(Request("GET", "/api/v1/pods"))).body == b"api"


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "secret"}])
async def test_only_the_owner_may_ask(headers):
    assert (await control().handle(Request("GET", "/calico-lab/parts", headers=headers))).status == 401


async def test_a_cable_is_pulled():
    cables = Cables()
    request = Request("PUT", "/calico-lab/hosts/worker1/cable", headers=OWNER, body=b'{"carries": false}')
    answer = json.loads((await control(cables=cables).handle(request)).body)
    assert (cables.cut_off, answer["carries"]) == (["worker1"], False)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "hosts/nowhere/cable", b'{"carries": false}', 404),
        ("PUT", "hosts/worker1/cable", b"false", 400),
        ("PUT", "hosts/worker1/cable", b"{", 400),
        ("GET", "elsewhere", b"", 404),
        ("POST", "parts", b"", 404),
    ],
)
async def test_what_cannot_be_asked_is_refused(method, path, body, status):
    request = Request(method, f"/calico-lab/{path}", headers=OWNER, body=body)
    assert (await control().handle(request)).status == status
