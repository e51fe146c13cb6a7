"""Probes: one attempt, and how attempts add up to a verdict.

The rules and words are those of Kubernetes
(https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/), with one
deliberate difference: until its first success a probe is tried again after some 25 ms, not after its period, so that a
pod is seen to be ready when it is. Failures count, and are reported, only once a period all the same.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from calico_lab.errors import LabError
from calico_lab.local import topology
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.wire import JsonObject

FIRST_INTERVAL_SECONDS = 0.025
FIRST_COMMAND_INTERVAL_SECONDS = 0.25
TIMED_OUT = "context deadline exceeded"
_SLOWING_DOWN = 20


# Runs a command in a container; returns its exit code and what it wrote.
Run = Callable[[list[str]], Awaitable[tuple[int, bytes]]]


class ProbeFailed(LabError):
    """An attempt failed; the message is what an event says of it."""


@dataclass(frozen=True)
class Schedule:
    """When a probe is tried, and how many attempts make a verdict."""

    initial_delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    successes: int = 1
    failures: int = 3
    first_interval: float = FIRST_INTERVAL_SECONDS

    @classmethod
    def of(cls, probe: JsonObject) -> Schedule:
        """Read a container's probe."""
        return cls(
            float(probe.get("initialDelaySeconds") or 0),
            float(probe.get("periodSeconds") or 10),
            float(probe.get("timeoutSeconds") or 1),
            probe.get("successThreshold") or 1,
            probe.get("failureThreshold") or 3,
            FIRST_COMMAND_INTERVAL_SECONDS if "exec" in probe else FIRST_INTERVAL_SECONDS,
        )


@dataclass(frozen=True)
class Prober:
    """Tries the ports of one pod from its node, as a kubelet does, and runs commands in its containers."""

    node: Namespaces
    pod_address: str
    run: Run | None = None

    async def attempt(self, probe: JsonObject, container: JsonObject) -> None:
        """Try a container's probe once. Raises :class:`ProbeFailed`."""
        if "httpGet" in probe:
            await self._get(probe["httpGet"], container)
        elif "tcpSocket" in probe:
            action = probe["tcpSocket"]
            await self.connect(action.get("host") or self.pod_address, port_of(action, container))
        elif "exec" in probe and self.run is not None:
            await _execute(self.run, probe["exec"]["command"])
        else:
            raise ProbeFailed("the local lab implements exec, httpGet and tcpSocket probes alone")

    async def connect(self, address: str, port: int) -> None:
        """Connect to a port and leave again. Raises :class:`ProbeFailed`."""
        (await self._open(address, port)).close()

    async def _open(self, address: str, port: int) -> socket.socket:
        # A socket belongs for life to the network namespace in which it was made.
        with self.node.entered():
            connection = socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            await asyncio.get_running_loop().sock_connect(connection, (address, port))
        except BaseException as error:
            connection.close()
            if isinstance(error, OSError):
                words = os.strerror(error.errno).lower() if error.errno else str(error)
                raise ProbeFailed(f"dial tcp {address}:{port}: connect: {words}") from error
            raise
        return connection

    async def _get(self, action: JsonObject, container: JsonObject) -> None:
        scheme = (action.get("scheme") or "HTTP").lower()
        address, port = action.get("host") or self.pod_address, port_of(action, container)
        path = "/" + (action.get("path") or "/").removeprefix("/")
        url = f'"{scheme}://{address}:{port}{path}"'
        try:
            connection = await self._open(address, port)
            status = await _status(connection, path, f"{address}:{port}", action, tls=scheme == "https")
        except ProbeFailed as failure:
            raise ProbeFailed(f"Get {url}: {failure}") from failure
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            raise ProbeFailed(f"Get {url}: {error or 'EOF'}") from error
        if not 200 <= status < 400:
            raise ProbeFailed(f"HTTP probe failed with statuscode: {status}")


async def observe(
    attempt: Callable[[], Awaitable[None]],
    schedule: Schedule,
    verdict: Callable[[bool], None],
    failed: Callable[[str], None],
) -> None:
    """Try again and again until cancelled; ``verdict`` hears each verdict, ``failed`` of each failure that counts."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(schedule.initial_delay)
    began = loop.time()
    due = began + schedule.period
    successes = failures = 0
    steady = False
    while True:
        message = await _outcome(attempt, schedule.timeout)
        if not message:
            successes, failures = successes + 1, 0
            if successes >= schedule.successes:
                steady = True
                verdict(True)
        elif steady or loop.time() >= due:
            successes, failures, due = 0, failures + 1, loop.time() + schedule.period
            failed(message)
            if failures >= schedule.failures:
                verdict(False)
        hurry = max(schedule.first_interval, _hurry(loop.time() - began))
        await asyncio.sleep(schedule.period if steady else min(hurry, schedule.period))


async def until_first_success(attempt: Callable[[], Awaitable[None]], timeout: float = 1.0) -> None:  # noqa: ASYNC109
    """Try again and again until an attempt succeeds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while await _outcome(attempt, timeout):  # noqa: ASYNC110 - nobody tells when a port opens
        await asyncio.sleep(_hurry(loop.time() - began))


def port_of(action: JsonObject, container: JsonObject) -> int:
    """Return the port that a probe names by its number or by its name. Raises :class:`ProbeFailed`."""
    port = action["port"]
    if isinstance(port, int):
        return port
    for declared in container.get("ports") or []:
        if declared.get("name") == port:
            return int(declared["containerPort"])
    raise ProbeFailed(f"couldn't find port: {port}")


def _hurry(failing_seconds: float) -> float:
    """Return how long to wait for the next attempt: who has been failing for long is asked less often."""
    return max(FIRST_INTERVAL_SECONDS, failing_seconds / _SLOWING_DOWN)


async def _outcome(attempt: Callable[[], Awaitable[None]], timeout: float) -> str:  # noqa: ASYNC109
    try:
        await asyncio.wait_for(attempt(), timeout)
    except TimeoutError:
        return TIMED_OUT
    except ProbeFailed as failure:
        return str(failure)
    return ""


async def _status(connection: socket.socket, path: str, host: str, action: JsonObject, *, tls: bool) -> int:
    headers = {"Host": host, "User-Agent": f"kube-probe/{topology.KUBERNETES_VERSION[1:5]}", "Accept": "*/*"}
    headers |= {header["name"]: header["value"] for header in action.get("httpHeaders") or []}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "Connection: close"]
    reader, writer = await asyncio.open_connection(
        sock=connection, ssl=_unverified() if tls else None, server_hostname=host if tls else None
    )
    try:
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = await reader.readuntil(b"\r\n")
        return int(answer.split(b" ", 2)[1])
    finally:
        writer.close()


async def _execute(run: Run, arguments: list[str]) -> None:
    try:
        exit_code, output = await run(arguments)
    except OSError as error:
        raise ProbeFailed(str(error)) from error
    if exit_code != 0:
        raise ProbeFailed(output.decode(errors="replace"))


def _unverified() -> ssl.SSLContext:
    # As upstream: a probe asks whether a server answers, not who it is.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
