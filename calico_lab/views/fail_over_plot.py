"""Who answered requests along the time while one of two sites failed and was mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calico_lab.lessons.fail_over import NOBODY, SITES, FailOver
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BIN_SECONDS = 0.1


@dataclass(frozen=True, repr=False)
class FailOverPlot(Plot):
    """Bars of the answers in each tenth of a second, by site, and a band in which the first one failed."""

    seen: FailOver

    def __repr__(self) -> str:
        return repr(self.seen)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the bars, those of requests that nobody served on top, and the band."""
        axes = figure.subplots()
        answers, seen = self.seen.answers, self.seen
        end = max(float(answers["second"].max()), seen.mended, BIN_SECONDS)
        edges = [BIN_SECONDS * number for number in range(int(end / BIN_SECONDS) + 2)]
        axes.axvspan(seen.failing, seen.mended, color=theme.band, alpha=0.4, lw=0, zorder=1, label="the site fails")
        names = (*SITES, NOBODY)
        drawn: Any
        _, _, drawn = axes.hist(
            [answers["second"][answers["site"] == name] for name in names], bins=edges, stacked=True, rwidth=0.9,
            zorder=2, color=[theme.even, style.ORANGE, theme.uneven],
            label=[f"{name}: {seen.count(name)}" for name in SITES] + [f"not served: {seen.count(NOBODY)}"],
        )  # fmt: skip
        # Hatches beside the colours, so that they are told apart without them.
        for bars, hatch in zip(drawn, ("", "..", "//"), strict=True):
            for bar in bars:
                bar.set(hatch=hatch, edgecolor=theme.paper, linewidth=0)
        axes.set_title(f"{len(answers)} requests, {seen.count(NOBODY) or 'none'} lost", pad=32)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=4, columnspacing=1.2)
        axes.set_xlabel("seconds since the load began")
        axes.set_ylabel("answers in 0.1 s")
        axes.set_xlim(0, edges[-1])
        axes.margins(y=0.14)
        axes.grid(axis="y", zorder=0)
