"""What the guide's echo server answers: the request as it came to a pod, and as that pod's log tells of it.

The server is the Gateway API project's: https://github.com/kubernetes-sigs/gateway-api, conformance/echo-basic.
"""

from __future__ import annotations

import http.client
import io
import json
import re
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from calico_lab.errors import ReportError

if TYPE_CHECKING:
    from calico_lab.cluster import Cluster
    from calico_lab.host import Host

SECONDS = 10.0
# A line that has just been printed takes a moment to come into the log.
_ATTEMPTS, _PAUSE = 40, 0.05


@dataclass(frozen=True, repr=False)
class Echo:
    """An answer. Of one that no pod gave, ``pod`` is empty; ``headers`` are those that the pod was sent."""

    status: int
    pod: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        # Which of the pods it was differs from run to run.
        return f"status {self.status}, from {'a pod of the backend' if self.pod else 'no pod'}"


def ask(
    host: Host, address: str, *, port: int = 80, name: str = "www.example.com", path: str = "/round",
    headers: Mapping[str, str] | None = None,
) -> Echo:  # fmt: skip
    """Send one request from a host and return the answer; ``name`` is the Host that it asks for.

    With nothing but bash, which every bastion has. Raises ``CommandError`` when nobody takes the connection,
    ``ReportError`` when what comes back is not HTTP.
    """
    lines = [f"GET {path} HTTP/1.1", *(f"{key}: {value}" for key, value in _headers(name, headers).items()), "", ""]
    # A time limit on the host itself, so that nothing is left there that waits.
    talk = f"exec 3<>/dev/tcp/{address}/{port} && cat >&3 && cat <&3"
    command = f"timeout {SECONDS:g} bash -c {shlex.quote(talk)}"
    return parse(host.run(command, stdin="\r\n".join(lines), time_limit=2 * SECONDS).output)


def _headers(name: str, more: Mapping[str, str] | None) -> dict[str, str]:
    return {"Host": name, "User-Agent": "calico-lab", **(more or {}), "Connection": "close"}


def parse(text: str) -> Echo:
    """Read a whole answer, from its status line on."""
    try:
        response = http.client.HTTPResponse(cast(Any, _Received(text.encode())))
        response.begin()
        body = response.read()
    except (http.client.HTTPException, ValueError):
        raise ReportError(f"this is not an answer over HTTP: {text[:200]!r}") from None
    return Echo(response.status, pod(body), headers(body))


def pod(body: str | bytes) -> str:
    """Return the name of the pod that answered, from the body of its answer; empty where no pod did."""
    return str(_told(body)["pod"])


def headers(body: str | bytes) -> dict[str, str]:
    """Return the headers that a pod was sent, from the body of its answer; none of an answer that no pod gave."""
    return {key: ", ".join(values) for key, values in _told(body)["headers"].items()}


def _told(body: str | bytes) -> dict[str, Any]:
    """Return what a pod tells of itself and the request."""
    try:
        told = json.loads(body)
        return {"pod": str(told["pod"]), "headers": dict(told["headers"])}
    except (ValueError, KeyError, TypeError):
        return {"pod": "", "headers": {}}


class _Received:
    """What http.client reads an answer from in place of a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def client_of(cluster: Cluster, pod: str, path: str) -> str:
    """Return the address, without its port, that a pod's last request for a path came from.

    That is whom the pod takes for its client. Raises ``ReportError`` when its log tells of no such request.
    """
    told = re.compile(rf"^Echoing back request made to {re.escape(path)} to client \((\S+)\)$", re.M)
    for _attempt in range(_ATTEMPTS):
        clients = told.findall(cluster.logs(pod))
        if clients:
            return str(clients[-1]).rpartition(":")[0]
        time.sleep(_PAUSE)
    raise ReportError(f"the log of the pod {pod} tells of no request for {path}", remedy=f"kubectl logs {pod}")
