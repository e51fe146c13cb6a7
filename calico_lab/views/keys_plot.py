"""Which key went to which pod, before and after the set of pods changed: what consistent hashing is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class KeysPlot(Plot):
    """A row for each key, a column for each pod: a ring where the key went before, a disc where it goes now.

    ``before`` and ``after`` map the same keys to the names of pods, such as ``pod 1``. How many keys move depends on
    the pods' addresses, so the text has no counts unless ``same_counts`` says that they are the same in every run.
    """

    before: Mapping[str, str]
    after: Mapping[str, str]
    same_counts: bool = False

    def __post_init__(self) -> None:
        if not self.before or set(self.before) != set(self.after):
            raise ValueError("the keys before and after must be the same, and at least one")

    @property
    def pods(self) -> list[str]:
        """All pods, by name; numbers in names count as numbers."""
        return sorted({*self.before.values(), *self.after.values()}, key=_by_number)

    @property
    def gone(self) -> list[str]:
        """The pods that had keys before and have none now."""
        return [pod for pod in self.pods if pod not in self.after.values()]

    @property
    def moved(self) -> list[str]:
        """The keys that went to another pod than before."""
        return [key for key in self.before if self.before[key] != self.after[key]]

    @property
    def moved_needlessly(self) -> list[str]:
        """The keys that moved although their pod is still there."""
        return [key for key in self.moved if self.before[key] not in self.gone]

    def __repr__(self) -> str:
        head = f"{len(self.before)} keys; "
        gone = f"{' and '.join(self.gone)} left; " if self.gone else ""
        return f"{head}{gone}{self._verdict(with_counts=self.same_counts)}"

    def _verdict(self, *, with_counts: bool) -> str:
        if not self.moved:
            return "no key moved"
        number = f"{len(self.moved)} " if with_counts else ""
        if not self.moved_needlessly:
            return f"the {number}keys of {' and '.join(self.gone)} moved, no other did"
        others = f"{len(self.moved_needlessly)} " if with_counts else ""
        return f"{others}keys moved although their pod is still there"

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its keys need, in inches."""
        return 1.55 + 0.3 * len(self.before)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the grid."""
        axes = figure.subplots()
        columns = {pod: number for number, pod in enumerate(self.pods)}
        for pod in self.gone:
            axes.axvspan(columns[pod] - 0.45, columns[pod] + 0.45, color=theme.grid, alpha=0.6, lw=0)
        for row, key in enumerate(self.before):
            self._draw_key(axes, row, columns[self.before[key]], columns[self.after[key]], theme)
        names = [f"{pod} (left)" if pod in self.gone else pod for pod in columns]
        axes.set_xticks(range(len(columns)), names)
        axes.xaxis.tick_top()
        axes.set_yticks(range(len(self.before)), list(self.before), fontsize=style.SMALL)
        axes.set_xlim(-0.6, len(columns) - 0.4)
        axes.set_ylim(len(self.before) - 0.4, -0.6)
        axes.spines["bottom"].set_visible(False)
        finding = self._verdict(with_counts=True)
        axes.set_title(finding[0].upper() + finding[1:], pad=12)

    def _draw_key(self, axes: Axes, row: int, old: int, new: int, theme: Theme) -> None:
        axes.axhline(row, color=theme.grid, lw=1, zorder=0)
        color = style.color(new)
        axes.scatter(new, row, s=130, color=color, zorder=3)
        if old != new:
            axes.scatter(old, row, s=130, facecolor=theme.paper, edgecolor=style.color(old), lw=2.2, zorder=3)
            axes.annotate(
                "", (new, row), xytext=(old, row), zorder=2,
                arrowprops={"arrowstyle": "-|>", "color": theme.ink, "lw": 1.6, "shrinkA": 8, "shrinkB": 8},
            )  # fmt: skip


def _by_number(name: str) -> tuple[str, int, str]:
    text, _, number = name.rpartition(" ")
    return (text, int(number), "") if number.isdigit() else (name, 0, number)
