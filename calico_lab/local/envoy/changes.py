"""What a route changes, as the fields of an Envoy route (config.route.v3.Route)."""

from __future__ import annotations

import re

from calico_lab.local.gateway_api.changes import Changes, HeaderChanges, Redirect, Rewrite
from calico_lab.local.gateway_api.model import Match, Mirror
from calico_lab.local.wire import JsonObject

_STATUSES = {301: "MOVED_PERMANENTLY", 302: "FOUND"}
_PARTS = 1_000_000


def header_fields(changes: Changes) -> JsonObject:
    """Return the fields, the same in a route and in a cluster of several that a route has, that change headers."""
    return _headers("request", changes.request_headers) | _headers("response", changes.response_headers)


def redirect_action(redirect: Redirect, match: Match) -> JsonObject:
    """Return the action (RedirectAction) that sends clients elsewhere."""
    action: JsonObject = {"response_code": _STATUSES[redirect.status]}
    if redirect.scheme:
        action["scheme_redirect"] = redirect.scheme
    if redirect.hostname:
        action["host_redirect"] = redirect.hostname
    if redirect.port is not None:
        action["port_redirect"] = redirect.port
    if redirect.path is not None:
        value = redirect.path.value
        action |= _prefix_rewrite(value, match) if redirect.path.only_prefix else {"path_redirect": value}
    return action


def rewrite_fields(rewrite: Rewrite, match: Match) -> JsonObject:
    """Return the fields of a RouteAction that change what the backend is asked for."""
    fields: JsonObject = {}
    if rewrite.hostname:
        fields |= {"host_rewrite_literal": rewrite.hostname, "append_x_forwarded_host": True}
    if rewrite.path is not None:
        value = rewrite.path.value
        whole = _replaced("^/.*$", value)
        fields |= _prefix_rewrite(value.removesuffix("/"), match) if rewrite.path.only_prefix else whole
    return fields


def mirror_policies(mirrors: tuple[Mirror, ...]) -> list[JsonObject]:
    """Return where requests are sent a second time (RouteAction.request_mirror_policies)."""
    return [
        {
            "cluster": mirror.destination.name,
            "runtime_fraction": {
                "default_value": {
                    "numerator": round(_PARTS * mirror.numerator / mirror.denominator),
                    "denominator": "MILLION",
                }
            },
        }
        for mirror in mirrors
    ]


def _headers(of: str, changes: HeaderChanges) -> JsonObject:
    fields: JsonObject = {}
    added = [(header, "APPEND_IF_EXISTS_OR_ADD") for header in changes.add]
    added += [(header, "OVERWRITE_IF_EXISTS_OR_ADD") for header in changes.set]
    if added:
        fields[f"{of}_headers_to_add"] = [
            {"header": {"key": name, "value": value}, "append_action": action, "keep_empty_value": not value}
            for (name, value), action in added
        ]
    if changes.remove:
        fields[f"{of}_headers_to_remove"] = list(changes.remove)
    return fields


def _prefix_rewrite(value: str, match: Match) -> JsonObject:
    """Return the rewrite of a prefix; by itself Envoy would leave two slashes where the new one is only a slash."""
    if value.rstrip("/"):
        return {"prefix_rewrite": value}
    return _replaced(f"^{re.escape(match.path)}/*", "/")


def _replaced(expression: str, value: str) -> JsonObject:
    # In a substitution, a backslash begins a reference to a group.
    return {"regex_rewrite": {"pattern": {"regex": expression}, "substitution": value.replace("\\", "\\\\")}}
