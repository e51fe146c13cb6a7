"""What a talk needs at hand: a second version of the backend, one question and its answer in a line, and waits."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import TYPE_CHECKING

from calico_lab.errors import CommandError, NotFound, ReportError
from calico_lab.lessons import counts, waits
from calico_lab.lessons.steps import manifest
from calico_lab.tools import echo

if TYPE_CHECKING:
    from calico_lab.cluster import Awaited
    from calico_lab.lab import Lab

VERSIONS = {"v1": counts.BACKEND, "v2": "app=backend-v2"}


def second_version(lab: Lab) -> Awaited:
    """Start version 2 of the backend, two pods behind the Service ``backend-v2``, beside the guide's, and wait."""
    lab.cluster.apply(manifest("slides/backend-v2"))
    return waits.rolled_out(lab.cluster, "backend-v2")


def ask(
    lab: Lab, address: str, path: str = "/round", *, name: str = "www.example.com",
    headers: dict[str, str] | None = None,
) -> str:  # fmt: skip
    """Send one request for the host ``name``; return its status and which version answered: ``200 from v1``."""
    answer = echo.ask(lab.bastion, address, path=path, name=name, headers=headers)
    return f"{answer.status} from {version_of(answer.pod)}"


def version_of(pod: str) -> str:
    """Return the version of the backend that a pod runs, by its name; ``nobody`` for no pod."""
    return ("v2" if pod.startswith("backend-v2-") else "v1") if pod else "nobody"


def by_version(lab: Lab, send: Callable[[], object]) -> dict[str, int]:
    """Count the requests that each version answers while ``send`` runs."""

    def so_far() -> dict[str, int]:
        return {name: int(counts.settled(lab.cluster, labels)["requests"].sum()) for name, labels in VERSIONS.items()}

    before = so_far()
    send()
    return {name: number - before[name] for name, number in so_far().items()}


def in_force(lab: Lab, kind: str, name: str, words: str = "") -> Awaited:
    """Wait until Envoy works by what an object asks for: until what it made in Envoy is told with these words."""

    def is_so() -> bool:
        try:
            made = lab.envoy(kind, name).made
        except (NotFound, ReportError):
            return False
        return bool(made.pieces) and words in str(made)

    description = f"{kind} {name} is in force" + (f": {words}" if words else "")
    return waits.until(is_so, description, remedy=f"calico-lab envoy {kind} {name}")


def answers_at(lab: Lab, address: str, port: int, *, tls: bool = False) -> Awaited:
    """Wait until a request over HTTP, or HTTPS, to a port of a Gateway is answered with a status."""
    target = f"{'https' if tls else 'http'}://{address}:{port}/"
    # A second for each try: the kernel itself would wait longer and longer for a port that is not open yet.
    look = f'hey -n 1 -c 1 -t 1 -host "www.example.com" {target}'
    return waits.until(
        lambda: "responses" in lab.bastion.run(look, check=False).output, f"port {port} is answered",
        remedy="kubectl describe gateways",
    )  # fmt: skip


def served(lab: Lab, address: str, name: str, *, who: str) -> Awaited:
    """Wait until a host is answered with 200 at an address; ``who`` is named as the one that serves it."""
    return _answered(lab, address, name, http.client.OK, f"{who} one serves {name}")


def gone(lab: Lab, address: str, name: str) -> Awaited:
    """Wait until a host is no longer known at an address: until it is answered with 404."""
    return _answered(lab, address, name, http.client.NOT_FOUND, f"404, {name} is not known any more")


def _answered(lab: Lab, address: str, name: str, status: int, description: str) -> Awaited:
    def is_so() -> bool:
        try:
            return echo.ask(lab.bastion, address, path="/", name=name).status == status
        except (CommandError, ReportError):
            return False

    return waits.until(is_so, description, remedy="kubectl get gateways,httproutes,ingresses")


def tries(lab: Lab, path: str) -> int:
    """Return how many times the backend's pods have been asked for a path, its query with it."""
    counted = counts.settled(lab.cluster, line=f"{counts.REQUEST_LINE}{path} ")
    return int(counted["requests"].sum())
