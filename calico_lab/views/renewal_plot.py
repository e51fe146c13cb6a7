"""A certificate that is renewed under load: which one each handshake was shown, and what became of the requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.renewal import Renewal
from calico_lab.views import style
from calico_lab.views.disturbance_plot import DisturbancePlot
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class RenewalPlot(Plot):
    """Above, a dot for each handshake that was looked at, in the row of its certificate; below, the requests."""

    renewal: Renewal
    what: str = "the Secret is changed"
    height = 4.8

    def __repr__(self) -> str:
        return repr(self.renewal)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw both along the same time."""
        found = self.renewal.disturbance
        above, below = figure.subplots(2, sharex=True, height_ratios=(1, 2.2))
        DisturbancePlot(found, self.what).draw_on(below, theme)
        self._draw_handshakes(above, theme)
        above.axvspan(found.begun, found.ended, color=theme.band, alpha=0.4, lw=0, zorder=1)
        lost = found.sent - found.served
        above.set_title(f"{found.sent} requests, {lost or 'none'} lost; {self._finding()}", pad=12)
        figure.legend(*below.get_legend_handles_labels(), loc="outside lower left", ncols=3)

    def _finding(self) -> str:
        changes = len(self.renewal.serials) - 1
        return {0: "the certificate stays", 1: "one change of the certificate"}.get(changes, f"{changes} changes")

    def _draw_handshakes(self, axes: Axes, theme: Theme) -> None:
        rows = sorted(set(self.renewal.serials), key=lambda serial: serial or 0)
        for row, serial in enumerate(rows):
            axes.axhline(row, color=theme.grid, lw=1, zorder=0)
            color = theme.uneven if serial is None else style.color(row)
            seconds = [at for at, shown in self.renewal.handshakes if shown == serial]
            axes.scatter(seconds, [row] * len(seconds), s=60, color=color, edgecolor=theme.paper, lw=0.8, zorder=3)
        names = ["none" if serial is None else f"serial {serial}" for serial in rows]
        axes.set_yticks(range(len(rows)), names, fontsize=style.SMALL)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.spines["bottom"].set_visible(False)
        axes.set_ylabel("shown", fontsize=style.SMALL)
