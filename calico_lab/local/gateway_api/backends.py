"""From a backendRef to the endpoints behind it, or to the reason why there are none."""

from __future__ import annotations

from calico_lab.local.gateway_api.model import Endpoint
from calico_lab.local.gateway_api.references import granted
from calico_lab.local.gateway_api.world import ObjectName, World
from calico_lab.local.wire import JsonObject


class Problem(Exception):
    """Why a reference does not resolve: a condition's reason, and an error text."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def endpoints_of(world: World, reference: JsonObject, kind: str, namespace: str) -> tuple[Endpoint, ...]:
    """Return the endpoints of a backendRef in a route of ``kind`` and ``namespace``.

    Raises :class:`Problem` where the reference is not valid; a Service without ready pods is valid and has none.
    """
    name = ObjectName(reference.get("namespace") or namespace, reference["name"])
    _check_kind(reference)
    if name.namespace != namespace and not granted(
        world.reference_grants, kind=kind, namespace=namespace, to_kind="Service", to=name
    ):
        raise Problem("RefNotPermitted", f"Backend ref to Service {name} not permitted by any ReferenceGrant.")
    port = _service_port(world, reference, name)
    return tuple(
        endpoint
        for item in world.slices_by_service.get(name, ())
        if item.get("addressType", "IPv4") == "IPv4"
        for endpoint in _endpoints(item, port)
    )


def _check_kind(reference: JsonObject) -> None:
    if reference.get("group", "") != "":
        raise Problem("InvalidKind", "Group is invalid, only the core API group is supported by the local lab")
    if reference.get("kind", "Service") != "Service":
        raise Problem("InvalidKind", "Kind is invalid, only Service is supported by the local lab")


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
