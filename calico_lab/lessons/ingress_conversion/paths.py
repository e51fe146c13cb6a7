"""From a path of an Ingress, with or without a target for rewriting, to a match and a rewrite of an HTTPRoute.

To ingress-nginx a path is a prefix of letters; with ``use-regex``, or a ``rewrite-target``, it is a regular expression
that begins at the path's beginning, ends anywhere and takes capitals for small letters
(https://kubernetes.github.io/ingress-nginx/user-guide/ingress-path-matching/). To the Gateway API a prefix is made of
whole segments, and Envoy compares a regular expression with the whole path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]

_CAPTURE = re.compile(r"\$\d")
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")
# What the API server takes in paths of the types Exact and PathPrefix.
_WRITABLE = re.compile(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+")
_NO_GROUPS = (
    "by hand: Envoy Gateway's HTTPRouteFilter with urlRewrite.path.replaceRegexMatch; the Gateway API itself replaces "
    "a whole path or a prefix, and has no groups"
)
# The usual ways to say "this prefix, and keep the rest": the prefix, and the number of the group that holds the rest.
_REST = (
    (re.compile(r"(?P<prefix>/[^\\^$|?*+()\[\]{}]*?)\(/\|\$\)\(\.\*\)"), 2, ""),
    (re.compile(r"(?P<prefix>/?[^\\^$|?*+()\[\]{}]*?)/\(\.\*\)"), 1, "{prefix} alone, without a slash, matches too"),
    (
        re.compile(r"(?P<prefix>/[^\\^$|?*+()\[\]{}]*?)/\?\(\.\*\)"), 1,
        "{prefix} is a whole segment: what only begins with these letters no longer matches",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class RoutePath:
    """A path as an HTTPRoute has it: ``match`` and, where there is one, ``rewrite`` are its ``path`` fields.

    ``difference`` says in which requests it is not the same, ``impossible`` why there is no rewrite, or no match.
    """

    match: JsonObject
    rewrite: JsonObject | None = None
    difference: str = ""
    impossible: str = ""


def plain(path: str, kind: str) -> RoutePath:
    """Convert a path that is no regular expression; one with letters that a prefix may not have becomes one."""
    if not _WRITABLE.fullmatch(path):
        literal = re.escape(path) + ("" if kind == "Exact" else ".*")
        return RoutePath({"type": "RegularExpression", "value": literal})
    if kind == "Exact":
        return RoutePath({"type": "Exact", "value": path})
    difference = ""
    if kind == "ImplementationSpecific" and not path.endswith("/"):
        difference = f"{path} is a whole segment: what only begins with these letters no longer matches"
    return RoutePath({"type": "PathPrefix", "value": path}, difference=difference)


def expression(path: str) -> RoutePath:
    """Convert a path that is a regular expression."""
    value = f"(?i){path.removeprefix('^')}" + ("" if path.endswith("$") else ".*")
    return RoutePath({"type": "RegularExpression", "value": value}, impossible=unreadable(value))


def rewritten(path: str, target: str) -> RoutePath:
    """Convert a path whose requests are to be sent on with ``target`` for their path."""
    if _CAPTURE.search(target):
        return _with_captures(path, target)
    found = expression(path)
    if not has_special(path.removeprefix("^")):
        found = RoutePath(
            {"type": "PathPrefix", "value": path},
            difference="the path is compared by whole segments, capitals and small letters apart",
        )
    return RoutePath(found.match, {"type": "ReplaceFullPath", "replaceFullPath": target}, found.difference)


def _with_captures(path: str, target: str) -> RoutePath:
    for form, group, difference in _REST:
        found = form.fullmatch(path.removeprefix("^"))
        if found and target.endswith(f"/${group}") and not _CAPTURE.search(target[: -len(f"${group}")]):
            prefix, kept = found["prefix"] or "/", target[: -len(f"/${group}")] or "/"
            told = [difference.format(prefix=prefix)] if difference and prefix != "/" else []
            told += ["capitals and small letters are no longer the same"] if re.search("[a-zA-Z]", prefix) else []
            rewrite = {"type": "ReplacePrefixMatch", "replacePrefixMatch": kept}
            return RoutePath({"type": "PathPrefix", "value": prefix}, rewrite, "; ".join(told))
    return RoutePath(expression(path).match, impossible=unreadable(path) or _NO_GROUPS)


def unreadable(expression: str) -> str:
    """Return why Envoy, whose regular expressions are RE2's, cannot read one; empty where it can."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(expression, options)
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        return f"Envoy's regular expressions are RE2's, without what this one uses: {said}"
    return ""


def has_special(path: str) -> bool:
    """Whether a path has characters that mean something in a regular expression."""
    return bool(_SPECIAL.search(path))
