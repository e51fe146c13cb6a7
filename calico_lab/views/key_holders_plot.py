"""Who holds the key: how far a client's TLS goes, who can read the request, and what the pod is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons.tls import Way
from calico_lab.views import style
from calico_lab.views.plot import Plot
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PLACES = {"client": 0.0, "gateway": 1.0, "pod": 2.0}
_KEY_COLOR = style.YELLOW


@dataclass(frozen=True, repr=False)
class KeyHoldersPlot(Plot):
    """A row for each way: a thick line where the request is encrypted, a dashed one where it can be read."""

    ways: tuple[Way, ...]

    def __repr__(self) -> str:
        return "\n".join(map(str, self.ways))

    @property
    def height(self) -> float:  # type: ignore[override]
        """As high as its ways need, in inches."""
        return 0.7 + 1.45 * len(self.ways)

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the ways, one below the other."""
        axes = figure.subplots()
        for row, way in enumerate(self.ways):
            self._draw_way(axes, row, way, theme)
        axes.set_xlim(-0.35, 2.35)
        axes.set_ylim(len(self.ways) - 0.45, -0.62)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines["bottom"].set_visible(False)
        axes.set_title("Who holds the key reads the request", pad=10)

    def _draw_way(self, axes: Axes, row: int, way: Way, theme: Theme) -> None:
        axes.text(-0.35, row - 0.36, way.host, fontweight="bold", fontsize=style.BODY, color=theme.ink)
        self._draw_link(axes, row, "client", "gateway", theme, encrypted=True)
        self._draw_link(axes, row, "gateway", "pod", theme, encrypted=way.encrypted_to_pod)
        shown = "sees no certificate" if way.certificate is None else f"sees serial {way.certificate.serial}"
        reads = "reads the request" if way.added else "reads only the name"
        self._draw_place(axes, row, "client", shown, theme)
        self._draw_place(axes, row, "gateway", reads, theme, key=way.key_at == "gateway")
        self._draw_place(axes, row, "pod", "reads the request", theme, key=way.key_at == "pod")

    def _draw_link(self, axes: Axes, row: int, start: str, end: str, theme: Theme, *, encrypted: bool) -> None:
        ends = [_PLACES[start], _PLACES[end]]
        if encrypted:
            axes.plot(ends, [row, row], color=theme.even, lw=7.0, solid_capstyle="butt", zorder=1)
        else:
            axes.plot(ends, [row, row], color=theme.uneven, lw=2.4, ls=(0, (3, 2)), zorder=1)
        axes.annotate(
            "TLS" if encrypted else "plain HTTP", (sum(ends) / 2, row), xytext=(0, 9), textcoords="offset points",
            ha="center", fontsize=style.SMALL, color=theme.ink,
        )  # fmt: skip

    def _draw_place(self, axes: Axes, row: int, name: str, does: str, theme: Theme, *, key: bool = False) -> None:
        box = {"boxstyle": "round,pad=0.5", "facecolor": _KEY_COLOR if key else theme.card, "edgecolor": theme.ink}
        ink = style.ink_on(_KEY_COLOR) if key else theme.ink
        weight = "bold" if key else "normal"
        axes.text(_PLACES[name], row, name, ha="center", va="center", bbox=box, color=ink, fontweight=weight, zorder=3)
        said = f"has the key,\n{does}" if key else does
        axes.annotate(
            said, (_PLACES[name], row), xytext=(0, -22), textcoords="offset points", ha="center", va="top",
            fontsize=style.SMALL, color=theme.ink if key else theme.muted,
        )  # fmt: skip
