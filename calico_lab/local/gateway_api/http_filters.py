"""From the filters of a rule to the changes that they make; checks and words are those of Envoy Gateway 1.5.9."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from calico_lab.local.gateway_api.changes import Changes, HeaderChanges, PathChange, Redirect, Rewrite
from calico_lab.local.wire import JsonObject

# RFC 9110, section 5.5.
_HEADER_VALUE = re.compile(r"[!-~]+([\t ]?[!-~]+)*")


def changes_of(filters: Iterable[JsonObject]) -> Changes:
    """Return what filters change; raises ``ValueError`` with every header that cannot be changed."""
    found = {each["type"]: each for each in filters}
    headers = {
        kind: _header_changes(kind, found.get(kind, {}).get(f"{kind[0].lower()}{kind[1:]}") or {})
        for kind in ("RequestHeaderModifier", "ResponseHeaderModifier")
    }
    redirect, rewrite = found.get("RequestRedirect"), found.get("URLRewrite")
    return Changes(
        request_headers=headers["RequestHeaderModifier"],
        response_headers=headers["ResponseHeaderModifier"],
        redirect=_redirect(redirect["requestRedirect"]) if redirect else None,
        rewrite=_rewrite(rewrite["urlRewrite"]) if rewrite else None,
    )


def mirrors_of(filters: Iterable[JsonObject]) -> list[tuple[int, JsonObject]]:
    """Return the mirrors among filters, each with its place."""
    return [(index, each["requestMirror"]) for index, each in enumerate(filters) if each["type"] == "RequestMirror"]


def _header_changes(kind: str, spec: JsonObject) -> HeaderChanges:
    faults = [*_faults(kind, "add", spec.get("add") or ()), *_faults(kind, "set", spec.get("set") or ())]
    faults += _faults(kind, "remove", [{"name": name} for name in spec.get("remove") or ()])
    if faults:
        raise ValueError("\n".join(faults))
    taken: set[str] = set()
    return HeaderChanges(
        add=tuple(_first_of_each(spec.get("add") or (), taken)),
        set=tuple(_first_of_each(spec.get("set") or (), taken)),
        remove=tuple({name.lower(): name for name in reversed(spec.get("remove") or ())}.values())[::-1],
    )


def _faults(kind: str, verb: str, headers: Iterable[JsonObject]) -> Iterator[str]:
    for header in headers:
        name = header["name"]
        if not name:
            yield f"{kind} Filter cannot {verb} a header with an empty name"
        elif "/" in name or ":" in name or name.lower() == "host":
            yield (
                f"Header: \"{name}\". The {kind} filter cannot {verb} the Host header or headers with a '/' or "
                "':' character in them."
            )
        elif "value" in header and not _HEADER_VALUE.fullmatch(header["value"]):
            yield f'Header: "{name}". {kind} Filter cannot {verb} a header with an invalid value.'


def _first_of_each(headers: Iterable[JsonObject], taken: set[str]) -> Iterator[tuple[str, str]]:
    """Yield headers but those whose name, in any case, was there before."""
    for header in headers:
        if header["name"].lower() not in taken:
            taken.add(header["name"].lower())
            yield header["name"], header["value"]


def _redirect(spec: JsonObject) -> Redirect:
    return Redirect(
        status=spec.get("statusCode", 302),
        scheme=spec.get("scheme", ""),
        hostname=spec.get("hostname", ""),
        port=spec.get("port"),
        path=_path_change(spec.get("path")),
    )


def _rewrite(spec: JsonObject) -> Rewrite:
    return Rewrite(spec.get("hostname", ""), _path_change(spec.get("path")))


def _path_change(spec: JsonObject | None) -> PathChange | None:
    if spec is None:
        return None
    if spec["type"] == "ReplacePrefixMatch":
        return PathChange(spec["replacePrefixMatch"], only_prefix=True)
    return PathChange(spec["replaceFullPath"])
