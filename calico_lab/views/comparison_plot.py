"""Several runs side by side: what each policy does with the same requests, and how the spread grows with workers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calico_lab.lessons.counted import counted
from calico_lab.lessons.evenness import Evenness
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.requests_plot import draw_counts
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_COLUMNS = 3
MOST_BARS, NARROW = 16, 9.5  # bars beside each other from which on their numbers need to be this small, in points


@dataclass(frozen=True, repr=False)
class ComparisonPlot(Plot):
    """A small picture of the requests per pod for each run, all on one scale.

    The text gives the verdict of each; its counts only for the names in ``same_counts``, of which the caller knows
    that they come out the same in every run.
    """

    runs: Mapping[str, Evenness]
    same_counts: Collection[str] = field(default=())

    def __post_init__(self) -> None:
        if not self.runs:
            raise ValueError("there is no run to draw")

    def __repr__(self) -> str:
        width = max(map(len, self.runs))
        return "\n".join(f"{name:{width}}  {self._verdict(name)}" for name in self.runs)

    def _verdict(self, name: str) -> str:
        run = self.runs[name]
        if run.requests == 0:
            return "not even: no pod got a request"
        bound = f"spread {'within' if run.is_even else 'above'} the bound {run.rotors}"
        counts = f": {' '.join(map(str, run.counts))}" if name in self.same_counts else ""
        return f"{'even' if run.is_even else 'not even'}, {bound}{counts}"

    @property
    def _rows(self) -> int:
        return -(-len(self.runs) // MOST_COLUMNS)

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its rows need, in inches."""
        return 0.35 + 3.3 * self._rows

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the runs, three in a row."""
        columns = min(MOST_COLUMNS, len(self.runs))
        grid = figure.subplots(self._rows, columns, squeeze=False).flat
        highest = max(max(*run.counts, run.requests / len(run.counts) + run.rotors) for run in self.runs.values())
        for axes, (name, run) in zip(grid, self.runs.items(), strict=False):
            size = style.BODY if columns * len(run.counts) <= MOST_BARS else NARROW
            draw_counts(axes, run, theme, highest=highest, number_size=size)
            axes.set_title(name, pad=24)
            comparison = f"{run.spread} {'≤' if run.is_even else '>'} {run.rotors}"
            axes.annotate(
                f"even: spread {comparison}" if run.is_even else f"not even: {comparison}", (0, 1.02),
                xycoords="axes fraction", color=theme.good if run.is_even else theme.bad, in_layout=False,
            )  # fmt: skip
            axes.set_xticks(range(1, len(run.counts) + 1), [str(pod) for pod in range(1, len(run.counts) + 1)])
            axes.set_xlabel("pod")
        for axes in list(grid):
            axes.set_visible(False)
        figure.axes[0].set_ylabel("requests")


@dataclass(frozen=True, repr=False)
class SpreadPlot(Plot):
    """The spread of many runs against the number of Envoy workers, and the bound that it never crosses.

    ``runs`` are judged with ``rotors`` as the number of workers: several runs for each number.
    """

    runs: Iterable[Evenness]

    def __post_init__(self) -> None:
        object.__setattr__(self, "runs", tuple(self.runs))
        if not self.runs:
            raise ValueError("there is no run to draw")

    def by_workers(self) -> dict[int, list[int]]:
        """Return the spreads for each number of workers, in the order of the numbers."""
        found: dict[int, list[int]] = {}
        for run in sorted(self.runs, key=lambda run: run.rotors):
            found.setdefault(run.rotors, []).append(run.spread)
        return found

    def __repr__(self) -> str:
        return "\n".join(self._line(workers, spreads) for workers, spreads in self.by_workers().items())

    @staticmethod
    def _line(workers: int, spreads: list[int]) -> str:
        inside = sum(spread <= workers for spread in spreads)
        verdict = "every" if inside == len(spreads) else f"{inside} with a"
        words = f"{counted(workers, 'worker')}, {counted(len(spreads), 'run')}"
        return f"{words}: {verdict} spread <= {workers}"

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw a circle for each run, as large as many runs came out so, and the bound as a step."""
        axes = figure.subplots()
        spreads = self.by_workers()
        for place, (workers, found) in enumerate(spreads.items()):
            axes.hlines(
                workers, place - 0.4, place + 0.4, color=theme.ink, lw=1.8, ls=(0, (5, 3)),
                label="" if place else "bound: spread <= workers",
            )  # fmt: skip
            axes.fill_between([place - 0.4, place + 0.4], -0.5, workers, color=theme.band, alpha=0.3, lw=0)
            for spread in sorted(set(found)):
                times = found.count(spread)
                color = theme.even if spread <= workers else theme.uneven
                axes.scatter(place, spread, s=330, color=color, zorder=3)
                axes.annotate(
                    str(times), (place, spread), ha="center", va="center", color=style.ink_on(color),
                    fontsize=style.SMALL, fontweight="bold", zorder=4,
                )  # fmt: skip
        names = [counted(workers, "worker") for workers in spreads]
        axes.set_xticks(range(len(spreads)), names)
        axes.set_xlim(-0.6, len(spreads) - 0.4)
        highest = max(max(workers, *found) for workers, found in spreads.items())
        axes.set_ylim(-0.5, highest + 0.7)
        axes.set_yticks(range(highest + 1))
        axes.set_ylabel("spread (max - min)")
        axes.grid(axis="y")
        inside = all(spread <= workers for workers, found in spreads.items() for spread in found)
        finding = "No run is further apart than it has workers" if inside else "Runs cross the bound: not round robin"
        axes.set_title(finding, pad=32)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), title=None)
        axes.annotate(
            "in each circle: how many runs", (1, 1.03), xycoords="axes fraction", ha="right", fontsize=style.SMALL,
            color=theme.muted,
        )  # fmt: skip
