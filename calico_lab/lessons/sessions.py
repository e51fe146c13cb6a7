"""Sessions: a client that stays with its pod, by what the gateway gave it to carry.

Envoy keeps no table of sessions. In a header it puts ``address:port`` of the pod in Base64, in a cookie a message of
Protocol Buffers in Base64, in which the same stands as text: StatefulSession's HeaderBasedSessionState and
CookieBasedSessionState, https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/stateful_session/v3/stateful_session.proto
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from calico_lab import kubectl
from calico_lab.errors import ReportError
from calico_lab.lessons import durations, waits
from calico_lab.lessons.steps import GATEWAY
from calico_lab.tools import envoy_admin

if TYPE_CHECKING:
    from calico_lab.cluster import Awaited, JsonObject
    from calico_lab.lab import Lab
    from calico_lab.tools.envoy_admin import EnvoyRoute

ROUTE = "round-robin-route"
SECONDS = 30.0
_FILTER = "envoy.filters.http.stateful_session"
_ADDRESS = re.compile(rb"\d+(?:\.\d+){3}:\d+")


def address_in(carried: str) -> str:
    """Return ``address:port`` that stands in the value of a cookie or header; raises ``ReportError`` for none."""
    try:
        found = _ADDRESS.search(base64.b64decode(carried, validate=True))
    except binascii.Error:
        found = None
    if found is None:
        raise ReportError(f"there is no address in {carried!r}", remedy="base64 -d")
    return found[0].decode()


def persistence(route: JsonObject) -> JsonObject | None:
    """Return the ``sessionPersistence`` of a route's first rule, its defaults filled in, or None where there is none.

    A session without a name is called after the rule, by Envoy Gateway.
    """
    rules = route["spec"].get("rules") or [{}]
    if (spec := rules[0].get("sessionPersistence")) is None:
        return None
    metadata = route["metadata"]
    name = f"httproute-{metadata['namespace']}-{metadata['name']}-rule-0"
    return {"type": "Cookie", "sessionName": name, **spec}


def asked_for(route: JsonObject) -> str:
    """Return how a route's first rule keeps sessions, such as ``cookie cart, 3600 s``; empty when it does not."""
    spec = persistence(route)
    if spec is None:
        return ""
    if spec["type"] == "Header":
        return f"header {spec['sessionName']}"
    cookie = f"cookie {spec['sessionName']}"
    if (spec.get("cookieConfig") or {}).get("lifetimeType") != "Permanent":
        return cookie
    return f"{cookie}, {int(durations.seconds(spec['absoluteTimeout']) or 0)} s"


def in_envoy(routes: Iterable[EnvoyRoute]) -> set[str]:
    """Return how Envoy keeps sessions on these routes, in the words of :func:`asked_for`."""
    return {_of_filter(route.content.get("typed_per_filter_config", {}).get(_FILTER)) for route in routes}


def _of_filter(configuration: JsonObject | None) -> str:
    if configuration is None:
        return ""
    state = configuration["stateful_session"]["session_state"]["typed_config"]
    if "cookie" not in state:
        return f"header {state['name']}"
    cookie = state["cookie"]
    return f"cookie {cookie['name']}" + (f", {cookie['ttl'].removesuffix('s')} s" if "ttl" in cookie else "")


def in_force(lab: Lab) -> Awaited:
    """Wait until Envoy keeps sessions as the first rule of the guide's route asks for."""
    route = lab.cluster.get("HTTPRoute", ROUTE)
    wanted = asked_for(route)

    def is_so() -> bool:
        (envoy, *_) = envoy_admin.of_gateway(lab.cluster, GATEWAY)
        found = envoy.configuration().routes_from("HTTPRoute", ROUTE, route["metadata"]["namespace"])
        return in_envoy(found) == {wanted}

    said = f"Envoy keeps sessions by {wanted}" if wanted else "Envoy keeps no sessions"
    return waits.until(is_so, said, remedy=f"calico-lab envoy httproute {ROUTE}")


def persist(lab: Lab, spec: Mapping[str, Any]) -> Awaited:
    """Put a ``sessionPersistence`` into the first rule of the guide's route, and wait until Envoy works by it."""
    patch = [{"op": "add", "path": "/spec/rules/0/sessionPersistence", "value": dict(spec)}]
    kubectl.run(lab.kubeconfig, "patch", "httproute", ROUTE, "--type=json", "-p", json.dumps(patch), time_limit=SECONDS)
    return in_force(lab)
