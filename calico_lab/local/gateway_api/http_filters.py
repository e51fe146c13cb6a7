"""From the filters of a rule to the changes that they make; checks and words are those of Envoy Gateway 1.5.9."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from calico_lab.local.gateway_api.changes import NO_CHANGES, Changes, HeaderChanges, PathChange, Redirect, Rewrite
from calico_lab.local.wire import JsonObject

# RFC 9110, section 5.5; a value can be matched in one way alone, so that none takes long.
_HEADER_VALUE = re.compile(r"[!-~]+([\t ][!-~]+)*")
# RFC 1035, section 2.3.4.
_LONGEST_LABEL = 63


def changes_of(filters: Iterable[JsonObject]) -> tuple[Changes, str]:
    """Return what filters change, and what is wrong with them: of several faults, as in Envoy Gateway, the last."""
    changes, faults = NO_CHANGES, [""]
    for each in filters:
        match each["type"]:
            case "RequestHeaderModifier" as kind:
                found, faulty = _header_changes(kind, each["requestHeaderModifier"])
                changes = replace(changes, request_headers=found)
            case "ResponseHeaderModifier" as kind:
                found, faulty = _header_changes(kind, each["responseHeaderModifier"])
                changes = replace(changes, response_headers=found)
            case "RequestRedirect":
                spec = each["requestRedirect"]
                changes, faulty = replace(changes, redirect=_redirect(spec)), _hostname_fault(spec)
            case "URLRewrite":
                spec = each["urlRewrite"]
                changes, faulty = replace(changes, rewrite=_rewrite(spec)), _hostname_fault(spec)
            case _:
                continue
        faults += faulty
    return changes, faults[-1]


def mirrors_of(filters: Iterable[JsonObject]) -> list[tuple[int, JsonObject]]:
    """Return the mirrors among filters, each with its place."""
    return [(index, each["requestMirror"]) for index, each in enumerate(filters) if each["type"] == "RequestMirror"]


def _header_changes(kind: str, spec: JsonObject) -> tuple[HeaderChanges, list[str]]:
    faults: list[str] = []
    taken: set[str] = set()
    added = [each for each in spec.get("add") or () if _is_good(each, kind, "add", faults)]
    set_to = [each for each in spec.get("set") or () if _is_good(each, kind, "set", faults)]
    removed = [name for name in spec.get("remove") or () if _is_good({"name": name}, kind, "remove", faults)]
    if not (added or set_to or removed) and any(spec.values()):
        faults.append(f"{kind} Filter did not provide valid configuration to add/set/remove any headers")
    changes = HeaderChanges(
        add=tuple(_first_of_each(added, taken)),
        set=tuple(_first_of_each(set_to, taken)),
        remove=tuple({name.lower(): name for name in reversed(removed)}.values())[::-1],
    )
    return changes, faults


def _is_good(header: JsonObject, kind: str, verb: str, faults: list[str]) -> bool:
    name = header["name"]
    if not name:
        faults.append(f"{kind} Filter cannot {verb} a header with an empty name")
    elif "/" in name or ":" in name or name.lower() == "host":
        elsewhere = " To modify the Host header use the URLRewrite or the HTTPRouteFilter filter."
        faults.append(
            f"Header: \"{name}\". The {kind} filter cannot {verb} the Host header or headers with a '/' or ':' "
            f"character in them.{elsewhere if kind == 'RequestHeaderModifier' else ''}"
        )
    elif "value" in header and not _HEADER_VALUE.fullmatch(header["value"]):
        faults.append(f'Header: "{name}". {kind} Filter cannot {verb} a header with an invalid value.')
    else:
        return True
    return False


def _first_of_each(headers: Iterable[JsonObject], taken: set[str]) -> Iterator[tuple[str, str]]:
    """Yield headers but those whose name, in any case, was there before; a list is several headers of one name."""
    for header in headers:
        if header["name"].lower() not in taken:
            taken.add(header["name"].lower())
            yield from ((header["name"], value) for value in header["value"].split(","))


def _hostname_fault(spec: JsonObject) -> list[str]:
    """Return what is wrong with a hostname beside what the schema forbids, if there is something."""
    hostname = spec.get("hostname", "")
    long = [label for label in hostname.split(".") if len(label) > _LONGEST_LABEL]
    if long:
        return [f'label: "{long[0]}" in hostname "{hostname}" cannot exceed {_LONGEST_LABEL} characters']
    try:
        ipaddress.ip_address(hostname)
    except ValueError:
        return []
    return [f'hostname: "{hostname}" cannot be an ip address']


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
