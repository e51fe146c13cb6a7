"""Which pod each request reaches, by the connection that it comes over.

curl sends several requests over one connection when one call names them all; each call opens a connection of its own.
The answers of the echo server, and those of the lessons' greeter, tell which pod gave them.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.errors import PrerequisiteError, ReportError
from calico_lab.lessons import waits
from calico_lab.lessons.counts import BACKEND

if TYPE_CHECKING:
    from calico_lab.cluster import Awaited
    from calico_lab.lab import Lab

_SECONDS, _RUN_SECONDS = 10, 60.0
_ECHO_POD = re.compile(r'"pod": "([^"]+)"')
_GREETING = re.compile(r"^hello from (\S+)$", re.MULTILINE)


@dataclass(frozen=True, repr=False)
class Connections:
    """The pods, numbered from 1 to ``pods``, that requests reached; each connection carried ``requests_each``."""

    sequence: tuple[int, ...]
    requests_each: int
    pods: int

    @property
    def each(self) -> list[tuple[int, ...]]:
        """The pods that the requests of each connection reached."""
        size = self.requests_each
        return [self.sequence[start : start + size] for start in range(0, len(self.sequence), size)]

    @property
    def one_pod_each(self) -> bool:
        """Whether all requests of a connection reached the same pod, for every connection."""
        return all(len(set(reached)) == 1 for reached in self.each)

    @property
    def requests_in_turn(self) -> bool:
        """Whether one request after the other reached the next pod, across connections too."""
        return in_turn(self.sequence, self.pods)

    @property
    def connections_in_turn(self) -> bool:
        """Whether each connection stayed at one pod, and one connection after the other was given the next."""
        return self.one_pod_each and in_turn([reached[0] for reached in self.each], self.pods)

    def __repr__(self) -> str:
        number = len(self.each)
        connections = "one connection" if number == 1 else f"{number} connections"
        carried = f"{len(self.sequence)} requests over " if self.requests_each > 1 else ""
        return f"{carried}{connections}: {self._finding()}"

    def _finding(self) -> str:
        if self.requests_in_turn:
            return f"the {self.pods} pods in turn"
        if len(self.each) == 1:
            return "all at one pod" if self.one_pod_each else "several pods, not in turn"
        if self.connections_in_turn:
            return f"each stays at its pod, the {self.pods} pods in turn"
        return "each stays at its pod, not in turn" if self.one_pod_each else "not in turn"


def in_turn(sequence: list[int] | tuple[int, ...], pods: int) -> bool:
    """Whether pods follow each other always in the same order; what is shorter than a round, none of them twice."""
    first = sequence[:pods]
    return len(sequence) > 1 and len(set(first)) == len(first) and all(
        later == earlier for earlier, later in zip(sequence, sequence[pods:], strict=False)
    )  # fmt: skip


def send(
    lab: Lab, url: str, *, connections: int = 1, requests_each: int = 1, host: str = "www.example.com",
    labels: str = BACKEND,
) -> Connections:  # fmt: skip
    """Send requests from the bastion, one after the other, over one connection after the other.

    Raises ``PrerequisiteError`` when the bastion has no curl, ``ReportError`` when a request is not answered by a pod
    with these labels.
    """
    curl = shlex.join(["curl", "-s", "--max-time", str(_SECONDS), "-H", f"Host: {host}", f"{url}?[1-{requests_each}]"])
    command = f"command -v curl > /dev/null || exit 127; for n in $(seq {connections}); do {curl} || exit 1; done"
    done = lab.bastion.run(command, check=False, time_limit=_RUN_SECONDS)
    if done.exit_code == 127:
        raise PrerequisiteError("the bastion has no curl", remedy="sudo apt install -y curl   (on the bastion)")
    names = _ECHO_POD.findall(done.output)
    return _numbered(lab, names, connections * requests_each, requests_each, labels, f"curl -v {url}")


def greeted(lab: Lab, address: str, port: int, connections: int, labels: str = "app=greeter") -> Connections:
    """Connect as often as asked, say nothing, and read which pod greets.

    With nothing but bash, which every bastion has. Raises ``ReportError`` when a connection is not greeted.
    """
    read = f"timeout {_SECONDS} bash -c 'head -n 1 < /dev/tcp/{address}/{port}'"
    command = f"for n in $(seq {connections}); do {read} || exit 1; done"  # one that waits in vain is enough
    done = lab.bastion.run(command, check=False, time_limit=_RUN_SECONDS)
    names = _GREETING.findall(done.output)
    return _numbered(lab, names, connections, 1, labels, f"head -n 1 < /dev/tcp/{address}/{port}")


def _numbered(lab: Lab, names: list[str], wanted: int, each: int, labels: str, look: str) -> Connections:
    pods = sorted(pod["metadata"]["name"] for pod in lab.cluster.list("Pod", labels=labels))
    if len(names) != wanted or not set(names) <= set(pods):
        raise ReportError(f"{wanted} answers of pods with {labels} were expected, {len(names)} came", remedy=look)
    return Connections(tuple(pods.index(name) + 1 for name in names), each, len(pods))


def are_greeted(lab: Lab, address: str, port: int) -> Awaited:
    """Wait until whoever connects to a port is greeted."""

    def is_so() -> bool:
        try:
            return bool(greeted(lab, address, port, 1))
        except ReportError:
            return False

    return waits.until(
        is_so, f"whoever connects to port {port} is greeted", remedy="kubectl describe tcproutes",
    )  # fmt: skip
