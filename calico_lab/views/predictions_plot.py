"""Where requests went, and where they were expected to go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.predictions import Predictions
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class PredictionsPlot(Plot):
    """A row for each request, a column for each answer: a dot where it went, a ring where it was expected."""

    predictions: Predictions

    def __repr__(self) -> str:
        return repr(self.predictions)

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its requests need, in inches."""
        return 1.5 + 0.36 * len(self.predictions.expected)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the grid; dots of requests that went elsewhere have the colour of a fault."""
        axes = figure.subplots()
        expected, answered = self.predictions.expected, self.predictions.answered
        columns = sorted({*expected.values(), *answered.values()}, key=lambda name: (name.isdigit(), name))
        rows = list(expected)
        for row, request in enumerate(rows):
            met = expected[request] == answered[request]
            axes.axhline(row, color=theme.grid, lw=1, zorder=1)
            axes.scatter(columns.index(answered[request]), row, s=90, color=theme.good if met else theme.bad, zorder=3)
            axes.scatter(
                columns.index(expected[request]), row, s=260, facecolors="none", edgecolors=theme.ink, lw=1.6, zorder=2,
            )  # fmt: skip
        axes.set_yticks(range(len(rows)), rows, fontsize=style.SMALL, family="monospace")
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xticks(range(len(columns)), columns, fontsize=style.BODY)
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.xaxis.tick_top()
        axes.set_xlabel("dot: who answered, ring: as expected", fontsize=style.SMALL)
        axes.set_title(repr(self.predictions).splitlines()[0], pad=14)
