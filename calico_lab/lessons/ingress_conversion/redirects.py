"""Redirects: from the URL of an annotation to a RequestRedirect filter."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

from calico_lab.lessons.ingress_conversion.remarks import Told, converted, differs, left

JsonObject = dict[str, Any]

HOSTNAME = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
# What the Gateway API 1.3 has for statusCode.
CODES = (301, 302)
_REST = "$request_uri"


def to_url(url: str, code: int) -> tuple[JsonObject | None, Told]:
    """Return a RequestRedirect to a URL, or None, and what becomes of it. ``$request_uri`` at its end is the rest."""
    keeps_path, fixed = url.endswith(_REST), url.removesuffix(_REST)
    if "$" in fixed:
        return None, left("it uses variables of nginx, for which the Gateway API has no place in a redirect")
    parts = _read(fixed)
    if parts is None:
        return None, left("it is no URL of http or https with a plain hostname")
    if keeps_path and parts.path:
        return None, left("a path before $request_uri cannot be put before the path of the request in a redirect")
    redirect = {"statusCode": nearest(code), "scheme": parts.scheme, "hostname": parts.hostname, "port": parts.port}
    if not keeps_path:
        redirect["path"] = {"type": "ReplaceFullPath", "replaceFullPath": parts.path or "/"}
    told = [] if code in CODES else [different_code(code)]
    told += [] if keeps_path else ["a query in the request is kept, which nginx drops"]
    told += ["the query in the URL is lost"] if parts.query else []
    said = {key: value for key, value in redirect.items() if value}
    return said, differs("; ".join(told)) if told else converted("a RequestRedirect")


def _read(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        known = parts.port != 0 and parts.scheme in ("", "http", "https") and HOSTNAME.fullmatch(parts.hostname or "x")
    except ValueError:
        return None
    return parts if known else None


def nearest(code: int) -> int:
    """Return the code that the Gateway API 1.3 has in a code's place: for good, or for now."""
    return 301 if code in (301, 308) else 302


def different_code(code: int) -> str:
    """Say what another code means to a client."""
    return f"{nearest(code)} in place of {code}: after it, a client may send a POST again as a GET"
