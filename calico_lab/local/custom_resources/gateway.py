"""Schemas of GatewayClass, Gateway and ReferenceGrant (Gateway API 1.3.0, experimental channel)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from calico_lab.local.custom_resources.common import (
    CONTROLLER,
    GATEWAY_GROUP,
    HOSTNAME,
    LOCAL_REFERENCE,
    NAME,
    NAMESPACE,
    OBJECT_REFERENCE,
    PORT,
    SECRET_REFERENCE,
    SECTION_NAME,
    SELECTOR,
    conditions,
    group,
    kind,
    waiting,
)
from calico_lab.local.custom_resources.rules import Rule, immutable, rule
from calico_lab.local.custom_resources.structural import guarded, integer, listing, mapping, record, text
from calico_lab.local.wire import JsonObject

GATEWAY_CLASS = record(
    {
        "spec": record(
            {
                "controllerName": guarded(CONTROLLER, immutable()),
                "description": text(maximum=64),
                "parametersRef": OBJECT_REFERENCE,
            },
            required=["controllerName"],
        ),
        "status": record(
            {
                "conditions": conditions(default=waiting("Accepted")),
                "supportedFeatures": listing(record({"name": text()}, required=["name"]), maximum=64, keys=["name"]),
            },
            default={"conditions": waiting("Accepted")},
        ),
    },
    required=["spec"],
)

_KEY = re.compile(
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$"
)


def _key_rules(word: str) -> list[Rule]:
    return [
        rule(
            f"{word.capitalize()} keys must be in the form of an optional DNS subdomain prefix followed by a required "
            "name segment of up to 63 characters.",
            f"self.all({word}, {word}.matches('{_KEY.pattern}'))",
            lambda entries: all(_KEY.match(key) for key in entries),
        ),
        rule(
            f"If specified, the {word} key's prefix must be a DNS subdomain not longer than 253 characters in total.",
            f"self.all({word}, size({word}.split('/')[0]) < 253)",
            lambda entries: all(len(key.split("/")[0]) < 253 for key in entries),
        ),
    ]


def _unique(of: Callable[[JsonObject], Any]) -> Callable[[list[JsonObject]], bool]:
    return lambda items: len({of(item) for item in items}) == len(items)


def _each(holds: Callable[[JsonObject], bool]) -> Callable[[list[JsonObject]], bool]:
    return lambda items: all(holds(item) for item in items)


_ADDRESS_TYPE = text(
    minimum=1,
    maximum=253,
    default="IPAddress",
    pattern=r"^Hostname|IPAddress|NamedAddress|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
    r"\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$",
)


def _addresses_unique(name: str) -> Rule:
    return rule(
        f"{name} values must be unique",
        f"self.filter(a, a.type == '{name}').map(a, a.?value).isUnique()",
        lambda addresses: _unique(lambda address: address.get("value"))([a for a in addresses if a["type"] == name]),
    )


_TLS = record(
    {
        "certificateRefs": listing(SECRET_REFERENCE, maximum=64),
        "frontendValidation": record({"caCertificateRefs": listing(OBJECT_REFERENCE, minimum=1, maximum=8)}),
        "mode": text(choices=["Terminate", "Passthrough"], default="Terminate"),
        "options": mapping(text(minimum=0, maximum=4096), maximum=16),
    },
    rules=[
        rule(
            "certificateRefs or options must be specified when mode is Terminate",
            "self.mode != 'Terminate' || size(self.?certificateRefs.orValue([])) > 0 || "
            "size(self.?options.orValue({})) > 0",
            lambda tls: tls["mode"] != "Terminate" or bool(tls.get("certificateRefs") or tls.get("options")),
        )
    ],
)

_LISTENER = record(
    {
        "allowedRoutes": record(
            {
                "kinds": listing(record({"group": group(GATEWAY_GROUP), "kind": kind()}, required=["kind"]), maximum=8),
                "namespaces": record(
                    {"from": text(choices=["All", "Selector", "Same"], default="Same"), "selector": SELECTOR},
                    default={"from": "Same"},
                ),
            },
            default={"namespaces": {"from": "Same"}},
        ),
        "hostname": HOSTNAME,
        "name": SECTION_NAME,
        "port": PORT,
        "protocol": text(
            minimum=1,
            maximum=255,
            pattern=r"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?"
            r"(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9]+$",
        ),
        "tls": _TLS,
    },
    required=["name", "port", "protocol"],
)

_LISTENER_RULES = [
    rule(
        "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
        "self.all(l, !(l.protocol in ['HTTP', 'TCP', 'UDP']) || !has(l.tls))",
        _each(lambda listener: listener["protocol"] not in ("HTTP", "TCP", "UDP") or "tls" not in listener),
    ),
    rule(
        "tls mode must be Terminate for protocol HTTPS",
        "self.all(l, l.protocol != 'HTTPS' || !has(l.tls) || l.tls.mode == 'Terminate')",
        _each(
            lambda listener: (
                listener["protocol"] != "HTTPS" or listener.get("tls", {}).get("mode", "Terminate") == "Terminate"
            )
        ),
    ),
    rule(
        "hostname must not be specified for protocols ['TCP', 'UDP']",
        "self.all(l, !(l.protocol in ['TCP', 'UDP']) || !has(l.hostname))",
        _each(lambda listener: listener["protocol"] not in ("TCP", "UDP") or "hostname" not in listener),
    ),
    rule(
        "Listener name must be unique within the Gateway",
        "self.map(l, l.name).isUnique()",
        _unique(lambda listener: listener["name"]),
    ),
    rule(
        "Combination of port, protocol and hostname must be unique for each listener",
        "self.map(l, [l.port, l.protocol, l.?hostname]).isUnique()",
        _unique(lambda listener: (listener["port"], listener["protocol"], listener.get("hostname"))),
    ),
]

_GATEWAY_SPEC = record(
    {
        "addresses": listing(
            record({"type": _ADDRESS_TYPE, "value": text(maximum=253)}),
            maximum=16,
            rules=[_addresses_unique("IPAddress"), _addresses_unique("Hostname")],
        ),
        "allowedListeners": record(
            {
                "namespaces": record(
                    {"from": text(choices=["All", "Selector", "Same", "None"], default="None"), "selector": SELECTOR},
                    default={"from": "None"},
                )
            }
        ),
        "backendTLS": record({"clientCertificateRef": SECRET_REFERENCE}),
        "gatewayClassName": NAME,
        "infrastructure": record(
            {
                "annotations": mapping(text(minimum=0, maximum=4096), maximum=8, rules=_key_rules("annotation")),
                "labels": mapping(
                    text(minimum=0, maximum=63, pattern="^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"),
                    maximum=8,
                    rules=_key_rules("label"),
                ),
                "parametersRef": LOCAL_REFERENCE,
            }
        ),
        "listeners": listing(_LISTENER, minimum=1, maximum=64, keys=["name"], rules=_LISTENER_RULES),
    },
    required=["gatewayClassName", "listeners"],
)

_GATEWAY_STATUS = record(
    {
        "addresses": listing(
            record({"type": _ADDRESS_TYPE, "value": text(minimum=1, maximum=253)}, required=["value"]), maximum=16
        ),
        "conditions": conditions(default=waiting("Accepted", "Programmed")),
        "listeners": listing(
            record(
                {
                    "attachedRoutes": integer(form="int32"),
                    "conditions": conditions(),
                    "name": SECTION_NAME,
                    "supportedKinds": listing(
                        record({"group": group(GATEWAY_GROUP), "kind": kind()}, required=["kind"]), maximum=8
                    ),
                },
                required=["attachedRoutes", "conditions", "name", "supportedKinds"],
            ),
            maximum=64,
            keys=["name"],
        ),
    },
    default={"conditions": waiting("Accepted", "Programmed")},
)

GATEWAY = record({"spec": _GATEWAY_SPEC, "status": _GATEWAY_STATUS}, required=["spec"])

REFERENCE_GRANT = record(
    {
        "spec": record(
            {
                "from": listing(
                    record(
                        {"group": group(), "kind": kind(), "namespace": NAMESPACE},
                        required=["group", "kind", "namespace"],
                    ),
                    minimum=1,
                    maximum=16,
                ),
                "to": listing(
                    record({"group": group(), "kind": kind(), "name": NAME}, required=["group", "kind"]),
                    minimum=1,
                    maximum=16,
                ),
            },
            required=["from", "to"],
        )
    }
)
