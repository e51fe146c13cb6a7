"""Requests for each pod, as bars, against what round robin would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.evenness import Evenness
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class RequestsPlot(Plot):
    """A bar for each pod, a line at the even share, and the band in which round robin stays."""

    evenness: Evenness

    def __repr__(self) -> str:
        counts = " ".join(str(count) for count in self.evenness.counts)
        comparison = "<=" if self.evenness.spread <= self.evenness.rotors else ">"
        return (
            f"{self.evenness.requests} requests over {len(self.evenness.counts)} pods: {counts}; "
            f"spread {self.evenness.spread} {comparison} bound {self.evenness.rotors}"
        )

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw bars, line and band."""
        axes = figure.subplots()
        draw_counts(axes, self.evenness, theme)
        axes.set_title(self._finding(), pad=32)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2)
        axes.set_ylabel("requests")

    def _finding(self) -> str:
        counts = self.evenness.counts
        if self.evenness.requests == 0:
            return "No pod got a request"
        if not self.evenness.is_even:
            return f"Uneven: from {min(counts)} to {max(counts)} requests for a pod"
        if self.evenness.spread == 0:
            return f"Even: every pod got exactly {counts[0]} requests"
        return f"Even: every pod got {min(counts)} to {max(counts)} requests"


def draw_counts(
    axes: Axes, evenness: Evenness, theme: Theme, *, highest: float = 0.0, number_size: float = style.BODY
) -> None:
    """Draw the bars of one run, with line and band; ``highest`` makes the axis of several runs the same."""
    from matplotlib.ticker import MaxNLocator

    counts, rotors = evenness.counts, evenness.rotors
    share = evenness.requests / len(counts)
    positions = range(1, len(counts) + 1)
    axes.axhspan(
        max(0.0, share - rotors), share + rotors, color=theme.band, alpha=0.35, lw=0, zorder=1,
        label=f"round robin's bound: ±{rotors}",
    )  # fmt: skip
    axes.axhline(share, color=theme.ink, lw=1.4, ls=(0, (5, 3)), zorder=3, label=f"even share: {share:.4g}")
    bars = axes.bar(positions, counts, width=0.62, color=theme.even if evenness.is_even else theme.uneven, zorder=2)
    small = len(counts) > 8
    size = min(number_size, style.SMALL) if small else number_size
    halo = style.halo(theme)  # a number may stand on the line
    axes.bar_label(bars, padding=4, fontsize=size, fontweight="bold", color=theme.ink, path_effects=halo, zorder=4)
    axes.set_xticks(positions, [str(position) if small else f"pod {position}" for position in positions])
    if small:
        axes.set_xlabel("pod")
    axes.set_ylim(0, max(*counts, share + rotors, highest) * 1.16 + 0.1)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", zorder=0)
