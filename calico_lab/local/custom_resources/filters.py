"""Schemas of the filters of HTTPRoutes and GRPCRoutes (Gateway API 1.3.0, experimental channel)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from calico_lab.local.custom_resources.common import BACKEND_REFERENCE, LOCAL_REFERENCE, PORT, PRECISE_HOSTNAME
from calico_lab.local.custom_resources.rules import Rule, rule
from calico_lab.local.custom_resources.structural import flag, integer, listing, record, text
from calico_lab.local.wire import JsonObject

HEADER_NAME = text(minimum=1, maximum=256, pattern=r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$")
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]

# The field of a filter that goes with its type.
FIELDS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "ExtensionRef": "extensionRef",
    "CORS": "cors",
}
_GRPC_KINDS = ("ExtensionRef", "RequestHeaderModifier", "RequestMirror", "ResponseHeaderModifier")

_HEADERS = listing(
    record({"name": HEADER_NAME, "value": text(minimum=1, maximum=4096)}, required=["name", "value"]),
    maximum=16,
    keys=["name"],
)
_HEADER_MODIFIER = record({"add": _HEADERS, "remove": listing(text(), maximum=16, kind="set"), "set": _HEADERS})


def _goes_with(kind: str, name: str) -> list[Rule]:
    return [
        rule(
            f"{name} must be specified when type is set to '{kind}'",
            f"self.type != '{kind}' || has(self.{name})",
            lambda path: path["type"] != kind or name in path,
        ),
        rule(
            f"type must be '{kind}' when {name} is set",
            f"!has(self.{name}) || self.type == '{kind}'",
            lambda path: name not in path or path["type"] == kind,
        ),
    ]


_PATH_MODIFIER = record(
    {
        "replaceFullPath": text(maximum=1024),
        "replacePrefixMatch": text(maximum=1024),
        "type": text(choices=["ReplaceFullPath", "ReplacePrefixMatch"]),
    },
    required=["type"],
    rules=_goes_with("ReplaceFullPath", "replaceFullPath") + _goes_with("ReplacePrefixMatch", "replacePrefixMatch"),
)

_REDIRECT = record(
    {
        "hostname": PRECISE_HOSTNAME,
        "path": _PATH_MODIFIER,
        "port": PORT,
        "scheme": text(choices=["http", "https"]),
        "statusCode": integer(choices=[301, 302], default=302),
    }
)

_MIRROR = record(
    {
        "backendRef": BACKEND_REFERENCE,
        "fraction": record(
            {
                "denominator": integer(1, form="int32", default=100),
                "numerator": integer(0, form="int32"),
            },
            required=["numerator"],
            rules=[
                rule(
                    "numerator must be less than or equal to denominator",
                    "self.numerator <= self.denominator",
                    lambda fraction: fraction["numerator"] <= fraction["denominator"],
                )
            ],
        ),
        "percent": integer(0, 100, form="int32"),
    },
    required=["backendRef"],
    rules=[
        rule(
            "Only one of percent or fraction may be specified in HTTPRequestMirrorFilter",
            "!has(self.percent) || !has(self.fraction)",
            lambda mirror: "percent" not in mirror or "fraction" not in mirror,
        )
    ],
)

_CORS = record(
    {
        "allowCredentials": flag() | {"enum": [True]},
        "allowHeaders": listing(HEADER_NAME, maximum=64, kind="set"),
        "allowMethods": listing(
            text(choices=[*METHODS, "*"]),
            maximum=9,
            kind="set",
            rules=[
                rule(
                    "AllowMethods cannot contain '*' alongside other methods",
                    "size(self) < 2 || !('*' in self)",
                    lambda methods: len(methods) < 2 or "*" not in methods,
                )
            ],
        ),
        "allowOrigins": listing(
            text(minimum=1, maximum=253, pattern=r"^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?"),
            maximum=64,
            kind="set",
        ),
        "exposeHeaders": listing(HEADER_NAME, maximum=64, kind="set"),
        "maxAge": integer(1, form="int32", default=5),
    }
)


def _field_rules(kind: str, name: str) -> list[Rule]:
    return [
        rule(
            f"filter.{name} must be nil if the filter.type is not {kind}",
            f"!has(self.{name}) || self.type == '{kind}'",
            lambda item: name not in item or item["type"] == kind,
        ),
        rule(
            f"filter.{name} must be specified for {kind} filter.type",
            f"has(self.{name}) || self.type != '{kind}'",
            lambda item: name in item or item["type"] != kind,
        ),
    ]


_SCHEMAS = {
    "CORS": _CORS,
    "ExtensionRef": LOCAL_REFERENCE,
    "RequestHeaderModifier": _HEADER_MODIFIER,
    "RequestMirror": _MIRROR,
    "RequestRedirect": _REDIRECT,
    "ResponseHeaderModifier": _HEADER_MODIFIER,
    "URLRewrite": record({"hostname": PRECISE_HOSTNAME, "path": _PATH_MODIFIER}),
}


def _filter(kinds: Iterable[str]) -> JsonObject:
    known = list(kinds)
    return record(
        {"type": text(choices=known), **{FIELDS[kind]: _SCHEMAS[kind] for kind in known}},
        required=["type"],
        rules=[one for kind in known for one in _field_rules(kind, FIELDS[kind])],
    )


def _not_repeated(kind: str) -> Rule:
    return rule(
        f"{kind} filter cannot be repeated",
        f"self.filter(f, f.type == '{kind}').size() < 2",
        lambda filters: _count(filters, kind) < 2,
    )


def _count(filters: list[dict[str, Any]], kind: str) -> int:
    return sum(item["type"] == kind for item in filters)


FILTERS: JsonObject = listing(
    _filter(FIELDS),
    maximum=16,
    rules=[
        rule(
            "May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both",
            "!self.exists(f, f.type == 'RequestRedirect') || !self.exists(f, f.type == 'URLRewrite')",
            lambda filters: not (_count(filters, "RequestRedirect") and _count(filters, "URLRewrite")),
        ),
        _not_repeated("RequestHeaderModifier"),
        _not_repeated("ResponseHeaderModifier"),
        _not_repeated("RequestRedirect"),
        _not_repeated("URLRewrite"),
    ],
)
GRPC_FILTERS: JsonObject = listing(
    _filter(_GRPC_KINDS),
    maximum=16,
    rules=[_not_repeated("RequestHeaderModifier"), _not_repeated("ResponseHeaderModifier")],
)
