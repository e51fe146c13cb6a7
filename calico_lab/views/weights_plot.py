"""Requests for each version against the weights that a route asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.shares import Shares
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class WeightsPlot(Plot):
    """A bar for each version, a mark where its weight wants it, and the band in which chance may move it."""

    shares: Shares

    def __repr__(self) -> str:
        return repr(self.shares)

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its versions need, in inches."""
        return 1.7 + 0.72 * len(self.shares.weights)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw bars that lie, in percent of all requests."""
        axes = figure.subplots()
        names = list(self.shares.weights)
        for row, name in enumerate(names):
            self._draw_version(axes, row, name, theme)
        axes.set_yticks(range(len(names)), names, fontsize=style.BODY)
        axes.set_ylim(len(names) - 0.45, -0.55)
        axes.set_xlim(0, min(112, 100 * max(self._farthest(name) for name in names) * 1.22 + 4))
        axes.xaxis.set_major_formatter(lambda value, _position: f"{value:g} %" if value <= 100 else "")
        axes.grid(axis="x")
        axes.set_title(self._finding(), pad=32)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2)

    def _farthest(self, name: str) -> float:
        most = max(self.shares.counts[name], self.shares.band(name)[1])
        return max(most / max(1, self.shares.requests), self.shares.wanted(name))

    def _draw_version(self, axes: Axes, row: int, name: str, theme: Theme) -> None:
        requests = max(1, self.shares.requests)
        count, (lowest, highest) = self.shares.counts[name], self.shares.band(name)
        percent = 100 * count / requests
        color = theme.even if self.shares.holds(name) else theme.uneven
        chance = f"band: left in 1 of {1 / self.shares.chance_of_error:,.0f} runs"
        axes.barh(row, percent, height=0.46, color=color, zorder=2)
        axes.barh(
            row, 100 * (highest - lowest) / requests, left=100 * lowest / requests, height=0.8, color=theme.band,
            alpha=0.45, zorder=1, label=None if row else chance,
        )  # fmt: skip
        wanted = 100 * self.shares.wanted(name)
        axes.plot(
            [wanted, wanted], [row - 0.4, row + 0.4], color=theme.ink, lw=2.2, zorder=3,
            label=None if row else "wanted by weight",
        )  # fmt: skip
        end = 100 * max(count, highest) / requests
        axes.annotate(
            f"{count}  ({percent:.1f} %)", (max(end, wanted), row), xytext=(8, 0), textcoords="offset points",
            va="center", fontweight="bold", fontsize=style.BODY, color=theme.ink,
        )  # fmt: skip

    def _finding(self) -> str:
        if self.shares.requests == 0:
            return "No version got a request"
        verdict = "split as the weights want" if self.shares.as_wanted else "not split as the weights want"
        return f"{self.shares.requests} requests, {verdict}"
