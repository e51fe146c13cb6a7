"""Which key went to which pod, before and after the set of pods changed: what consistent hashing is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.hashing import Moves
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class KeysPlot(Plot):
    """A row for each of the first ``rows`` keys, a column for each pod: a ring where it was, a disc where it is now.

    The title counts all keys. How many move depends on the pods' addresses, so the text is that of ``moves``, which is
    the same in every run. Pods are numbered in the order of their names.
    """

    moves: Moves
    rows: int = 24

    def __repr__(self) -> str:
        return repr(self.moves)

    @property
    def pods(self) -> list[str]:
        """All pods, in the order of their names."""
        return sorted({*self.moves.before.pods.values(), *self.moves.after.pods.values()})

    @property
    def keys(self) -> list[str]:
        """The keys that are drawn."""
        return list(self.moves.before.pods)[: self.rows]

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its keys need, in inches."""
        return 1.75 + 0.22 * len(self.keys)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the grid."""
        axes, keys = figure.subplots(), self.keys
        before, after = self.moves.before.pods, self.moves.after.pods
        columns = {pod: number for number, pod in enumerate(self.pods)}
        for pod in self.moves.gone:
            axes.axvspan(columns[pod] - 0.45, columns[pod] + 0.45, color=theme.grid, alpha=0.6, lw=0)
        self._draw_keys(axes, [columns[before[key]] for key in keys], [columns[after[key]] for key in keys], theme)
        axes.set_xticks(range(len(columns)), [self._name(pod, number) for pod, number in columns.items()])
        axes.xaxis.tick_top()
        axes.set_yticks(range(len(keys)), keys, fontsize=style.SMALL)
        axes.set_xlim(-0.6, len(columns) - 0.4)
        axes.set_ylim(len(keys) - 0.4, -0.6)
        axes.spines[["top", "bottom"]].set_visible(False)
        shown = f"the first {len(keys)} of {len(before)} keys" if len(keys) < len(before) else f"{len(keys)} keys"
        axes.set_xlabel(
            f"{shown}. Disc: its pod now. Ring: its pod before, where that was another", fontsize=style.SMALL
        )
        axes.set_title(self._finding(), pad=12)

    def _name(self, pod: str, number: int) -> str:
        if pod in self.moves.gone:
            return f"pod {number + 1} (gone)"
        return f"pod {number + 1}" + ("" if pod in self.moves.before.pods.values() else " (new)")

    def _draw_keys(self, axes: Axes, old: list[int], new: list[int], theme: Theme) -> None:
        rows = range(len(new))
        axes.hlines(rows, -0.6, len(self.pods) - 0.4, color=theme.grid, lw=1, zorder=0)
        axes.scatter(new, rows, s=80, c=[style.color(pod) for pod in new], zorder=3)
        moved = [row for row in rows if old[row] != new[row]]
        rings = [style.color(old[row]) for row in moved]
        axes.scatter(
            [old[row] for row in moved], moved, s=80, c=theme.paper, edgecolors=rings, linewidths=2.0, zorder=3
        )
        for row in moved:
            axes.annotate(
                "", (new[row], row), xytext=(old[row], row), zorder=2,
                arrowprops={"arrowstyle": "-|>", "color": theme.ink, "lw": 1.4, "shrinkA": 7, "shrinkB": 7},
            )  # fmt: skip

    def _finding(self) -> str:
        with_pod, needless = len(self.moves.moved) - len(self.moves.needless), len(self.moves.needless)
        if not self.moves.moved:
            return "No key moved"
        if not self.moves.gone:
            return f"{needless} of {len(self.moves.before.pods)} keys moved"
        return f"{with_pod} keys moved with their pod, and {needless or 'no'} other{'' if needless == 1 else 's'}"
