"""The schema of GRPCRoute (Gateway API 1.3.0, experimental channel)."""

from __future__ import annotations

import re

from calico_lab.local.custom_resources.common import (
    BACKEND_REFERENCE_FIELDS,
    HOSTNAME,
    MATCHES_IN_ALL,
    PARENT_REFERENCES,
    PORT_FOR_SERVICE,
    ROUTE_STATUS,
    RULE_NAMES_UNIQUE,
    SECTION_NAME,
)
from calico_lab.local.custom_resources.filters import GRPC_FILTERS
from calico_lab.local.custom_resources.http_route import SESSION_PERSISTENCE, named_values
from calico_lab.local.custom_resources.rules import Rule, rule
from calico_lab.local.custom_resources.structural import integer, listing, record, text

_SERVICE = r"^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$"
_METHOD = r"^[A-Za-z_][A-Za-z_0-9]*$"


def _valid(field: str, pattern: str) -> Rule:
    """Return the rule about the characters of an exact name."""
    characters = re.compile(pattern.replace("(?i)", ""), re.IGNORECASE if "(?i)" in pattern else 0)
    return rule(
        f"{field} must only contain valid characters (matching {pattern})",
        f"(!has(self.type) || self.type == 'Exact') && has(self.{field}) ? "
        f'self.{field}.matches(r"""{pattern}"""): true',
        lambda value: (
            value.get("type", "Exact") != "Exact" or field not in value or bool(characters.match(value[field]))
        ),
    )


_METHOD_MATCH = record(
    {
        "method": text(maximum=1024),
        "service": text(maximum=1024),
        "type": text(choices=["Exact", "RegularExpression"], default="Exact"),
    },
    rules=[
        rule(
            "One or both of 'service' or 'method' must be specified",
            "has(self.type) ? has(self.service) || has(self.method) : true",
            lambda value: "type" not in value or "service" in value or "method" in value,
        ),
        _valid("service", _SERVICE),
        _valid("method", _METHOD),
    ],
)
_BACKEND = record(
    BACKEND_REFERENCE_FIELDS | {"filters": GRPC_FILTERS, "weight": integer(0, 1_000_000, form="int32", default=1)},
    required=["name"],
    rules=[PORT_FOR_SERVICE],
)
_RULE = record(
    {
        "backendRefs": listing(_BACKEND, maximum=16),
        "filters": GRPC_FILTERS,
        "matches": listing(record({"headers": named_values(4096), "method": _METHOD_MATCH}), maximum=64),
        "name": SECTION_NAME,
        "sessionPersistence": SESSION_PERSISTENCE,
    }
)
_SPEC = record(
    {
        "hostnames": listing(HOSTNAME, maximum=16),
        "parentRefs": PARENT_REFERENCES,
        "rules": listing(_RULE, maximum=16, rules=[MATCHES_IN_ALL, RULE_NAMES_UNIQUE]),
    }
)

GRPC_ROUTE = record({"spec": _SPEC, "status": ROUTE_STATUS})
