"""The annotations of ingress-nginx that have an equivalent: a function for each, which adds it to a draft.

What they mean: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/; what they
become: HTTPRoute of the Gateway API 1.3, BackendTrafficPolicy and SecurityPolicy of Envoy Gateway 1.5.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from calico_lab.lessons.ingress_conversion import redirects
from calico_lab.lessons.ingress_conversion.canaries import number
from calico_lab.lessons.ingress_conversion.draft import Draft
from calico_lab.lessons.ingress_conversion.reasons import REASONS, not_converted
from calico_lab.lessons.ingress_conversion.remarks import Told, by_hand, converted, differs, left

JsonObject = dict[str, Any]

USERS_KEY = ".htpasswd"
SESSION_COOKIE = "INGRESSCOOKIE"
# Annotations that only say more of another one.
COMPANIONS = {
    "auth-secret": "auth-type",
    "auth-secret-type": "auth-type",
    "affinity-mode": "affinity",
    "permanent-redirect-code": "permanent-redirect",
    "proxy-next-upstream-tries": "proxy-next-upstream",
    "session-cookie-expires": "affinity",
    "session-cookie-max-age": "affinity",
    "session-cookie-name": "affinity",
    "temporal-redirect-code": "temporal-redirect",
}
# Of these, what they become shows only where paths and hosts are written.
BY_PATH, BY_HOST = ("rewrite-target", "use-regex"), ("ssl-redirect", "force-ssl-redirect")
_EVERYBODY = {"type": "Distinct", "value": "0.0.0.0/0"}
_ONE_POD_EACH = "the cookie of a pod that is gone is forgotten, and sessions are not moved to new pods"


def treat(draft: Draft) -> dict[str, Told]:
    """Add all of an Ingress's annotations to its draft; returns what became of each, without those of paths, hosts."""
    return {
        name: _treat(draft, name, value)
        for name, value in draft.said.items()
        if name not in (*BY_PATH, *BY_HOST) and not name.startswith("canary")
    } | {name: _canary_alone(draft) for name in draft.said if name.startswith("canary")}


def _canary_alone(draft: Draft) -> Told:
    return converted(f"nothing: canary is {draft.said.get('canary', 'not set')!r}, so this Ingress is none")


def _treat(draft: Draft, name: str, value: str) -> Told:
    if name in _CONVERTERS:
        return _CONVERTERS[name](draft, value)
    if name in COMPANIONS:
        main = COMPANIONS[name]
        if main not in draft.said:
            return converted(f"nothing: without {main} it has no effect")
        return converted(f"with {main}")
    return not_converted(REASONS.get(name, "no annotation of ingress-nginx bears this name: is it misspelt?"))


def _permanent_redirect(draft: Draft, value: str) -> Told:
    if "temporal-redirect" in draft.said:
        return converted("nothing: temporal-redirect goes before it")
    return _redirect(draft, value, number(draft.said.get("permanent-redirect-code", ""), 301))


def _temporal_redirect(draft: Draft, value: str) -> Told:
    return _redirect(draft, value, number(draft.said.get("temporal-redirect-code", ""), 302))


def _redirect(draft: Draft, url: str, code: int) -> Told:
    draft.redirect, told = redirects.to_url(url, code)
    return told


def _app_root(draft: Draft, value: str) -> Told:
    if not value.startswith("/"):
        return left("it is no path")
    draft.app_root = value
    return converted("a RequestRedirect for the path / alone")


def _server_alias(draft: Draft, value: str) -> Told:
    names = [name.strip() for name in value.split(",") if name.strip()]
    if not all(redirects.HOSTNAME.fullmatch(name) for name in names):
        return left("a hostname of a route may begin with *., and is no regular expression")
    draft.aliases += names
    return converted("more hostnames of the route")


def _upstream_vhost(draft: Draft, value: str) -> Told:
    if not redirects.HOSTNAME.fullmatch(value) or value.startswith("*"):
        return left("the Gateway API rewrites to a plain hostname, without variables or a port")
    draft.rewrite["hostname"] = value
    return converted("the hostname of a URLRewrite")


