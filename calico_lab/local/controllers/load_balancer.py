"""Calico's IP address management for Services of type LoadBalancer.

What is assigned, from which pools, and when it is taken back follows
https://docs.tigera.io/calico/latest/networking/ipam/service-loadbalancer and Calico's LoadBalancer controller: every
Service whose loadBalancerClass is unset or ``calico`` gets an address of an automatic pool, unless annotations ask for
a pool or an address. One difference: Calico starts in a block that its random generator picks; here the first free
address of the pool is taken, so that the same steps give the same addresses (blockSize then makes no difference).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key, key_of
from calico_lab.local.objects import is_deleting
from calico_lab.local.resources import IP_POOLS, SERVICES
from calico_lab.local.wire import JsonObject

OWN_CLASS = "calico"
ADDRESSES = "projectcalico.org/loadBalancerIPs"
POOLS = "projectcalico.org/ipv4pools"


class LoadBalancerController(Controller):
    """Writes ``status.loadBalancer.ingress`` of Services; what is in use is read from those very statuses."""

    name = "load-balancer"

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self._services = self.inform(SERVICES, self._keys_of_service)
        self._pools = self.inform(IP_POOLS, self._all_services)

    def _keys_of_service(self, service: JsonObject) -> Iterable[Key]:
        # An address that one Service gives back may be the one that others wait for.
        released = self._services.get(key_of(service)) is None and bool(addresses_of(service))
        return [key_of(service), *(self._all_services(service) if released else ())]

    def _all_services(self, _: JsonObject) -> Iterable[Key]:
        return [key_of(service) for service in self._services if is_load_balancer(service) or addresses_of(service)]

    async def reconcile(self, key: Key) -> None:
        """Assign an address to one Service, keep the one it has, or take it back."""
        service = self._services.get(key)
        if service is None or is_deleting(service):
            return
        if is_load_balancer(service):
            if service["spec"].get("loadBalancerClass", OWN_CLASS) == OWN_CLASS:
                await self._write(service, self._wanted(service))
        elif addresses_of(service):
            await self._write(service, None)
            for other in self._all_services(service):
                self.queue.add(other)

    def _wanted(self, service: JsonObject) -> IPv4Address | None:
        pools = sorted((pool for pool in self._pools if is_for_load_balancers(pool)), key=key_of)
        if not pools:
            return None
        enabled = [pool for pool in pools if not pool["spec"].get("disabled") and not is_deleting(pool)]
        others = {address for each in self._services if each is not service for address in addresses_of(each)}
        current = next(iter(addresses_of(service)), None)
        if requested := _annotation(service, ADDRESSES):
            return _requested(requested, enabled, others, current)
        if current is not None and current not in others and _may_keep(service, current, pools):
            return current
        free = (address for address in _candidates(service, enabled) if address not in others)
        return next(free, None)

    async def _write(self, service: JsonObject, address: IPv4Address | None) -> None:
        if addresses_of(service) == ([address] if address else []):
            return
        status: JsonObject = service.get("status", {}) | {"loadBalancer": {}}
        if address is not None:
            status["loadBalancer"] = {"ingress": [{"ip": str(address)}]}
        try:
            await self.write_status(self._services, service, status)
        except errors.NotFound:
            return


def is_load_balancer(service: JsonObject) -> bool:
    """Whether a Service asks for an address from outside the cluster."""
    return bool(service["spec"].get("type") == "LoadBalancer")


def addresses_of(service: JsonObject) -> list[IPv4Address]:
    """Return the load balancer addresses that a Service's status holds."""
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    return [IPv4Address(entry["ip"]) for entry in ingress if "ip" in entry]


def is_for_load_balancers(pool: JsonObject) -> bool:
    """Whether a pool's addresses are for Services."""
    return "LoadBalancer" in (pool["spec"].get("allowedUses") or [])


def _network(pool: JsonObject) -> IPv4Network:
    return IPv4Network(pool["spec"]["cidr"])


def _annotation(service: JsonObject, name: str) -> list[str]:
    """Return an annotation's JSON array of strings, empty when it is not there or not such an array."""
    text = (service["metadata"].get("annotations") or {}).get(name, "")
    try:
        values: Any = json.loads(text) if text else []
    except json.JSONDecodeError:
        return []
    return [str(value) for value in values] if isinstance(values, list) else []


def _requested(
    requested: list[str], pools: list[JsonObject], others: set[IPv4Address], current: IPv4Address | None
) -> IPv4Address | None:
    """Return the address that a Service asks for if it can have it; there is no falling back to another."""
    try:
        address = IPv4Address(requested[0])
    except AddressValueError:
        return None
    in_pool = address == current or any(address in _network(pool) for pool in pools)
    return address if in_pool and address not in others else None


def _asks_for(service: JsonObject, pool: JsonObject) -> bool:
    names = _annotation(service, POOLS)
    if names:
        return pool["metadata"]["name"] in names or pool["spec"]["cidr"] in names
    return bool(pool["spec"].get("assignmentMode", "Automatic") == "Automatic")


def _may_keep(service: JsonObject, address: IPv4Address, pools: list[JsonObject]) -> bool:
    """Whether an assigned address stays: also without its pool while others remain, until another pool is asked for."""
    if not _annotation(service, POOLS):
        return True
    return any(address in _network(pool) for pool in pools if _asks_for(service, pool))


def _candidates(service: JsonObject, pools: list[JsonObject]) -> Iterator[IPv4Address]:
    for pool in pools:
        if _asks_for(service, pool):
            yield from _network(pool)
