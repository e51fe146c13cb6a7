"""What echo-basic answers: a pure function from a request to a response, the same for HTTP/1.1 and HTTP/2.

The behaviour is that of the Gateway API project's conformance server at commit f544a46e
(https://github.com/kubernetes-sigs/gateway-api, conformance/echo-basic), Go's ``net/http`` included: canonical header
names, sorted, and JSON as ``encoding/json`` writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

JSON_TYPE = "application/json"
_STATUS_PATH = re.compile(r"/status/([1-9]\d\d)")
_DURATION = re.compile(r"[-+]?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+")
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Go's net/http takes these out of a request's headers before a handler sees them.
_HIDDEN_HEADERS = frozenset({"Host", "Transfer-Encoding", "Trailer"})


class Context(NamedTuple):
    """Who answers: what the pod's environment says of it."""

    namespace: str
    ingress: str
    service: str
    pod: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Context:
        """Read NAMESPACE, INGRESS_NAME, SERVICE_NAME and POD_NAME; what is not set is empty."""
        return cls(*(environment.get(name, "") for name in ("NAMESPACE", "INGRESS_NAME", "SERVICE_NAME", "POD_NAME")))


class EchoRequest(NamedTuple):
    """A request as it arrived; ``headers`` in order of arrival, with canonical names; ``tls`` as the answer has it."""

    method: str
    uri: str
    protocol: str
    host: str
    headers: list[tuple[str, str]]
    peer: str
    tls: str = ""


class EchoResponse(NamedTuple):
    """What to send back after ``delay`` seconds; ``log`` is the line to write first, if any."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    delay: float = 0.0
    log: str = ""


def answer(request: EchoRequest, context: Context) -> EchoResponse:
    """Return the response to a request."""
    uri = request.uri
    path = uri.partition("?")[0].replace("//", "/")
    if path == "/health":
        return EchoResponse(200, {}, b"OK")
    if path.startswith("/status/"):
        status = _STATUS_PATH.fullmatch(uri)
        return EchoResponse(int(status[1]) if status else 400, {})
    if path == "/ws":
        return plain_error(501, "the local lab's echo-basic does not speak WebSocket")
    log = f"Echoing back request made to {uri} to client ({request.peer})\n"
    headers = _headers_asked_for(request.headers)
    try:
        delay = _delay(uri)
    except ValueError as error:
        body = f'{{"message":{_json(str(error))}}}'.encode()
        return EchoResponse(500, headers | {"Content-Type": JSON_TYPE}, body, log=log)
    headers |= {"Content-Type": JSON_TYPE, "X-Content-Type-Options": "nosniff"}
    return EchoResponse(200, headers, _echo(request, context), delay, log)


def plain_error(status: int, message: str) -> EchoResponse:
    """Return an error as Go's ``http.Error`` writes it."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return EchoResponse(status, headers, f"{message}\n".encode())


@lru_cache(maxsize=1024)
def canonical_name(name: str) -> str:
    """Return a header's name as Go writes it: ``x-request-id`` is ``X-Request-Id``; odd names stay as they are."""
    if not _TOKEN.fullmatch(name):
        return name
    return "-".join(part.capitalize() for part in name.split("-"))


def seconds(duration: str) -> float:
    """Return the seconds of a Go duration such as ``1m30s`` or ``250ms``. Raises ValueError with Go's words."""
    if duration == "0":
        return 0.0
    if not _DURATION.fullmatch(duration):
        raise ValueError(f'time: invalid duration "{duration}"')
    total = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(duration))
    return -total if duration.startswith("-") else total


def _delay(uri: str) -> float:
    if "delay=" not in uri:
        return 0.0
    values = parse_qs(urlsplit(uri).query).get("delay")
    return max(0.0, seconds(values[0])) if values else 0.0


def _headers_asked_for(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the response headers that X-Echo-Set-Header asks for: ``Name:value, Name2:value``."""
    found: dict[str, str] = {}
    for name, value in headers:
        if name == "X-Echo-Set-Header":
            for pair in value.split(","):
                wanted, _, content = pair.strip().partition(":")
                found[wanted] = f"{found[wanted]},{content}" if wanted in found else content
    return found


def _echo(request: EchoRequest, context: Context) -> bytes:
    values: dict[str, list[str]] = {}
    for name, value in request.headers:
        if name not in _HIDDEN_HEADERS:
            values.setdefault(name, []).append(_json(value))
    separator = ",\n   "
    lists = [f"  {_json(name)}: [\n   {separator.join(texts)}\n  ]" for name, texts in sorted(values.items())]
    tls = f',\n "tls": {request.tls}' if request.tls else ""
    headers = "{\n" + ",\n".join(lists) + "\n }" if lists else "{}"
    return (
        f'{{\n "path": {_json(request.uri)},\n "host": {_json(request.host)},\n "method": {_json(request.method)},\n'
        f' "proto": "{request.protocol}",\n "headers": {headers},\n'
        f' "namespace": {_json(context.namespace)},\n "ingress": {_json(context.ingress)},\n'
        f' "service": {_json(context.service)},\n "pod": {_json(context.pod)}{tls}\n}}'
    ).encode()


@lru_cache(maxsize=1024)
def _json(text: str) -> str:
    """Return a JSON string; Go's encoder escapes what HTML would read."""
    encoded: str = encode_basestring(text)
    return encoded.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