def _forwarded_prefix(draft: Draft, value: str) -> Told:
    if "rewrite-target" not in draft.said or "$" in value:
        return left(REASONS["x-forwarded-prefix"])
    header = {"name": "X-Forwarded-Prefix", "value": value}
    draft.filters.append({"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [header]}})
    return converted("a RequestHeaderModifier")


def _connect_timeout(draft: Draft, value: str) -> Told:
    if not number(value, 0):
        return left("it is no number of seconds")
    draft.traffic["timeout"] = {"tcp": {"connectTimeout": f"{value}s"}}
    return converted("BackendTrafficPolicy.timeout.tcp.connectTimeout")


def _read_timeout(draft: Draft, value: str) -> Told:
    if not number(value, 0):
        return left("it is no number of seconds")
    draft.rule["timeouts"] = {"backendRequest": f"{value}s"}
    return differs("the route's timeout is for the whole answer, nginx's for the time between two parts of it")


def _next_upstream(draft: Draft, value: str) -> Told:
    words = value.split()
    tries = number(draft.said.get("proxy-next-upstream-tries", ""), 3)
    if words == ["off"]:
        draft.traffic["retry"] = {"numRetries": 0}
        return converted("BackendTrafficPolicy.retry with no retries")
    codes = sorted(int(word[5:]) for word in words if re.fullmatch(r"http_[45]\d\d", word))
    triggers = ["connect-failure", "reset-before-request"] if {"error", "timeout"} & set(words) else []
    triggers += ["retriable-status-codes"] if codes else []
    if not triggers:
        return left("Envoy Gateway has no trigger for it")
    again: JsonObject = {"triggers": triggers} | ({"httpStatusCodes": codes} if codes else {})
    draft.traffic["retry"] = {"numRetries": max(tries - 1, 0), "retryOn": again}
    return differs("BackendTrafficPolicy.retry, which repeats a POST too: nginx does so with non_idempotent alone")


def _backend_protocol(draft: Draft, value: str) -> Told:
    protocol = value.upper()
    if protocol == "HTTP":
        return converted("nothing: that is the default")
    if protocol == "GRPC":
        draft.is_grpc = True
        return converted("a GRPCRoute in place of an HTTPRoute")
    if protocol in ("HTTPS", "GRPCS"):
        return by_hand("a BackendTLSPolicy, for the Service and with the authority of its certificate")
    return left(f"Envoy Gateway does not speak {value} to a backend")


def _basic_authentication(draft: Draft, value: str) -> Told:
    if value != "basic":
        return left(f"Envoy has no authentication of the type {value}")
    if draft.said.get("auth-secret-type", "auth-file") != "auth-file":
        return left("only a Secret with one list of users, of the type auth-file, can be read")
    name = draft.said.get("auth-secret", "").rpartition("/")[2]
    secret = draft.secrets.get(name)
    if secret is None:
        return left(f"the Secret {name or 'of auth-secret'} is not there to be converted: hand it over, too")
    users = base64.b64decode((secret.get("data") or {}).get("auth", "")).decode(errors="replace")
    others = [line.partition(":")[0] for line in users.split() if not line.partition(":")[2].startswith("{SHA}")]
    if others or not users.strip():
        return left(f"Envoy reads hashes by SHA-1 alone (htpasswd -s); other ones have: {', '.join(others) or 'none'}")
    new = f"{name}-users"
    content = {USERS_KEY: base64.b64encode(users.encode()).decode()}
    draft.made_secrets.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": new}, "data": content})
    draft.security["basicAuth"] = {"users": {"name": new}}
    return converted(f"SecurityPolicy.basicAuth, and a Secret {new} with its key {USERS_KEY}")


def _limit(draft: Draft, value: str, unit: str) -> Told:
    requests = number(value, 0)
    if not requests:
        return left("it is no number of requests")
    if "rateLimit" in draft.traffic:
        return left("a BackendTrafficPolicy has one limit for each client, and there is one by limit-rps")
    rule = {"clientSelectors": [{"sourceCIDR": _EVERYBODY}], "limit": {"requests": requests, "unit": unit}}
    draft.traffic["rateLimit"] = {"type": "Local", "local": {"rules": [rule]}}
    return differs("429 in place of 503, and no burst: nginx lets five times as many through at once")


def _affinity(draft: Draft, value: str) -> Told:
    if value != "cookie":
        return left("ingress-nginx itself knows cookie alone")
    session: JsonObject = {"type": "Cookie", "sessionName": draft.said.get("session-cookie-name", SESSION_COOKIE)}
    lifetime = draft.said.get("session-cookie-max-age") or draft.said.get("session-cookie-expires") or ""
    if number(lifetime, 0):
        session |= {"absoluteTimeout": f"{lifetime}s", "cookieConfig": {"lifetimeType": "Permanent"}}
    draft.rule["sessionPersistence"] = session
    if draft.said.get("affinity-mode") == "persistent":
        return converted("sessionPersistence by cookie, which names the pod")
    return differs(f"sessionPersistence by cookie, which names the pod: {_ONE_POD_EACH}")


def _load_balance(draft: Draft, value: str) -> Told:
    if "upstream-hash-by" in draft.said:
        return converted("nothing: upstream-hash-by goes before it")
    if value == "round_robin":
        return converted("BackendTrafficPolicy.loadBalancer RoundRobin")
    if value == "ewma":
        draft.traffic["loadBalancer"] = {"type": "LeastRequest"}
        return differs("LeastRequest looks at requests under way, ewma at how long the last ones took")
    return left("ingress-nginx knows round_robin and ewma alone")


def _hash(draft: Draft, value: str) -> Told:
    header = re.fullmatch(r"\$http_([a-z0-9_]+)", value)
    cookie = re.fullmatch(r"\$cookie_(\w+)", value)
    by: JsonObject
    if value in ("$remote_addr", "$binary_remote_addr"):
        by = {"type": "SourceIP"}
    elif header:
        by = {"type": "Header", "header": {"name": header[1].replace("_", "-")}}
    elif cookie:
        by = {"type": "Cookie", "cookie": {"name": cookie[1]}}
    else:
        return left("Envoy Gateway hashes the client's address, one header or one cookie")
    draft.traffic["loadBalancer"] = {"type": "ConsistentHash", "consistentHash": by}
    return converted("BackendTrafficPolicy.loadBalancer ConsistentHash; which pod a key meets is drawn anew")


_CONVERTERS: Mapping[str, Callable[[Draft, str], Told]] = {
    "affinity": _affinity,
    "app-root": _app_root,
    "auth-type": _basic_authentication,
    "backend-protocol": _backend_protocol,
    "limit-rpm": lambda draft, value: (
        _limit(draft, value, "Minute") if "limit-rps" not in draft.said else left("limit-rps is the one that is kept")
    ),
    "limit-rps": lambda draft, value: _limit(draft, value, "Second"),
    "load-balance": _load_balance,
    "permanent-redirect": _permanent_redirect,
    "proxy-connect-timeout": _connect_timeout,
    "proxy-next-upstream": _next_upstream,
    "proxy-read-timeout": _read_timeout,
    "server-alias": _server_alias,
    "temporal-redirect": _temporal_redirect,
    "upstream-hash-by": _hash,
    "upstream-vhost": _upstream_vhost,
    "x-forwarded-prefix": _forwarded_prefix,
}
