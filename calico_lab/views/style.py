"""The one visual language of the course: colours, type and sizes, in light and dark.

Pictures in PNG are drawn for one theme: that of JupyterLab at the moment (:mod:`calico_lab.views.page_theme`) or else
light, unless :func:`use` or the environment variable ``CALICO_LAB_THEME`` (``light``, ``dark`` or ``auto``) says
otherwise. HTML takes its colours from the page around it. SVG is drawn for both
and follows the page: JupyterLab and nbconvert put ``data-jp-theme-light`` on it, VS Code a class, other pages the
reader's ``prefers-color-scheme``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from calico_lab.views import page_theme

# The palette of Masataka Okabe and Kei Ito, whose colours stay apart for every kind of colour vision:
# https://jfly.uni-koeln.de/color/
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, VERMILLION, YELLOW = "#56B4E9", "#D55E00", "#F0E442"
# In the order in which pods, versions and runs get them. After the seventh they start again: a name always stands by.
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW)

FONT = "DejaVu Sans"  # comes with matplotlib
WEB_FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', 'Liberation Sans', sans-serif"
TITLE, BODY, SMALL = 15.0, 13.0, 11.5  # points; a picture 8 inches wide is as wide as a notebook's cell
WIDTH_INCHES = 8.0
SHOWN_PER_INCH, PIXELS_PER_INCH = 96, 192

THEME_VARIABLE = "CALICO_LAB_THEME"


@dataclass(frozen=True)
class Theme:
    """The colours that depend on the paper. ``even`` and ``uneven`` are verdicts, ``band`` is what is expected."""

    name: str
    paper: str
    card: str
    ink: str
    muted: str
    grid: str
    even: str
    uneven: str
    band: str
    good: str
    bad: str


LIGHT = Theme(
    "light", paper="#ffffff", card="#f4f6f8", ink="#1f2328", muted="#57606a", grid="#e2e5e9",
    even=BLUE, uneven=VERMILLION, band=SKY, good="#007a58", bad="#b94f00",
)  # fmt: skip
DARK = Theme(
    "dark", paper="#15181d", card="#20252c", ink="#eceff3", muted="#aab2bd", grid="#363c45",
    even=SKY, uneven="#f08a3c", band=BLUE, good="#2cc69a", bad="#f08a3c",
)  # fmt: skip
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}

_chosen = os.environ.get(THEME_VARIABLE, "auto")


def use(name: str) -> None:
    """Draw from now on for ``light``, ``dark``, or ``auto``; raises ``ValueError`` for anything else."""
    global _chosen
    if name not in (*THEMES, "auto"):
        raise ValueError(f"there is no theme {name!r}: light, dark or auto")
    _chosen = name


def theme() -> Theme:
    """Return the theme that PNG is drawn for: the chosen one, or that of the page as it is now."""
    return fixed() or (DARK if page_theme.is_dark() else LIGHT)


def fixed() -> Theme | None:
    """Return the theme that was chosen by name, or None when SVG should follow the page."""
    return THEMES.get(_chosen)


def color(number: int) -> str:
    """Return the colour of the pod, version or run with this number, from 0."""
    return PALETTE[number % len(PALETTE)]


def ink_on(background: str) -> str:
    """Return black or white, whichever reads better on a colour (relative luminance as WCAG 2 defines it)."""
    red, green, blue = (int(background[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return "#000000" if 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.18 else "#ffffff"


def halo(theme: Theme) -> list[Any]:
    """Return what sets a text off from the lines that it stands on, as ``path_effects``."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=3.5, foreground=theme.paper)]


@contextmanager
def matplotlib_settings(theme: Theme) -> Iterator[None]:
    """Let what is drawn meanwhile look as this page says."""
    import matplotlib as mpl

    ink, muted = theme.ink, theme.muted
    settings: Any = {
        "font.family": [FONT], "font.size": BODY, "text.color": ink,
        "axes.facecolor": theme.paper, "axes.edgecolor": muted, "axes.labelcolor": ink, "axes.labelsize": BODY,
        "axes.titlesize": TITLE, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlecolor": ink,
        "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
        "axes.grid": False, "axes.axisbelow": True, "grid.color": theme.grid, "grid.linewidth": 1.0,
        "xtick.color": ink, "ytick.color": ink, "xtick.labelsize": BODY, "ytick.labelsize": SMALL,
        "xtick.major.size": 0, "ytick.major.size": 0, "xtick.minor.size": 0, "ytick.minor.size": 0,
        "legend.frameon": False, "legend.fontsize": SMALL, "figure.facecolor": theme.paper,
        "savefig.facecolor": theme.paper, "hatch.linewidth": 1.2,
    }  # fmt: skip
    with mpl.rc_context(settings):
        yield
