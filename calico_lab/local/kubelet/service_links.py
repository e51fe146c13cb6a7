"""The variables by which a container finds the services that were there before it.

https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from calico_lab.local.wire import JsonObject

_API = ("default", "kubernetes")


def service_links(pod: JsonObject, services: Iterable[JsonObject]) -> dict[str, str]:
    """Return the variables of the services in the pod's namespace, and of the API's, which every pod gets.

    A pod with ``enableServiceLinks: false`` gets those of the API alone.
    """
    namespace = pod["metadata"]["namespace"] if pod["spec"].get("enableServiceLinks", True) else None
    found: dict[str, str] = {}
    for service in sorted(services, key=_identity):
        if service["spec"].get("clusterIP") not in (None, "", "None") and (
            _identity(service) == _API or _identity(service)[0] == namespace
        ):
            found |= dict(_variables(service))
    return found


def _identity(service: JsonObject) -> tuple[str, str]:
    return service["metadata"]["namespace"], service["metadata"]["name"]


def _variables(service: JsonObject) -> Iterator[tuple[str, str]]:
    name, address = _as_variable(service["metadata"]["name"]), service["spec"]["clusterIP"]
    ports = service["spec"].get("ports") or []
    yield f"{name}_SERVICE_HOST", address
    for number, port in enumerate(ports):
        protocol = port.get("protocol", "TCP")
        url, prefix = f"{protocol.lower()}://{address}:{port['port']}", f"{name}_PORT_{port['port']}_{protocol}"
        if number == 0:
            yield f"{name}_SERVICE_PORT", str(port["port"])
            yield f"{name}_PORT", url
        if port.get("name"):
            yield f"{name}_SERVICE_PORT_{_as_variable(port['name'])}", str(port["port"])
        yield prefix, url
        yield f"{prefix}_PROTO", protocol.lower()
        yield f"{prefix}_PORT", str(port["port"])
        yield f"{prefix}_ADDR", address


def _as_variable(name: str) -> str:
    return name.upper().replace("-", "_")
