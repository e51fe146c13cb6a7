"""Requests under a rate limit: how many had passed by when, beside what the limit had come to."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.limits import Limited
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class LimitPlot(Plot):
    """Answers of pods along the time, summed up, under the line of the limit; the others are the area above them."""

    limited: Limited

    def __repr__(self) -> str:
        return repr(self.limited)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the two sums and the line."""
        from matplotlib.ticker import MaxNLocator

        axes, found = figure.subplots(), self.limited
        answers = found.answers.sort_values("answered")
        times = answers["answered"] - found.answers["offset"].min()
        passed = (answers["status"] == http.client.OK).cumsum()
        answered = range(1, len(answers) + 1)
        axes.fill_between(
            times, passed, answered, step="post", color=theme.uneven, alpha=0.35, lw=0, hatch="//",
            edgecolor=theme.paper, label=f"429: {found.refused}", zorder=1,
        )  # fmt: skip
        axes.step(times, passed, where="post", color=theme.even, lw=2.8, label=f"passed: {found.passed}", zorder=3)
        self._draw_limit(axes, times, theme)
        axes.set_title(f"{len(answers)} requests, {found.passed} passed", pad=32)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3)
        axes.set_xlabel("seconds since the first request")
        axes.set_ylabel("answers so far")
        axes.set_ylim(0, len(answers) * 1.05)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y", zorder=0)

    def _draw_limit(self, axes: Axes, times: pd.Series[float], theme: Theme) -> None:
        limit, end = self.limited.limit, float(times.max())
        axes.plot(
            [0, end], [limit.most(0), limit.most(end)], color=theme.ink, lw=1.6, ls=(0, (5, 3)), zorder=4,
            label=f"at the most: {limit}", path_effects=style.halo(theme),
        )  # fmt: skip
