"""The spreads of many runs, group by group: what chance does to a balancer, and what load does to least request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.counted import counted
from calico_lab.lessons.evenness import Evenness
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLOSE = 0.2  # how far above each other equal spreads are drawn


@dataclass(frozen=True, repr=False)
class SpreadsPlot(Plot):
    """A dot for each run, in a line for each group, and a mark at the median. The text names the groups alone."""

    groups: Mapping[str, Sequence[Evenness]]

    def __post_init__(self) -> None:
        if not self.groups or not all(self.groups.values()):
            raise ValueError("there is no run to draw")

    def __repr__(self) -> str:
        listed = ", ".join(f"{name} ({counted(len(runs), 'run')})" for name, runs in self.groups.items())
        return f"Spreads of {len(self.groups)} groups: {listed}"

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its groups need, in inches."""
        return 1.4 + 0.95 * len(self.groups)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the groups, one below the other."""
        axes = figure.subplots()
        for row, runs in enumerate(self.groups.values()):
            spreads = sorted(run.spread for run in runs)
            above = [_rank_among_equals(spreads, at) * CLOSE for at in range(len(spreads))]
            axes.scatter(
                spreads, [row + 0.12 - each for each in above], s=95, color=style.color(row), edgecolor=theme.paper,
                linewidth=1, zorder=3,
            )  # fmt: skip
            median = spreads[(len(spreads) - 1) // 2]
            axes.vlines(median, row - 0.36, row + 0.36, color=theme.ink, lw=2, ls=(0, (3, 2)), zorder=2)
            axes.annotate(
                f"median {median}", (median, row + 0.36), xytext=(5, 0), textcoords="offset points", va="bottom",
                fontsize=style.SMALL, color=theme.ink, path_effects=style.halo(theme),
            )  # fmt: skip
        axes.set_yticks(range(len(self.groups)), list(self.groups), fontsize=style.BODY)
        axes.set_ylim(len(self.groups) - 0.4, -0.75)
        axes.set_xlim(-0.6, max(run.spread for runs in self.groups.values() for run in runs) + 2.5)
        axes.grid(axis="x")
        axes.set_xlabel("spread (max - min): a dot for each run")
        axes.set_title("Further to the left is more even")


def _rank_among_equals(spreads: Sequence[int], at: int) -> int:
    return at - spreads.index(spreads[at])
