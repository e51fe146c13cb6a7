"""Canaries: an Ingress beside another one, for a part of its requests.

ingress-nginx asks for the header first, then for the cookie, then it draws by weight
(https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary). In an HTTPRoute a rule
that asks for a header stands before one that does not, and of two that ask for as many, the first one counts.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from typing import Any

from calico_lab.lessons.ingress_conversion.ingresses import Ingress
from calico_lab.lessons.ingress_conversion.paths import unreadable
from calico_lab.lessons.ingress_conversion.remarks import Told, converted, left

JsonObject = dict[str, Any]

ALWAYS, NEVER = "always", "never"
# What else of a canary ingress-nginx reads: all else is that of the Ingress beside which it stands.
_OWN = ("canary", "load-balance", "upstream-hash-by", "affinity", "affinity-canary-behavior")


def with_canary(rule: JsonObject, canary: Ingress, backend: JsonObject) -> list[JsonObject]:
    """Return the rules in the place of one: those by header and cookie, then the one by weight."""
    main = rule["backendRefs"][0]
    chosen = [_only_with(rule, header, backend if to_canary else main) for header, to_canary in _headers(canary)]
    weighted = rule | {"backendRefs": _weighted(main, backend, canary)}
    return [*chosen, weighted]


def passed_over(canary: Ingress, beside: Sequence[Sequence[Ingress]]) -> str:
    """Return why a canary is none; ``beside`` are those of the same Ingresses, of each of which the first counts."""
    if not beside:
        return "there is no Ingress with the same host and path for which it could be the canary"
    if all(others[0] is not canary for others in beside):
        return f"an Ingress has one canary, and this one has {beside[0][0].name} already"
    return ""


def remarks(canary: Ingress, why: str) -> dict[str, Told]:
    """Return what becomes of each annotation of a canary, or of one that is passed over: why."""
    if why:
        return dict.fromkeys(canary.nginx, left(why))
    return {name: _remark(canary, name) for name in canary.nginx}


def _remark(canary: Ingress, name: str) -> Told:
    said = canary.nginx
    if name == "canary":
        return converted("a second backendRef in the rules of the Ingress with the same host and path")
    if name in ("canary-weight", "canary-weight-total"):
        main, own = _weights(canary)
        return converted(f"the weights {main} and {own}")
    if name == "canary-by-cookie":
        return converted("rules that look for the cookie in the header Cookie, by a regular expression")
    if name == "canary-by-header-pattern" and "canary-by-header-value" in said:
        return converted("nothing: canary-by-header-value goes before it")
    if name == "canary-by-header-pattern" and (why := unreadable(_anywhere(said[name]))):
        return left(why)
    if name.startswith("canary-by-header"):
        if "canary-by-header" not in said:
            return converted("nothing: without canary-by-header it has no effect")
        return converted("rules that match the header, before the one that has the weights")
    if name in _OWN:
        return left("a backendRef has no settings of its own: they are the route's")
    return converted("nothing: of a canary, ingress-nginx does not read it")


def _headers(canary: Ingress) -> Iterator[tuple[JsonObject, bool]]:
    """Yield the headers that decide, in their order, and whether they choose the canary."""
    said = canary.nginx
    name, value, pattern = (said.get(f"canary-by-header{part}", "") for part in ("", "-value", "-pattern"))
    if name and value:
        yield {"name": name, "value": value}, True
    elif name and pattern:
        if not unreadable(_anywhere(pattern)):
            yield {"name": name, "type": "RegularExpression", "value": _anywhere(pattern)}, True
    elif name:
        yield {"name": name, "value": ALWAYS}, True
        yield {"name": name, "value": NEVER}, False
    if cookie := said.get("canary-by-cookie"):
        yield _cookie(cookie, ALWAYS), True
        yield _cookie(cookie, NEVER), False


def _cookie(name: str, value: str) -> JsonObject:
    return {
        "name": "Cookie",
        "type": "RegularExpression",
        "value": rf"(?:.*;\s*)?{re.escape(name)}={value}(?:\s*;.*)?",
    }


def _anywhere(pattern: str) -> str:
    """Return a pattern that may match anywhere as one that is compared with the whole."""
    return f".*(?:{pattern}).*"


def _only_with(rule: JsonObject, header: JsonObject, backend: JsonObject) -> JsonObject:
    changed = copy.deepcopy(rule)
    for match in changed["matches"]:
        match["headers"] = [header]
    return changed | {"backendRefs": [backend]}


def _weights(canary: Ingress) -> tuple[int, int]:
    total = max(number(canary.nginx.get("canary-weight-total", ""), 100), 1)
    own = min(number(canary.nginx.get("canary-weight", ""), 0), total)
    return total - own, own


def _weighted(main: JsonObject, backend: JsonObject, canary: Ingress) -> list[JsonObject]:
    main_weight, own = _weights(canary)
    if own == 0:
        return [main]
    return [main | {"weight": main_weight}, backend | {"weight": own}]


def number(text: str, otherwise: int) -> int:
    """Read a number that is not negative, as ingress-nginx does: what is none is as if it did not stand there."""
    return int(text) if text.isdecimal() else otherwise
