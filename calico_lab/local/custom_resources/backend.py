"""The schema of Backend (Envoy Gateway 1.5.9)."""

from __future__ import annotations

from typing import Any

from calico_lab.local.custom_resources.common import PRECISE_HOSTNAME, conditions
from calico_lab.local.custom_resources.rules import rule
from calico_lab.local.custom_resources.structural import ANYTHING, flag, integer, listing, record, text

_NUMBER = "(25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)"
_ADDRESS = (
    rf"^({_NUMBER}\.){{3}}{_NUMBER}$|"
    "^(([0-9a-fA-F]{1,4}:){1,7}[0-9a-fA-F]{1,4}|::|(([0-9a-fA-F]{1,4}:){0,5})?(:[0-9a-fA-F]{1,4}){1,2})$"
)
_PORT = integer(0, 65535, form="int32")
_PLACES = ("fqdn", "ip", "unix")


def _places(endpoint: dict[str, Any]) -> int:
    return sum(place in endpoint for place in _PLACES)


_ENDPOINT = record(
    {
        "fqdn": record({"hostname": PRECISE_HOSTNAME, "port": _PORT}, required=["hostname", "port"]),
        "hostname": PRECISE_HOSTNAME,
        "ip": record(
            {"address": text(minimum=3, maximum=45, pattern=_ADDRESS), "port": _PORT}, required=["address", "port"]
        ),
        "unix": ANYTHING,
        "zone": text(),
    },
    rules=[
        rule(
            "one of fqdn, ip or unix must be specified",
            "has(self.fqdn) || has(self.ip) || has(self.unix)",
            lambda endpoint: _places(endpoint) > 0,
        ),
        rule(
            "only one of fqdn, ip or unix can be specified",
            "[has(self.fqdn), has(self.ip), has(self.unix)].filter(x, x).size() < 2",
            lambda endpoint: _places(endpoint) < 2,
        ),
    ],
)

BACKEND = record(
    {
        "spec": record(
            {
                "appProtocols": listing(
                    text(choices=[f"gateway.envoyproxy.io/{name}" for name in ("h2c", "ws", "wss")])
                ),
                "endpoints": listing(
                    _ENDPOINT,
                    minimum=1,
                    maximum=64,
                    rules=[
                        rule(
                            "fqdn addresses cannot be mixed with other address types",
                            "self.all(f, has(f.fqdn)) || !self.exists(f, has(f.fqdn))",
                            lambda endpoints: len({"fqdn" in endpoint for endpoint in endpoints}) < 2,
                        )
                    ],
                ),
                "fallback": flag(),
                "tls": ANYTHING,
                "type": text(choices=["Endpoints", "DynamicResolver"], default="Endpoints"),
            },
            rules=[
                rule(
                    "DynamicResolver type cannot have endpoints specified",
                    "self.type != 'DynamicResolver' || !has(self.endpoints)",
                    lambda spec: spec["type"] != "DynamicResolver" or "endpoints" not in spec,
                )
            ],
        ),
        "status": record({"conditions": conditions()}),
    },
    required=["spec"],
)
