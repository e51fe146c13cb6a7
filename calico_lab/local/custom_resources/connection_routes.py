"""Schemas of TCPRoute and TLSRoute (Gateway API 1.3.0, experimental channel)."""

from __future__ import annotations

from calico_lab.local.custom_resources.common import (
    BACKEND_REFERENCE_FIELDS,
    HOSTNAME,
    PARENT_REFERENCES,
    PORT_FOR_SERVICE,
    ROUTE_STATUS,
    RULE_NAMES_UNIQUE,
    SECTION_NAME,
)
from calico_lab.local.custom_resources.structural import integer, listing, record
from calico_lab.local.wire import JsonObject

_BACKEND = record(
    BACKEND_REFERENCE_FIELDS | {"weight": integer(0, 1_000_000, form="int32", default=1)},
    required=["name"],
    rules=[PORT_FOR_SERVICE],
)

_RULES = listing(
    record({"backendRefs": listing(_BACKEND, minimum=1, maximum=16), "name": SECTION_NAME}),
    minimum=1,
    maximum=16,
    rules=[RULE_NAMES_UNIQUE],
)
_FIELDS = {"parentRefs": PARENT_REFERENCES, "rules": _RULES}


def _route(fields: JsonObject) -> JsonObject:
    return record({"spec": record(fields, required=["rules"]), "status": ROUTE_STATUS}, required=["spec"])


TCP_ROUTE = _route(_FIELDS)
TLS_ROUTE = _route({"hostnames": listing(HOSTNAME, maximum=16)} | _FIELDS)
