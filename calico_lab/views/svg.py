"""A sheet of SVG on which a picture is drawn for light and dark, and the HTML that shows it in either."""

from __future__ import annotations

import html
from urllib.parse import quote

from calico_lab.views import style
from calico_lab.views.style import DARK, LIGHT, Theme

# The picture is an image of its own, so that its rules touch nothing else on the page. ``color-scheme`` of the page's
# part that it stands in is what ``prefers-color-scheme`` means inside of it:
# https://drafts.csswg.org/mediaqueries-5/#prefers-color-scheme
_FOLLOW = (
    ".calico-lab-picture{color-scheme:light dark;max-width:100%;height:auto}"
    '[data-jp-theme-light="true"] .calico-lab-picture,.vscode-light .calico-lab-picture{color-scheme:light}'
    '[data-jp-theme-light="false"] .calico-lab-picture,.vscode-dark .calico-lab-picture{color-scheme:dark}'
)


class Sheet:
    """Collects shapes, and turns them into a document. Whatever text is given is escaped here."""

    def __init__(self, width: float, title: str, description: str) -> None:
        self.width = width
        self.height = 0.0
        self._title, self._description = title, description
        self._parts: list[str] = []

    def box(self, x: float, y: float, width: float, height: float, kind: str, *, radius: float = 8) -> None:
        """Draw a rectangle with round corners; ``kind`` names its rule in the style sheet."""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" class="{kind}"/>'
        )

    def text(self, x: float, y: float, words: str, kind: str = "", *, anchor: str = "start") -> None:
        """Write one line; ``y`` is that of its base line."""
        placed = f' text-anchor="{anchor}"' if anchor != "start" else ""
        named = f' class="{kind}"' if kind else ""
        self._parts.append(f'<text x="{x:g}" y="{y:g}"{placed}{named}>{html.escape(words)}</text>')

    def curve(self, start: tuple[float, float], end: tuple[float, float], kind: str, *, arrow: bool = False) -> None:
        """Draw a curve that leaves and arrives level."""
        (x, y), (to_x, to_y) = start, end
        middle = (x + to_x) / 2
        tip = ' marker-end="url(#tip)"' if arrow else ""
        path = f"M{x:g} {y:g} C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}"
        self._parts.append(f'<path d="{path}" class="{kind}"{tip}/>')

    def mark(self, x: float, y: float, *, good: bool) -> None:
        """Draw a tick or a cross in a disc, as lines, which need no font."""
        lines = "M-4.5 0.5 L-1.5 3.5 L4.5 -3.5" if good else "M-3.5 -3.5 L3.5 3.5 M3.5 -3.5 L-3.5 3.5"
        disc = "good" if good else "bad"
        self._parts.append(
            f'<g transform="translate({x:g} {y:g})"><circle r="10" class="disc {disc}"/>'
            f'<path d="{lines}" class="glyph"/></g>'
        )

    def number(self, x: float, y: float, number: int) -> None:
        """Draw a number in a disc, to speak of a place in the picture."""
        self._parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="12" class="disc number"/>')
        self.text(x, y + 5.5, str(number), "figure", anchor="middle")

    def document(self) -> str:
        """Return the whole SVG."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{self.width:g}" height="{self.height:g}" role="img">'
        )
        about = f"<title>{html.escape(self._title)}</title><desc>{html.escape(self._description)}</desc>"
        return "\n".join([head, about, f"<style>{_rules()}</style>", _TIP, *self._parts, "</svg>"])


def as_html(document: str, description: str) -> str:
    """Return the HTML that shows an SVG document; ``description`` stands in its place where pictures are not shown."""
    source = "data:image/svg+xml," + quote(document, safe=" '=:/,;()#{}[]+*!@&?~$.-_").replace("#", "%23").replace(
        "&", "%26"
    )
    alternative = html.escape(description, quote=True).replace("\n", "&#10;")
    return f'<style>{_FOLLOW}</style><img class="calico-lab-picture" alt="{alternative}" src="{source}">'


_TIP = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="5.5" markerHeight="5.5" '
    'orient="auto"><path d="M0 0 L10 5 L0 10 z" class="tip"/></marker></defs>'
)


def _rules() -> str:
    chosen = style.fixed()
    if chosen:
        return _variables(chosen) + _SHAPES
    return f"{_variables(LIGHT)}@media (prefers-color-scheme: dark){{{_variables(DARK)}}}{_SHAPES}"


def _variables(theme: Theme) -> str:
    even_fill = "#dcebf6" if theme.name == "light" else "#123a55"
    values = {
        "paper": theme.paper, "card": theme.card, "ink": theme.ink, "muted": theme.muted, "line": theme.grid,
        "good": theme.good, "bad": theme.bad, "request": theme.even, "soft": even_fill,
    }  # fmt: skip
    return "svg{" + ";".join(f"--{name}:{value}" for name, value in values.items()) + "}"


_SHAPES = (
    f"text{{font:16px {style.WEB_FONT};fill:var(--ink)}}"
    ".title{font-size:20px;font-weight:700}.name{font-weight:700}.small{font-size:15px;fill:var(--muted)}"
    ".wrong{fill:var(--bad);font-weight:600}"
    ".paper{fill:var(--paper)}.stripe{fill:var(--card)}"
    ".card{fill:var(--card);stroke:var(--muted);stroke-opacity:.45;stroke-width:1.2}"
    ".card.off{stroke:var(--bad);stroke-opacity:1;stroke-width:2;stroke-dasharray:7 5}"
    ".host{fill:var(--card);stroke:var(--ink);stroke-width:2}"
    ".pod{fill:var(--paper);stroke:var(--request);stroke-width:1.6}.pod.off{stroke:var(--bad);stroke-dasharray:5 4}"
    ".envoy{fill:var(--soft);stroke:var(--request);stroke-width:2.4}.envoy.off{stroke:var(--bad);stroke-dasharray:5 4}"
    ".control{fill:var(--paper);stroke:var(--muted);stroke-width:1.2}"
    ".control.off{stroke:var(--bad);stroke-dasharray:5 4}"
    "path{fill:none}.bgp{stroke:var(--good);stroke-width:2}"
    ".bgp.off{stroke:var(--bad);stroke-dasharray:7 6}"
    ".request{stroke:var(--request);stroke-width:5;stroke-linecap:round}"
    ".deal{stroke:var(--request);stroke-width:1.8}.tip{fill:var(--request)}"
    ".back{stroke:var(--muted);stroke-width:2;stroke-dasharray:6 6}"
    ".disc.number{fill:var(--ink)}.figure{fill:var(--paper);font-weight:700;font-size:14px}"
    ".disc.good{fill:var(--good)}.disc.bad{fill:var(--bad)}"
    ".glyph{stroke:var(--paper);stroke-width:2.4;stroke-linecap:round;stroke-linejoin:round}"
)
