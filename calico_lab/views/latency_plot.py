"""How long requests took: how often each time came up, and which share of the requests was done by when.

Times differ from run to run, so they are only in the pictures; the text says which runs are shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calico_lab.tools.hey import SECONDS
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 40
LOGARITHMIC_FROM = 20.0  # from this ratio of slowest to fastest on, a linear axis shows one bar and a void
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)))  # apart without colours too
PERCENTILES = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999)


@dataclass(frozen=True, repr=False)
class _LatencyPlot(Plot):
    """``runs`` maps names to tables as :func:`calico_lab.tools.hey.parse_csv` returns them; or is one such table."""

    runs: Mapping[str, pd.DataFrame] | pd.DataFrame

    def __post_init__(self) -> None:
        if not self.milliseconds():
            raise ValueError("there is no run to draw")
        if any(len(times) == 0 for times in self.milliseconds().values()):
            raise ValueError("a run without an answered request has no latency")

    def milliseconds(self) -> dict[str, Any]:
        """Return the times of each run as a sorted array, in milliseconds."""
        import numpy as np

        runs = self.runs if isinstance(self.runs, Mapping) else {"": self.runs}
        return {name: np.sort(run[SECONDS].to_numpy(float)) * 1000 for name, run in runs.items()}

    def __repr__(self) -> str:
        sizes = {name: len(times) for name, times in self.milliseconds().items()}
        if list(sizes) == [""]:
            return f"{self._what} of {sizes['']} requests"
        listed = ", ".join(f"{name} ({size} requests)" for name, size in sizes.items())
        return f"{self._what} of {len(sizes)} runs: {listed}"

    _what = "Latency"


class LatencyHistogram(_LatencyPlot):
    """How many requests took how long: a histogram for each run, on one axis, with its median and 99th percentile."""

    _what = "Latencies"

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its runs need, in inches."""
        runs = len(self.milliseconds())
        return 3.8 if runs == 1 else 1.1 + 1.75 * runs

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw a histogram below the other, with the same bins."""
        runs = self.milliseconds()
        bins, logarithmic = _bins(runs)
        grid = figure.subplots(len(runs), sharex=True, squeeze=False)[:, 0]
        for number, (axes, (name, times)) in enumerate(zip(grid, runs.items(), strict=True)):
            color = theme.even if len(runs) == 1 else style.color(number)
            axes.hist(times, bins=bins, color=color, edgecolor=theme.paper, linewidth=0.6)
            axes.set_ylabel("requests")
            axes.grid(axis="y")
            axes.set_ylim(0, axes.get_ylim()[1] * 1.3)
            _mark(axes, times, theme)
            median, late = _at(times, 0.5), _at(times, 0.99)
            within = f"half within {_text(median)} ms, 99 of 100 within {_text(late)} ms"
            axes.set_title(
                f"{name}: {within}" if name else within.capitalize(),
                fontsize=style.TITLE if len(runs) == 1 else style.BODY,
            )
        if logarithmic:
            axes.set_xscale("log")
            _plain_ticks(axes)
        axes.set_xlabel("milliseconds" + (" (logarithmic)" if logarithmic else ""))


class PercentileCurve(_LatencyPlot):
    """By when which share of the requests was done. To the right each step leaves out a tenth: the tail is stretched.

    The axis is 1 / (1 - p), logarithmic, as in HdrHistogram's plots: http://hdrhistogram.org/
    """

    _what = "Latency by percentile"
    height = 4.2

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw a curve for each run, with its name where it ends."""
        runs = self.milliseconds()
        axes = figure.subplots()
        most = max(len(times) for times in runs.values())
        for number, (name, times) in enumerate(runs.items()):
            # The i-th of n sorted times is the quantile (i - 1/2) / n.
            shares = [(rank + 0.5) / len(times) for rank in range(len(times))]
            axes.plot(
                [1 / (1 - share) for share in shares], times, label=name or None, drawstyle="steps-mid",
                color=theme.even if len(runs) == 1 else _line(number, theme), lw=2.6, ls=DASHES[number % len(DASHES)],
            )  # fmt: skip
        axes.set_xscale("log")
        shown = [p for p in PERCENTILES if 1 / (1 - p) <= 2.2 * most]
        axes.set_xticks([1 / (1 - p) for p in shown], [f"{100 * p:g} %" for p in shown])
        axes.minorticks_off()
        times_of_all = [time for times in runs.values() for time in (times[0], times[-1])]
        if max(times_of_all) > LOGARITHMIC_FROM * min(times_of_all):
            axes.set_yscale("log")
            _plain_ticks(axes, axis="y")
        else:
            axes.set_ylim(0, None)
        axes.grid(axis="both")
        axes.set_xlabel("share of the requests that were answered within")
        axes.set_ylabel("milliseconds")
        axes.set_title(self._finding(runs), pad=32 if len(runs) > 1 else 10)
        if len(runs) > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=len(runs), handlelength=3.2)

    def _finding(self, runs: Mapping[str, Any]) -> str:
        late = {name: _at(times, 0.99) for name, times in runs.items()}
        if len(runs) == 1:
            return f"99 of 100 requests were answered within {_text(next(iter(late.values())))} ms"
        best = min(late, key=lambda name: late[name])
        return f"Shortest tail: {best}, 99 of 100 within {_text(late[best])} ms"


def _line(number: int, theme: Theme) -> str:
    """Return a colour for a line: yellow and sky are too pale for one on white."""
    on_light = (style.BLUE, style.VERMILLION, style.GREEN, style.PURPLE, style.ORANGE)
    on_dark = (style.SKY, style.ORANGE, style.GREEN, style.PURPLE, style.YELLOW)
    colors = on_light if theme.name == "light" else on_dark
    return colors[number % len(colors)]


def _bins(runs: Mapping[str, Any]) -> tuple[Any, bool]:
    """Return the edges of bins that hold all runs, and whether their axis is logarithmic."""
    import numpy as np

    low = max(min(times[0] for times in runs.values()), 1e-3)
    high = max(max(times[-1] for times in runs.values()), low * 1.01)
    if high > LOGARITHMIC_FROM * low:
        return np.geomspace(low, high * 1.001, BINS + 1), True
    return np.linspace(0, high * 1.001, BINS + 1), False


def _mark(axes: Axes, times: Any, theme: Theme) -> None:
    for share, words in ((0.5, "median"), (0.99, "99 %")):
        axes.axvline(_at(times, share), color=theme.ink, lw=1.4, ls=(0, (5, 3)))
        axes.annotate(
            words, (_at(times, share), 0.985), xycoords=("data", "axes fraction"), xytext=(4, 0),
            textcoords="offset points", va="top", fontsize=style.SMALL, color=theme.ink,
        )  # fmt: skip


def _plain_ticks(axes: Axes, axis: str = "x") -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    chosen = axes.xaxis if axis == "x" else axes.yaxis
    chosen.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    chosen.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
    chosen.set_minor_formatter(NullFormatter())


def _at(times: Any, share: float) -> float:
    """Return the time within which this share of the requests was answered (nearest rank)."""
    return float(times[max(0, math.ceil(share * len(times)) - 1)])


def _text(milliseconds: float) -> str:
    return f"{milliseconds:.2g}" if milliseconds < 10 else f"{milliseconds:.0f}"
