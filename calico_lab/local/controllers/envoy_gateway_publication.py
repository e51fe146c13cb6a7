"""Giving running Envoys another configuration without losing a request: step by step, each seen to be taken up.

Upstream, Envoy acknowledges each configuration on its gRPC stream. Here it tells the versions that it has taken up in
its statistics, which every proxy serves to Prometheus.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping

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


class Publisher:
    """Decides which files the Envoys of each Gateway are to read next."""

    def __init__(self) -> None:
        self._published_at: dict[ObjectName, float] = {}

    async def next_files(self, gateway: Gateway, before: Files, pods: Iterable[JsonObject]) -> tuple[Files, bool]:
        """Return the files to publish after ``before``, and whether that is the last step for now.

        Of the pods, those of the Gateway's proxies that are running must have taken up what they have already.
        """
        wanted = xds.configuration(gateway)
        target = wanted.files()
        if not before or before == target:
            return target, True
        if not await self._is_taken_up(gateway.name, before, pods):
            return before, False
        step = xds.next_step(xds.read(before), wanted).files()
        self._published_at[gateway.name] = time.monotonic()
        return step, step == target

    async def _is_taken_up(self, gateway: ObjectName, files: Files, pods: Iterable[JsonObject]) -> bool:
        if time.monotonic() - self._published_at.get(gateway, 0.0) > PATIENCE_SECONDS:
            return True
        addresses = [address for pod in pods if (address := _running_proxy(gateway, pod))]
        told = await asyncio.gather(*map(versions_taken_up, addresses))
        return all(xds.versions(files) <= versions for versions in told)


def _running_proxy(gateway: ObjectName, pod: JsonObject) -> str:
    """Return the address of a pod that is one of the Gateway's proxies and runs, else an empty string."""
    status = pod.get("status") or {}
    if infrastructure.owner(pod) != gateway or status.get("phase") != "Running":
        return ""
    address: str = status.get("podIP") or ""
    return address


async def versions_taken_up(address: str, port: int = infrastructure.PORTS.statistics) -> set[str]:
    """Return the versions that the Envoy at an address tells, none when it does not answer."""
    query = {"text_readouts": "", "filter": r"(cds|lds|(cluster|rds)\..*)\.version_text$"}
    try:
        async with (
            aiohttp.ClientSession(timeout=_ANSWER_LIMIT) as session,
            session.get(f"http://{address}:{port}/stats/prometheus", params=query) as answer,
        ):
            return set(_VERSION.findall(await answer.text()))
    except (aiohttp.ClientError, TimeoutError):
        return set()
