"""The access log of Envoy Gateway's Envoys: a line of JSON for each request, on the Envoy container's output.

What the fields are: https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calico_lab import errors

if TYPE_CHECKING:
    from calico_lab.cluster import Cluster

CONTAINER = "envoy"


@dataclass(frozen=True)
class Request:
    """A request as Envoy tells of it; what it does not tell is empty.

    ``host`` is the Host that the client named, ``flags`` and ``details`` are Envoy's own words on how it ended. The
    addresses, each with its port: ``client`` has asked Envoy at ``received_at``, and Envoy has asked ``upstream`` from
    ``sent_from``. ``forwarded_for`` is the header X-Forwarded-For as Envoy passed it on.
    """

    time: str
    host: str
    path: str
    status: int
    flags: str
    upstream: str
    details: str = ""
    client: str = ""
    received_at: str = ""
    sent_from: str = ""
    forwarded_for: str = ""


def parse(text: str) -> list[Request]:
    """Read an access log; lines that are not JSON, such as Envoy's own messages, are left out."""
    return [request for line in text.splitlines() if (request := _request(line)) is not None]


def read(cluster: Cluster, pod: str, namespace: str, last_lines: int = 2000) -> list[Request]:
    """Return the last requests that an Envoy has logged; none of a pod that has gone, or has not come so far."""
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
    try:
        text: bytes = cluster._api.read(path, container=CONTAINER, tailLines=str(last_lines))
    except (errors.NotFound, errors.BadRequest):
        return []
    return parse(text.decode(errors="replace"))


def _request(line: str) -> Request | None:
    try:
        entry: dict[str, Any] = json.loads(line)

        def told(field: str) -> str:
            return str(entry.get(field) or "")

        return Request(
            time=str(entry["start_time"]),
            host=told(":authority"),
            path=told("x-envoy-origin-path"),
            status=int(entry["response_code"]),
            flags=told("response_flags"),
            upstream=told("upstream_host"),
            details=told("response_code_details"),
            client=told("downstream_remote_address"),
            received_at=told("downstream_local_address"),
            sent_from=told("upstream_local_address"),
            forwarded_for=told("x-forwarded-for"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
