"""Which pod each request reached, over one connection or several: what is dealt out, requests or connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.connections import Connections
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_INCHES, REST_INCHES = 0.2, 0.75


@dataclass(frozen=True, repr=False)
class ConnectionsPlot(Plot):
    """A strip for each way, by its name: a square for each request in its pod's row, a band for each connection."""

    ways: Mapping[str, Connections]

    def __post_init__(self) -> None:
        if not self.ways:
            raise ValueError("there is nothing to draw")

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {found}" for name, found in self.ways.items())

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its strips need, in inches."""
        return 0.4 + sum(REST_INCHES + ROW_INCHES * found.pods for found in self.ways.values())

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the strips, one below the other."""
        heights = [found.pods for found in self.ways.values()]
        strips = figure.subplots(len(self.ways), squeeze=False, height_ratios=heights)[:, 0]
        for axes, (name, found) in zip(strips, self.ways.items(), strict=True):
            self._draw_way(axes, found, theme)
            axes.set_title(f"{name}: {str(found).partition(': ')[2]}", fontsize=style.BODY, pad=6)
        strips[-1].set_xlabel("request; a grey band is a connection")

    def _draw_way(self, axes: Axes, found: Connections, theme: Theme) -> None:
        start = 1
        for reached in found.each:
            axes.axvspan(start - 0.46, start + len(reached) - 0.54, color=theme.grid, lw=0, zorder=0)
            start += len(reached)
        axes.bar(
            range(1, start), [0.8] * (start - 1), bottom=[pod - 0.4 for pod in found.sequence], width=0.8, zorder=2,
            color=[style.color(pod - 1) for pod in found.sequence],
        )  # fmt: skip
        axes.set_xlim(0.3, start - 0.3)
        axes.set_ylim(found.pods + 0.7, 0.3)
        axes.set_yticks(range(1, found.pods + 1), [f"pod {pod}" for pod in range(1, found.pods + 1)])
        axes.set_xticks([1, *range(5, start, 5)])
        axes.tick_params(axis="x", labelsize=style.SMALL)
        axes.spines["bottom"].set_visible(False)
