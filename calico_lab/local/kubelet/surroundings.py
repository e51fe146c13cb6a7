"""What a pod gives its containers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from calico_lab.local.kubelet.container_probes import Say
from calico_lab.local.kubelet.environment import PodFacts
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.start.programs import Programs


@dataclass(frozen=True)
class Surroundings:
    """``changed`` is to be called when a container's state has changed, ``told`` waits until the API knows of it.

    ``say(type, reason, message)`` records an event about the pod.
    """

    facts: PodFacts
    inside: Namespaces
    node: Namespaces
    programs: Programs
    logs: Path
    changed: Callable[[], None]
    told: Callable[[], Awaitable[None]]
    say: Say
