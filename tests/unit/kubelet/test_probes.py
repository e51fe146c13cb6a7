import asyncio
import contextlib
import functools

import looptime
import pytest
from support.ports import free_port

from calico_lab.local.kubelet.probes import ProbeFailed, Prober, Schedule, observe, until_first_success


class ThisMachine:
    """Namespaces that are entered by staying where one is."""

    entered = staticmethod(contextlib.nullcontext)


PROBER = Prober(ThisMachine(), "127.0.0.1")


@pytest.fixture
async def server():
    """Answers with the status that ``server.status`` says; ``server.requests`` are those it got."""

    class Server:
        def __init__(self):
            self.status, self.requests, self.idle = 200, [], asyncio.Event()

        async def answer(self, reader, writer):
            with contextlib.suppress(asyncio.IncompleteReadError):  # a TCP probe says nothing
                self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
                writer.write(f"HTTP/1.1 {self.status} words\r\n\r\n".encode())
            writer.close()
            self.idle.set()

    server = Server()
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()


@pytest.mark.parametrize("status", [200, 204, 302, 399])
async def test_http_succeeds(server, status):
    server.status = status
    await PROBER.attempt({"httpGet": {"path": "/ready", "port": server.port}}, {})


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_http_fails_with_upstreams_words(server, status):
    server.status = status
    with pytest.raises(ProbeFailed, match=f"HTTP probe failed with statuscode: {status}"):
        await PROBER.attempt({"httpGet": {"path": "/ready", "port": server.port}}, {})


async def test_request_is_that_of_a_kubelet(server):
    action = {"path": "ready?a=1", "port": "http", "httpHeaders": [{"name": "Host", "value": "www.example.com"}]}
    await PROBER.attempt({"httpGet": action}, {"ports": [{"name": "http", "containerPort": server.port}]})
    lines = server.requests[0].split("\r\n")
    assert lines[0] == "GET /ready?a=1 HTTP/1.1"
    assert {"Host: www.example.com", "User-Agent: kube-probe/1.37", "Connection: close"} <= set(lines)


async def test_refused_connection_is_named():
    port = free_port()
    with pytest.raises(ProbeFailed, match=f'Get "http://127.0.0.1:{port}/": dial tcp .*: connect: connection refused'):
        await PROBER.attempt({"httpGet": {"port": port}}, {})


async def test_tcp(server):
    await PROBER.attempt({"tcpSocket": {"port": server.port}}, {})
    await server.idle.wait()
    with pytest.raises(ProbeFailed, match="connection refused"):
        await PROBER.attempt({"tcpSocket": {"port": free_port()}}, {})


async def test_port_without_that_name():
    with pytest.raises(ProbeFailed, match="couldn't find port: http"):
        await PROBER.attempt({"tcpSocket": {"port": "http"}}, {"ports": [{"containerPort": 80}]})


async def test_other_kinds_are_refused():
    with pytest.raises(ProbeFailed, match="httpGet and tcpSocket probes alone"):
        await PROBER.attempt({"exec": {"command": ["true"]}}, {})


def on_a_clock_of_its_own(test):
    """Run a test in an event loop whose time passes where nothing is left to do: seconds take none, and are exact."""

    @functools.wraps(test)
    def run():
        with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
            runner.run(test())

    return run


class Attempts:
    """Attempts that fail until ``succeeds_from`` seconds have passed; what came of them."""

    def __init__(self, succeeds_from, **schedule):
        self.begun = asyncio.get_running_loop().time()
        self.succeeds_from = succeeds_from
        self.verdicts, self.failures, self.number = [], [], 0
        self.schedule = Schedule(**schedule)

    async def attempt(self):
        self.number += 1
        if asyncio.get_running_loop().time() - self.begun < self.succeeds_from:
            raise ProbeFailed("no")

    async def run(self, seconds):
        with contextlib.suppress(TimeoutError):
            observing = observe(self.attempt, self.schedule, self.verdicts.append, self.failures.append)
            await asyncio.wait_for(observing, seconds)
        return self


@on_a_clock_of_its_own
async def test_success_is_noticed_at_once_whatever_the_period():
    tried = await Attempts(0.1, period=10).run(0.2)
    assert (tried.verdicts, tried.failures) == ([True], [])


@on_a_clock_of_its_own
async def test_failures_count_only_once_a_period():
    tried = await Attempts(10, period=0.1, failures=2).run(0.35)
    assert tried.verdicts == [False, False]
    assert tried.failures == ["no"] * 3
    assert tried.number > 5


@on_a_clock_of_its_own
async def test_after_the_first_success_the_period_is_kept():
    tried = await Attempts(0, period=0.1).run(0.35)
    assert tried.number == 4


@on_a_clock_of_its_own
async def test_failure_after_success():
    tried = Attempts(0, period=0.05, failures=2)
    running = asyncio.create_task(tried.run(0.3))
    await asyncio.sleep(0.07)
    tried.succeeds_from = 10
    await running
    assert tried.verdicts == [True, True, False, False, False]
    assert tried.failures == ["no"] * 4


@on_a_clock_of_its_own
async def test_initial_delay_is_honoured():
    assert (await Attempts(0, initial_delay=1.0).run(0.1)).number == 0


@on_a_clock_of_its_own
async def test_attempt_that_hangs_fails():
    async def hang():
        await asyncio.sleep(10)

    failures = []
    with contextlib.suppress(TimeoutError):
        schedule = Schedule(period=0.05, timeout=0.05)
        await asyncio.wait_for(observe(hang, schedule, lambda _: None, failures.append), 0.2)
    assert failures[0] == "context deadline exceeded"


@on_a_clock_of_its_own
async def test_until_first_success():
    tried = Attempts(0.1)
    await asyncio.wait_for(until_first_success(tried.attempt), 1)
    assert 2 < tried.number < 8


def test_schedule_of_a_manifest_without_figures():
    assert Schedule.of({}) == Schedule(0, 10, 1, 1, 3)
