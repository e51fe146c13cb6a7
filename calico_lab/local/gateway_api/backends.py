"""From a backendRef to the endpoints behind it, or to the reason why there are none; and the kind Backend.

Reasons and messages are those of Envoy Gateway 1.5.9.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace

from calico_lab.local.gateway_api.conditions import condition
from calico_lab.local.gateway_api.model import Backend, Endpoint
from calico_lab.local.gateway_api.references import granted
from calico_lab.local.gateway_api.world import ENVOY_GROUP, ObjectName, World, generation_of
from calico_lab.local.wire import JsonObject

KIND = "Backend"
# RFC 1123, as Kubernetes writes it.
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class Problem(Exception):
    """Why a reference does not resolve: a condition's reason, and an error text."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def backend_of(
    world: World, reference: JsonObject, kind: str, namespace: str, *, name: str, http2: bool = False
) -> Backend:
    """Return what a backendRef in a route of ``kind`` and ``namespace`` comes to.

    Raises :class:`Problem` where the reference is not valid. A Service without ready pods is valid, without endpoints.
    """
    target = ObjectName(reference.get("namespace") or namespace, reference["name"])
    group, to_kind = _kind_of(reference)
    if target.namespace != namespace and not granted(
        world.reference_grants, kind=kind, namespace=namespace, to_group=group, to_kind=to_kind, to=target
    ):
        raise Problem("RefNotPermitted", f"Backend ref to {to_kind} {target} not permitted by any ReferenceGrant.")
    backend = Backend(name, reference.get("weight", 1), http2=http2)
    if to_kind == KIND:
        return _outside(world, backend, target)
    return replace(backend, endpoints=_of_service(world, reference, target))


def _kind_of(reference: JsonObject) -> tuple[str, str]:
    group, kind = reference.get("group", ""), reference.get("kind", "Service")
    if group not in ("", ENVOY_GROUP):
        text = f"only the core API group and {ENVOY_GROUP} are supported by the local lab"
        raise Problem("InvalidKind", f"Group is invalid, {text}")
    if kind not in ("Service", KIND):
        raise Problem("InvalidKind", "Kind is invalid, only Service and Backend are supported by the local lab")
    return group, kind


def _outside(world: World, backend: Backend, name: ObjectName) -> Backend:
    """Return a backend with the endpoints that an object of kind Backend names."""
    item = world.backends_by_name.get(name)
    if item is None:
        raise Problem("BackendNotFound", f"Backend {name} not found")
    if fault := backend_fault(item):
        raise Problem("InvalidAddress", fault)
    spec = item["spec"]
    endpoints = spec.get("endpoints") or []
    return replace(
        backend,
        endpoints=tuple(_endpoint(each) for each in endpoints),
        fallback=spec.get("fallback", False),
        named=any("fqdn" in each for each in endpoints),
        http2=backend.http2 or "gateway.envoyproxy.io/h2c" in (spec.get("appProtocols") or ()),
    )


def _endpoint(spec: JsonObject) -> Endpoint:
    place = spec.get("fqdn") or spec["ip"]
    return Endpoint(place.get("hostname") or place["address"], place["port"], hostname=spec.get("hostname", ""))


def backend_status(item: JsonObject) -> JsonObject:
    """Return the status of an object of kind Backend; its condition's type and reason are named as upstream does."""
    fault = backend_fault(item)
    message = f"The Backend was not accepted: {fault}" if fault else "The Backend was accepted"
    reason = "Invalid" if fault else "Accepted"
    return {"conditions": [condition("Accepted", not fault, reason, message, generation_of(item))]}


def backend_fault(item: JsonObject) -> str:
    """Return what is wrong with an object of kind Backend, empty where nothing is."""
    for endpoint in item["spec"].get("endpoints") or []:
        for hostname, what in (
            (endpoint.get("hostname"), "hostname"),
            ((endpoint.get("fqdn") or {}).get("hostname"), "FQDN"),
        ):
            if hostname is not None and (fault := _hostname_fault(hostname, what)):
                return fault
        address = (endpoint.get("ip") or {}).get("address")
        if address is not None and (fault := _address_fault(address)):
            return fault
    return ""


def _hostname_fault(hostname: str, what: str) -> str:
    if _is_address(hostname):
        return f"hostname {hostname} is an IP address"
    if not _SUBDOMAIN.fullmatch(hostname):
        return f"hostname {hostname} is not a valid {what}"
    if "." not in hostname:
        return f"hostname {hostname} should be a domain with at least two segments separated by dots"
    return ""


def _address_fault(address: str) -> str:
    if not _is_address(address):
        return f"IP address {address} is invalid"
    if ipaddress.ip_address(address).is_loopback:
        return f"IP address {address} in the loopback range is not supported"
    return ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _of_service(world: World, reference: JsonObject, name: ObjectName) -> tuple[Endpoint, ...]:
    port = _service_port(world, reference, name)
    return tuple(
        endpoint
        for item in world.slices_by_service.get(name, ())
        if item.get("addressType", "IPv4") == "IPv4"
        for endpoint in _endpoints(item, port)
    )


def _service_port(world: World, reference: JsonObject, name: ObjectName) -> JsonObject:
    if "port" not in reference:
        text = "A valid port number corresponding to a port on the Service must be specified"
        raise Problem("PortNotSpecified", text)
    service = world.services_by_name.get(name)
    if service is None:
        raise Problem("BackendNotFound", f"service {name} not found")
    for port in service["spec"].get("ports") or []:
        if port["port"] == reference["port"] and port.get("protocol", "TCP") == "TCP":
            found: JsonObject = port
            return found
    raise Problem("PortNotFound", f"TCP Port {reference['port']} not found on Service {name}")


def _endpoints(item: JsonObject, service_port: JsonObject) -> list[Endpoint]:
    return [
        Endpoint(address, port["port"], draining)
        for endpoint in item.get("endpoints") or []
        for port in item.get("ports") or []
        if port.get("name", "") == service_port.get("name", "") and port.get("protocol", "TCP") == "TCP"
        for draining in _use(endpoint.get("conditions") or {})
        for address in endpoint["addresses"]
    ]


def _use(conditions: JsonObject) -> list[bool]:
    """Return [] for an endpoint not to be used, else whether it is draining.

    See https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions.
    """
    if "serving" in conditions and "terminating" in conditions:
        return [conditions["terminating"]] if conditions["serving"] else []
    return [False] if conditions.get("ready", True) else []
