"""Giving running Envoys another configuration without losing a request: step by step, each seen to be taken up.

Upstream, Envoy acknowledges each configuration on its gRPC stream. Here it tells the versions that it has taken up in
its statistics, which every proxy serves to Prometheus.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import aiohttp

from calico_lab.local.controllers import envoy_gateway_infrastructure as infrastructure
from calico_lab.local.envoy import xds
from calico_lab.local.gateway_api.model import Gateway
from calico_lab.local.gateway_api.world import ObjectName
from calico_lab.local.wire import JsonObject

# How long an Envoy that does not answer, or refuses a configuration, holds up what comes next.
PATIENCE_SECONDS = 1.0
ASK_AGAIN_SECONDS = 0.01

_VERSION = re.compile(r'text_value="([0-9a-f]+)"')
_ANSWER_LIMIT = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)

Files = Mapping[str, str]


@dataclass(frozen=True)
class _Wanted:
    """What the Envoys of a Gateway are to read in the end."""

    gateway: Gateway
    configuration: xds.Configuration
    files: Files


@dataclass(frozen=True)
class _Published:
    """What the Envoys of a Gateway were given to read, and when (by the monotonic clock)."""

    configuration: xds.Configuration
    files: Files
    at: float

    @cached_property
    def versions(self) -> set[str]:
        return xds.versions(self.files)


class Publisher:
    """Decides which files the Envoys of each Gateway are to read next."""

    def __init__(self) -> None:
        self._wanted: dict[ObjectName, _Wanted] = {}
        self._published: dict[ObjectName, _Published] = {}

    async def next_files(self, gateway: Gateway, before: Files, pods: Iterable[JsonObject]) -> tuple[Files, bool]:
        """Return the files to publish after ``before``, and whether that is the last step for now.

        Of the pods, those of the Gateway's proxies that are running must have taken up what they have already.
        """
        wanted = self._wanted_by(gateway)
        if not before or before == wanted.files:
            return wanted.files, True
        published = self._published.get(gateway.name)
        if published is None or published.files != before:
            # Not ours: of the controller that ran before, or edited.
            published = _Published(xds.read(before), before, at=0.0)
        if not await _is_taken_up(gateway.name, published, pods):
            return before, False
        step = xds.next_step(published.configuration, wanted.configuration)
        files = wanted.files if step == wanted.configuration else step.files()
        self._published[gateway.name] = _Published(step, files, time.monotonic())
        return files, files == wanted.files

    def _wanted_by(self, gateway: Gateway) -> _Wanted:
        """Return what a Gateway comes to; it is asked for again at each step, and written as JSON once."""
        known = self._wanted.get(gateway.name)
        if known is None or known.gateway != gateway:
            configuration = xds.configuration(gateway)
            known = self._wanted[gateway.name] = _Wanted(gateway, configuration, configuration.files())
        return known


async def _is_taken_up(gateway: ObjectName, published: _Published, pods: Iterable[JsonObject]) -> bool:
    if time.monotonic() - published.at > PATIENCE_SECONDS:
        return True
    addresses = [address for pod in pods if (address := _running_proxy(gateway, pod))]
    told = await asyncio.gather(*map(versions_taken_up, addresses))
    return all(published.versions <= versions for versions in told)


def _running_proxy(gateway: ObjectName, pod: JsonObject) -> str:
    """Return the address of a pod that is one of the Gateway's proxies and runs, else an empty string."""
    status = pod.get("status") or {}
    if infrastructure.owner(pod) != gateway or status.get("phase") != "Running":
        return ""
    address: str = status.get("podIP") or ""
    return address


async def versions_taken_up(address: str, port: int = infrastructure.PORTS.statistics) -> set[str]:
    """Return the versions that the Envoy at an address tells, none when it does not answer."""
    # Of a thousand clusters' statistics Envoy looks through those alone that have been set.
    query = {"text_readouts": "", "usedonly": "", "filter": r"(cds|lds|(cluster|rds)\..*)\.version_text$"}
    try:
        async with (
            aiohttp.ClientSession(timeout=_ANSWER_LIMIT) as session,
            session.get(f"http://{address}:{port}/stats/prometheus", params=query) as answer,
        ):
            return set(_VERSION.findall(await answer.text()))
    except (aiohttp.ClientError, TimeoutError):
        return set()
