"""Which pod answered each client, request by request: what it is to keep a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.clients import Visits
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GAP = 0.8  # between two phases, in squares


@dataclass(frozen=True, repr=False)
class SessionsPlot(Plot):
    """A row for each client, a square for each of its requests with the number of the pod that answered.

    ``phases`` are visits of the same clients, by what was done before them. Pods are numbered as they appear.
    """

    phases: Mapping[str, Visits]

    def __post_init__(self) -> None:
        if not self.phases or len({len(visits.by_client) for visits in self.phases.values()}) != 1:
            raise ValueError("the phases are visits of the same clients, and there is one at least")

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {visits!r}" for name, visits in self.phases.items())

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its clients need, in inches."""
        return 1.5 + 0.27 * len(next(iter(self.phases.values())).by_client)

    @property
    def pods(self) -> dict[str, int]:
        """The number of each pod, from 1: in the order in which they appear."""
        rows = (pods for visits in self.phases.values() for pods in visits.by_client)
        names = dict.fromkeys(pod for row in rows for pod in row)
        return {name: number for number, name in enumerate(names, 1)}

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the phases side by side."""
        axes, left = figure.subplots(), 0.0
        for name, visits in self.phases.items():
            width = len(visits.by_client[0])
            self._draw_phase(axes, left, visits)
            axes.text(left + width / 2, -0.35, name, ha="center", va="bottom", fontsize=style.BODY, color=theme.ink)
            left += width + _GAP
        rows = len(visits.by_client)
        axes.set_xlim(0, left - _GAP)
        axes.set_ylim(rows, -0.5)
        axes.set_xticks([])
        axes.set_yticks([row + 0.5 for row in range(rows)], [f"client {row + 1}" for row in range(rows)])
        axes.spines["bottom"].set_visible(False)
        axes.set_xlabel("a square for each request, with the number of the pod that answered it")
        axes.set_title(self._finding(), pad=30)

    def _draw_phase(self, axes: Axes, left: float, visits: Visits) -> None:
        numbers = self.pods
        for row, pods in enumerate(visits.by_client):
            for place, pod in enumerate(pods):
                color = style.color(numbers[pod] - 1)
                axes.barh(row + 0.5, 0.9, left=left + place + 0.05, height=0.86, color=color)
                axes.text(
                    left + place + 0.5, row + 0.52, str(numbers[pod]), ha="center", va="center",
                    fontsize=style.SMALL, color=style.ink_on(color),
                )  # fmt: skip

    def _finding(self) -> str:
        *before, last = self.phases.values()
        clients = len(last.by_client)
        if not before:
            return f"{last.kept} of {clients} clients met one pod alone"
        moved = len(last.moved_since(before[-1]))
        return f"{clients - moved} of {clients} clients are still with their pod, {moved} have another"
