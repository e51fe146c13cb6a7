"""A deployment's pods are replaced under load: each request and its time above, old and new pods below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.rollout import OK, Rollout
from calico_lab.tools.hey import OFFSET, SECONDS, STATUS
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class RolloutPlot(Plot):
    """A dot for each request at the time at which it was sent, a cross where it was lost; below the ready pods."""

    rollout: Rollout
    height = 5.0

    def __repr__(self) -> str:
        return repr(self.rollout)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw both, on one axis of time."""
        requests, pods = figure.subplots(2, sharex=True, height_ratios=[3, 2])
        self._draw_requests(requests, theme)
        self._draw_pods(pods, theme)
        pods.set_xlabel("seconds since the first request")
        pods.set_xlim(0, None)

    def _draw_requests(self, axes: Axes, theme: Theme) -> None:
        answers = self.rollout.answers
        well = answers[answers[STATUS] == OK]
        badly = answers[answers[STATUS] != OK]
        axes.scatter(well[OFFSET], well[SECONDS] * 1000, s=16, color=theme.even, lw=0, label="answered with 200")
        if len(badly):
            axes.scatter(
                badly[OFFSET],
                badly[SECONDS] * 1000,
                s=46,
                color=theme.uneven,
                marker="x",
                label="answered with an error",
            )
        axes.set_ylim(0, None)
        axes.set_ylabel("milliseconds")
        axes.grid(axis="y")
        axes.set_title(self._finding(), pad=30)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, markerscale=1.6)

    def _draw_pods(self, axes: Axes, theme: Theme) -> None:
        seconds = [seen.seconds for seen in self.rollout.pods]
        for name, counts, color, hatch in (
            ("old pods", [seen.old for seen in self.rollout.pods], style.ORANGE, "//"),
            ("new pods", [seen.new for seen in self.rollout.pods], style.GREEN, ""),
        ):
            axes.fill_between(
                seconds, counts, step="post", facecolor=color, edgecolor=theme.paper, hatch=hatch, lw=0, alpha=0.55,
                label=name,
            )  # fmt: skip
            axes.step(seconds, counts, where="post", color=color, lw=2)
        most = max(max(seen.old, seen.new) for seen in self.rollout.pods)
        axes.set_yticks(range(most + 1))
        axes.set_ylim(0, most + 0.3)
        axes.set_ylabel("ready")
        axes.grid(axis="y")
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2)

    def _finding(self) -> str:
        rollout = self.rollout
        if not rollout.is_done:
            return "The pods were not all replaced"
        if not rollout.lost:
            return f"All pods replaced, and none of {rollout.sent} requests lost"
        return f"All pods replaced, and {rollout.lost} of {rollout.sent} requests lost"
