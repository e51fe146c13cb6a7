"""What became of requests while something was done to the lab: served or not, along the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.disturbance import OK, Disturbance
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BIN_SECONDS = 0.1


@dataclass(frozen=True, repr=False)
class DisturbancePlot(Plot):
    """Bars of the answers in each tenth of a second, and a band while something was being done, named ``what``."""

    disturbance: Disturbance
    what: str
    height = 3.4

    def __repr__(self) -> str:
        return repr(self.disturbance)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the bars, those of requests that were not served on top, and the band."""
        axes = figure.subplots()
        self.draw_on(axes, theme)
        lost = self.disturbance.sent - self.disturbance.served
        axes.set_title(f"{self.disturbance.sent} requests, {lost or 'none'} lost", pad=32)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3)

    def draw_on(self, axes: Axes, theme: Theme) -> None:
        """Draw the bars and the band without a title, for a picture that shows more beside them."""
        found, answers = self.disturbance, self.disturbance.answers
        served = answers["status"] == OK
        end = max(float(answers["offset"].max() or 0.0), found.ended, BIN_SECONDS)
        edges = [BIN_SECONDS * number for number in range(int(end / BIN_SECONDS) + 2)]
        axes.axvspan(found.begun, found.ended, color=theme.band, alpha=0.4, lw=0, zorder=1, label=self.what)
        axes.hist(
            [answers["offset"][served], answers["offset"][~served]], bins=edges, stacked=True, rwidth=0.9, zorder=2,
            color=[theme.even, theme.uneven], label=[f"served: {found.served}", f"not served: {len(answers[~served])}"],
        )  # fmt: skip
        axes.set_xlabel("seconds since the load began")
        axes.set_ylabel("answers in 0.1 s")
        axes.set_xlim(0, edges[-1])
        axes.margins(y=0.18)
        axes.grid(axis="y", zorder=0)
