"""A lab as a script wants to know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from calico_lab.local.topology import HOSTS


@dataclass(frozen=True)
class Status:
    """What there is to know about a lab; ``running`` only if its API and its bastion answer."""

    name: str
    running: bool
    problem: str = ""
    pid: int | None = None
    api_port: int | None = None
    ssh_port: int | None = None
    kubeconfig: str | None = None
    ssh_config: str | None = None
    uptime_seconds: float | None = None
    hosts: dict[str, str] = field(default_factory=lambda: {host.name: str(host.address) for host in HOSTS})
    cut_off: list[str] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)
