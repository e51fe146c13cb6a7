"""What a rule of an HTTPRoute says of timeouts, retries and sessions, as Envoy Gateway 1.5.9 takes it."""

from __future__ import annotations

from itertools import takewhile

from calico_lab.local.gateway_api.durations import optional_seconds, seconds
from calico_lab.local.gateway_api.model import Match, MatchType, Session
from calico_lab.local.gateway_api.traffic import Retry
from calico_lab.local.wire import JsonObject


def timeout_of(rule: JsonObject) -> float | None:
    """Return the timeout of a route: without retries, that of one request to a backend is that of the whole."""
    timeouts = rule.get("timeouts") or {}
    if "retry" in rule:
        return optional_seconds(timeouts.get("request"))
    return optional_seconds(timeouts.get("backendRequest") or timeouts.get("request"))


def retry_of(rule: JsonObject) -> Retry | None:
    """Return when requests are tried again; the timeout of one try counts only where there is a backoff."""
    spec = rule.get("retry")
    if spec is None:
        return None
    defaults, backoff = Retry(), optional_seconds(spec.get("backoff"))
    timeout = optional_seconds((rule.get("timeouts") or {}).get("backendRequest"))
    return Retry(
        number=spec.get("attempts", defaults.number),
        statuses=tuple(spec.get("codes") or defaults.statuses),
        timeout=None if backoff is None else timeout,
        base_interval=backoff,
    )


def session_of(spec: JsonObject | None, rule: str, match: Match) -> Session | None:
    """Return what keeps a client with its pod; a session without a name is called after the rule."""
    if spec is None:
        return None
    name = spec.get("sessionName") or rule.replace("/", "-")
    if spec.get("type", "Cookie") == "Header":
        return Session(name, in_cookie=False)
    permanent = (spec.get("cookieConfig") or {}).get("lifetimeType") == "Permanent"
    return Session(name, path=_cookie_path(match), lifetime=seconds(spec["absoluteTimeout"]) if permanent else None)


def _cookie_path(match: Match) -> str:
    """Return the path that a cookie is for: of a regular expression, the parts before the first with an asterisk.

    See https://gateway-api.sigs.k8s.io/geps/gep-1619/#path.
    """
    if match.path_type is not MatchType.REGULAR_EXPRESSION:
        return match.path
    return "/".join(takewhile(lambda part: "*" not in part, match.path.split("/")))
