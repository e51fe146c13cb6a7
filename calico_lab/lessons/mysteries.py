"""Faults to be found: each breaks one thing in the lab as it stands after the step ``route``, and does not say what.

They are what learners and operators really do: a label, a host, a port. Whoever reads on here knows too
much; ``lab.check()`` is how to find out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from calico_lab.errors import StepError
from calico_lab.lab import Lab
from calico_lab.lessons import waits
from calico_lab.lessons.steps import manifest


@dataclass(frozen=True, repr=False)
class Mystery:
    """Something is broken now; ``number`` says which fault it is."""

    number: int

    def __repr__(self) -> str:
        return f"Mystery {self.number}: something is broken now. Find it, and mend it."


def hide(lab: Lab, number: int) -> Mystery:
    """Break something, and wait until it shows. Raises ``StepError`` when there is no mystery of this number."""
    if number not in _MYSTERIES:
        raise StepError(f"there is no mystery {number}", remedy=f"one of {', '.join(map(str, _MYSTERIES))}")
    _MYSTERIES[number](lab)
    waits.until(
        lambda: bool(lab.check().complaints.all), "it shows", remedy="lab.check()", poll_seconds=0.05, shown=False
    )
    return Mystery(number)


def _another_selector(lab: Lab) -> None:
    backend = manifest("backend")
    lab.cluster.apply(backend.replace("  selector:\n    app: backend\n", "  selector:\n    app: back-end\n", 1))


def _another_host(lab: Lab) -> None:
    lab.cluster.apply(manifest("route").replace('"www.example.com"', '"www.example.org"'))


def _another_port(lab: Lab) -> None:
    lab.cluster.apply(manifest("gateway").replace("port: 80", "port: 8080"))


_MYSTERIES: dict[int, Callable[[Lab], None]] = {1: _another_selector, 2: _another_host, 3: _another_port}
