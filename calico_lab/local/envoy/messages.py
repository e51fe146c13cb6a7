"""What every part of Envoy's configuration is written with."""

from __future__ import annotations

from calico_lab.local.gateway_api.model import Source
from calico_lab.local.wire import JsonObject

# Where resources that are only named come from: the stream on which Envoy gets all of them (core.v3.ConfigSource).
AGGREGATED_DISCOVERY: JsonObject = {"ads": {}, "resource_api_version": "V3"}


def typed(name: str, message: str, /, **fields: object) -> JsonObject:
    """Return an extension by its name, configured by a message of the given type under ``envoy.``."""
    return {"name": name, "typed_config": {"@type": type_url(message), **fields}}


def type_url(message: str) -> str:
    """Return the URL of a message type under ``envoy.``."""
    return f"type.googleapis.com/envoy.{message}"


def duration(seconds: float) -> str:
    """Return a length of time as a google.protobuf.Duration, exact to the millisecond."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def socket_address(address: str, port: int) -> JsonObject:
    """Return a TCP address."""
    return {"socket_address": {"address": address, "port_value": port}}


def metadata(source: Source) -> JsonObject:
    """Return the metadata that names the object which a piece of configuration was made from."""
    resource = {"kind": source.kind, "namespace": source.name.namespace, "name": source.name.name}
    section = {"sectionName": source.section} if source.section else {}
    return {"filter_metadata": {"envoy-gateway": {"resources": [resource | section]}}}
