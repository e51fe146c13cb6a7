"""What users got under one policy after the other, and how often the pod that fails was asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.resilience import OK, Outcome
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HATCH = "//"  # beside the colour, so that the two are told apart without it


@dataclass(frozen=True, repr=False)
class OutcomesPlot(Plot):
    """A bar for each of ``outcomes``, by the name of what was tried: requests served, and those that were not."""

    outcomes: Mapping[str, Outcome]

    def __post_init__(self) -> None:
        if not self.outcomes:
            raise ValueError("there is no outcome to draw")

    def __repr__(self) -> str:
        # How many were not served may differ from run to run, so that only what they were answered with is told.
        width = max(map(len, self.outcomes))
        return "\n".join(f"{name:{width}}  {_verdict(outcome)}" for name, outcome in self.outcomes.items())

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its bars need, in inches."""
        return 1.7 + 0.62 * len(self.outcomes)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw bars that lie, with their numbers, and beside them how often the failing pod was asked."""
        axes = figure.subplots()
        outcomes = list(self.outcomes.values())
        rows, served = range(len(outcomes)), [each.served for each in outcomes]
        failed = [each.failed for each in outcomes]
        halo = style.halo(theme)
        for counts, left, color, hatch, label in (
            (served, [0] * len(outcomes), theme.even, "", "served"),
            (failed, served, theme.uneven, HATCH, "not served"),
        ):
            bars = axes.barh(
                rows, counts, left=left, height=0.62, color=color, hatch=hatch, edgecolor=theme.paper, label=label
            )
            labels = [str(count) if count else "" for count in counts]
            axes.bar_label(
                bars, labels, label_type="center", fontweight="bold", fontsize=style.BODY, color=theme.ink,
                path_effects=halo,
            )  # fmt: skip
        most = max(each.sent for each in outcomes)
        for row, outcome in enumerate(outcomes):
            axes.annotate(
                f"{outcome.tries} times", (outcome.sent, row), xytext=(10, 0), textcoords="offset points", va="center",
                fontsize=style.BODY, color=theme.ink,
            )  # fmt: skip
        axes.annotate(
            "failing pod asked", (1, 1.03), xycoords="axes fraction", ha="right", fontsize=style.SMALL,
            color=theme.muted,
        )  # fmt: skip
        axes.set_yticks(rows, list(self.outcomes), fontsize=style.BODY)
        axes.set_ylim(len(outcomes) - 0.5, -0.5)
        axes.set_xlim(0, most * 1.19)
        axes.set_xlabel("requests of users")
        axes.grid(axis="x")
        worst, last = max(failed), failed[-1]
        axes.set_title(f"At worst {worst or 'none'} not served, at last {last or 'none'}", pad=32)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2)


def _verdict(outcome: Outcome) -> str:
    if not outcome.failed:
        return f"{outcome.sent} requests, every one served"
    others = [f"status {status}" for status in sorted(outcome.statuses) if status != OK]
    others += ["no answer"] if len(outcome.answers) < outcome.sent else []
    return f"{outcome.sent} requests, some got {' or '.join(others)}"
