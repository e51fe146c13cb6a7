"""Requests for each pod, as bars, against what round robin would do."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.evenness import Evenness

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# From the palette of Okabe and Ito, whose colours stay apart for every kind of colour vision.
EVEN, UNEVEN, BAND, INK = "#0072B2", "#D55E00", "#56B4E9", "#333333"
INCHES = (8.0, 3.8)
SHOWN_PER_INCH, PIXELS_PER_INCH = 96, 192


@dataclass(frozen=True, repr=False)
class RequestsPlot:
    """A bar for each pod, a line at the even share, and the band in which round robin stays."""

    evenness: Evenness

    def __repr__(self) -> str:
        counts = " ".join(str(count) for count in self.evenness.counts)
        comparison = "<=" if self.evenness.spread <= self.evenness.rotors else ">"
        return (
            f"{self.evenness.requests} requests over {len(self.evenness.counts)} pods: {counts}; "
            f"spread {self.evenness.spread} {comparison} bound {self.evenness.rotors}"
        )

    def png(self) -> bytes:
        """Draw the picture."""
        # Without pyplot: no state that outlives the picture, and half of its time to import.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=INCHES, dpi=PIXELS_PER_INCH, facecolor="white", layout="constrained")
        FigureCanvasAgg(figure)
        self._draw(figure.subplots())
        picture = io.BytesIO()
        figure.savefig(picture, format="png")
        return picture.getvalue()

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        return self.png(), {"width": int(INCHES[0] * SHOWN_PER_INCH), "height": int(INCHES[1] * SHOWN_PER_INCH)}

    def _draw(self, axes: Axes) -> None:
        counts, rotors = self.evenness.counts, self.evenness.rotors
        share = self.evenness.requests / len(counts)
        positions = range(1, len(counts) + 1)
        axes.axhspan(
            max(0.0, share - rotors), share + rotors, color=BAND, alpha=0.35, lw=0, zorder=1,
            label=f"round robin's bound: ±{rotors}",
        )  # fmt: skip
        axes.axhline(share, color=INK, lw=1.4, ls=(0, (5, 3)), zorder=3, label=f"even share: {share:g}")
        bars = axes.bar(positions, counts, width=0.62, color=EVEN if self.evenness.is_even else UNEVEN, zorder=2)
        axes.bar_label(bars, padding=5, fontsize=13, fontweight="bold", color=INK)
        axes.set_title(self._finding(), loc="left", fontsize=14, fontweight="bold", color=INK, pad=30)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, frameon=False, fontsize=10.5)
        axes.set_ylabel("requests", fontsize=11.5, color=INK)
        axes.set_xticks(positions, [f"pod {position}" for position in positions], fontsize=12)
        axes.set_ylim(0, max(*counts, share + rotors) * 1.16 + 0.1)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color("#999999")
        axes.tick_params(colors=INK, length=0)
        axes.grid(axis="y", color="#e4e4e4", zorder=0)
        axes.set_axisbelow(True)

    def _finding(self) -> str:
        counts = self.evenness.counts
        if self.evenness.requests == 0:
            return "No pod got a request"
        if not self.evenness.is_even:
            return f"Uneven: from {min(counts)} to {max(counts)} requests for a pod"
        if self.evenness.spread == 0:
            return f"Even: every pod got exactly {counts[0]} requests"
        return f"Even: every pod got {min(counts)} to {max(counts)} requests"
