"""In which order requests reached the pods, as a strip: round robin is a staircase, chance is noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from calico_lab.lessons.rotation import Rotation
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST_LINE = 60
ROW_INCHES, LINE_INCHES, TITLE_INCHES, HIGHEST_INCHES = 0.21, 0.34, 0.75, 9.0


@dataclass(frozen=True, repr=False)
class OrderPlot(Plot):
    """A square for each request: along the line its number, in which row (and colour) the pod that got it.

    Long sequences are folded into lines that hold whole rounds, so that a staircase goes on in the next line.
    """

    rotation: Rotation

    @classmethod
    def of(cls, sequence: Sequence[int], pods: int) -> OrderPlot:
        """Draw any sequence of pods, numbered from 1 to ``pods``; raises ``ValueError`` for other numbers."""
        if not all(1 <= pod <= pods for pod in sequence):
            raise ValueError(f"the pods of a sequence are numbered from 1 to {pods}")
        return cls(Rotation(tuple(sequence), pods))

    def __repr__(self) -> str:
        requests, pods = len(self.rotation.sequence), self.rotation.pods
        verdict = "in turn" if self.rotation.in_turn else "not in turn"
        return f"{requests} requests over {pods} pods, in the order in which they came: {verdict}"

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its lines need, in inches."""
        return TITLE_INCHES + max(1, len(self.lines)) * self._line_inches

    @property
    def _line_inches(self) -> float:
        return self.rotation.pods * ROW_INCHES + LINE_INCHES

    @cached_property
    def lines(self) -> list[tuple[int, tuple[int, ...]]]:
        """The lines to draw: the number of their first request, and their pods."""
        pods, sequence = self.rotation.pods, self.rotation.sequence
        wanted = max(1, -(-len(sequence) // LONGEST_LINE))
        rounds = max(1, -(-len(sequence) // (wanted * pods)))
        length = pods * min(rounds, max(1, LONGEST_LINE // pods))
        folded = [(start + 1, sequence[start : start + length]) for start in range(0, len(sequence), length)]
        return folded[: max(1, int((HIGHEST_INCHES - TITLE_INCHES) / self._line_inches))]

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the lines, one below the other."""
        lines = self.lines or [(1, ())]
        length = max(len(lines[0][1]), 1)
        figure.suptitle(
            self._finding(), x=0.015, ha="left", fontsize=style.TITLE, fontweight="bold", color=theme.ink
        )  # fmt: skip
        for axes, (start, pods) in zip(figure.subplots(len(lines), squeeze=False)[:, 0], lines, strict=True):
            self._draw_line(axes, start, pods, length, theme)
        axes.set_xlabel("request")

    def _draw_line(self, axes: Axes, start: int, pods: tuple[int, ...], length: int, theme: Theme) -> None:
        rows = self.rotation.pods
        for row in range(1, rows + 1):
            axes.axhline(row, color=theme.grid, lw=1.0, zorder=0)
        positions = range(start, start + len(pods))
        axes.bar(
            positions, [0.84] * len(pods), bottom=[pod - 0.42 for pod in pods], width=0.84,
            color=[style.color(pod - 1) for pod in pods],
        )  # fmt: skip
        axes.set_xlim(start - 0.7, start + length - 0.3)
        axes.set_ylim(rows + 0.6, 0.4)
        axes.set_yticks(range(1, rows + 1), [f"pod {row}" for row in range(1, rows + 1)])
        ticks = [start, *(number for number in positions if number % 10 == 0 and number > start + 2)]
        axes.set_xticks(ticks, [str(tick) for tick in ticks], fontsize=style.SMALL)
        axes.spines["bottom"].set_visible(False)

    def _finding(self) -> str:
        requests, pods = len(self.rotation.sequence), self.rotation.pods
        drawn = sum(len(line) for _start, line in self.lines)
        which = f"{requests} requests" if drawn == requests else f"{requests} requests, the first {drawn} drawn"
        if not requests:
            return "No pod got a request"
        return f"{which}: the {pods} pods in turn" if self.rotation.in_turn else f"{which}: not in turn"
