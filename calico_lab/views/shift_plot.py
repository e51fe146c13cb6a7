"""Requests that move from one proxy to another, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.shift import Stage
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A hatch beside the colour, so that the two are told apart without it.
_LOOKS = ((style.ORANGE, "//"), (style.BLUE, ""))


@dataclass(frozen=True, repr=False)
class ShiftPlot(Plot):
    """A bar for each stage: what came by way of the ``old`` proxy, of the ``new`` one, and what was lost."""

    stages: tuple[Stage, ...]
    old: str = "Traefik"
    new: str = "Envoy"

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError("there is no stage to draw")

    def __repr__(self) -> str:
        return "\n".join(
            f"{stage.share:3} % to the new address: {self.old} {stage.by(self.old)}, {self.new} {stage.by(self.new)}, "
            f"lost {stage.lost}"
            for stage in self.stages
        )

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the bars, with their numbers in them."""
        axes = figure.subplots()
        places = range(len(self.stages))
        below = [0] * len(self.stages)
        for proxy, (color, hatch) in zip((self.old, self.new), _LOOKS, strict=True):
            counts = [stage.by(proxy) for stage in self.stages]
            bars = axes.bar(
                places,
                counts,
                bottom=below,
                width=0.66,
                label=f"by {proxy}",
                edgecolor=theme.paper,
                color=color,
                hatch=hatch,
            )
            labels = [str(count) if count else "" for count in counts]
            axes.bar_label(
                bars, labels, label_type="center", fontweight="bold", fontsize=style.BODY, color=theme.ink,
                path_effects=style.halo(theme),
            )  # fmt: skip
            below = [base + count for base, count in zip(below, counts, strict=True)]
        lost = [stage.lost for stage in self.stages]
        if any(lost):
            axes.bar(places, lost, bottom=below, width=0.66, color=theme.uneven, label="lost", edgecolor=theme.paper)
        axes.set_xticks(places, [f"{stage.share} %" for stage in self.stages])
        axes.set_xlabel("requests that clients send to the new address")
        axes.set_ylabel("requests served")
        axes.margins(y=0.04)
        total = sum(len(stage.answers) for stage in self.stages)
        axes.set_title(f"{total} requests on the move, {sum(lost) or 'none'} lost", pad=32)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3)
        axes.grid(axis="y")
