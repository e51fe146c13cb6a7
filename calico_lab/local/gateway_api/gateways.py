"""Which GatewayClasses and Gateways are Envoy Gateway's, which are accepted, and what their statuses say.

Strings, order and life cycle are those of Envoy Gateway 1.5.9. A Gateway of a class that is not ours, or not
accepted, gets no status at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from calico_lab.local.gateway_api.conditions import condition
from calico_lab.local.gateway_api.world import (
    CONTROLLER_NAME,
    ENVOY_GROUP,
    Infrastructure,
    ObjectName,
    World,
    generation_of,
    oldest_first,
)
from calico_lab.local.wire import JsonObject

MAXIMUM_ADDRESSES = 16


@dataclass(frozen=True)
class Parameters:
    """The EnvoyProxy that a class or a Gateway refers to, empty where it refers to none, and what is wrong with it."""

    envoy_proxy: JsonObject
    fault: str = ""


def class_parameters(world: World) -> dict[str, Parameters]:
    """Return the parameters of each GatewayClass of ours, by the name of the class."""
    return {
        item["metadata"]["name"]: _class_parameters(world, item)
        for item in world.gateway_classes
        if item["spec"]["controllerName"] == CONTROLLER_NAME
    }


def class_status(item: JsonObject, parameters: Parameters) -> JsonObject:
    """Return the status of a GatewayClass of ours."""
    generation = generation_of(item)
    if parameters.fault:
        message = f"Invalid parametersRef: {parameters.fault}"
        return {"conditions": [condition("Accepted", False, "InvalidParameters", message, generation)]}
    return {"conditions": [condition("Accepted", True, "Accepted", "Valid GatewayClass", generation)]}


def owned(world: World, classes: dict[str, Parameters]) -> list[JsonObject]:
    """Return the Gateways of accepted classes of ours, oldest first."""
    accepted = {name for name, parameters in classes.items() if not parameters.fault}
    return oldest_first(item for item in world.gateways if item["spec"]["gatewayClassName"] in accepted)


def gateway_parameters(world: World, gateway: JsonObject, of_class: Parameters) -> Parameters:
    """Return a Gateway's own parameters, which take the place of its class's as a whole."""
    reference = (gateway["spec"].get("infrastructure") or {}).get("parametersRef")
    if not reference:
        return of_class
    namespace, name = gateway["metadata"]["namespace"], gateway["metadata"]["name"]
    if not _is_envoy_proxy(reference):
        return Parameters({}, f"unsupported parametersRef for gateway {namespace}/{name}")
    return _find(world, ObjectName(namespace, reference["name"]), "")


def gateway_status(
    gateway: JsonObject, parameters: Parameters, infrastructure: Infrastructure, listeners: Iterable[JsonObject]
) -> JsonObject:
    """Return the status of a Gateway of ours; ``listeners`` are the entries of its listeners."""
    generation = generation_of(gateway)
    if parameters.fault:
        return {"conditions": [condition("Accepted", False, "InvalidParameters", parameters.fault, generation)]}
    scheduled = "The Gateway has been scheduled by Envoy Gateway"
    status: JsonObject = {
        "conditions": [
            condition("Accepted", True, "Accepted", scheduled, generation),
            _programmed(infrastructure, generation),
        ],
        "listeners": list(listeners),
    }
    addresses = infrastructure.addresses[:MAXIMUM_ADDRESSES]
    return status | ({"addresses": [{"type": "IPAddress", "value": value} for value in addresses]} if addresses else {})


def _programmed(infrastructure: Infrastructure, generation: int) -> JsonObject:
    count = len(infrastructure.addresses)
    if not count:
        text = "No addresses have been assigned to the Gateway"
        return condition("Programmed", False, "AddressNotAssigned", text, generation)
    if count > MAXIMUM_ADDRESSES:
        text = (
            f"Too many addresses ({count}) have been assigned to the Gateway; "
            f"only the first {MAXIMUM_ADDRESSES} are included in the status."
        )
        return condition("Programmed", True, "Programmed", text, generation)
    if infrastructure.available_replicas:
        replicas = f"{infrastructure.available_replicas}/{infrastructure.replicas}"
        text = f"Address assigned to the Gateway, {replicas} envoy replicas available"
        return condition("Programmed", True, "Programmed", text, generation)
    return condition("Programmed", False, "NoResources", "Envoy replicas unavailable", generation)


def _class_parameters(world: World, item: JsonObject) -> Parameters:
    reference = item["spec"].get("parametersRef")
    if not reference:
        return Parameters({})
    name = item["metadata"]["name"]
    if not _is_envoy_proxy(reference):
        return Parameters({}, f"unsupported parametersRef for gatewayclass {name}")
    proxy = ObjectName(reference.get("namespace") or "default", reference["name"])
    return _find(world, proxy, f" for GatewayClass {name}")


def _is_envoy_proxy(reference: JsonObject) -> bool:
    return (reference["group"], reference["kind"]) == (ENVOY_GROUP, "EnvoyProxy")


def _find(world: World, name: ObjectName, for_whom: str) -> Parameters:
    proxy = world.envoy_proxies_by_name.get(name)
    if proxy is None:
        missing = f'EnvoyProxy.{ENVOY_GROUP} "{name.name}" not found'
        return Parameters({}, f"failed to find envoyproxy {name}{for_whom}: {missing}")
    return Parameters(proxy)
