"""Both sides of a conversion: the Ingresses, what stands in their place, and what became of each annotation."""

from __future__ import annotations

import html
from dataclasses import dataclass

from calico_lab.lessons.ingress_conversion import Conversion, Outcome, Remark
from calico_lab.lessons.ingress_conversion.conversion import JsonObject, as_typed, as_yaml
from calico_lab.views import style

# Each is told by its sign as well, and legible on a light and on a dark page.
_COLORS = {
    Outcome.CONVERTED: style.GREEN,
    Outcome.DIFFERS: style.SKY,
    Outcome.BY_HAND: style.ORANGE,
    Outcome.LEFT: style.VERMILLION,
}
_CELL = "padding:.25em .7em;text-align:left;vertical-align:top"


@dataclass(frozen=True, repr=False)
class BothSides:
    """A conversion as a page, or as text: the same in every run."""

    conversion: Conversion

    def __repr__(self) -> str:
        return repr(self.conversion)

    def _repr_html_(self) -> str:
        """Return the page; styles stand where they are used, since JupyterLab shows no others untrusted."""
        before = "".join(
            _folded(item, as_yaml([item]), is_open=True) for item in map(as_typed, self.conversion.ingresses)
        )
        after = "".join(_folded(item, as_yaml([item]), is_open=False) for item in self.conversion.objects)
        sides = (
            '<div style="display:flex;gap:2em;align-items:flex-start;flex-wrap:wrap;margin-bottom:1em">'
            f'<div style="flex:1;min-width:22em">{before}</div><div style="flex:1;min-width:22em">{after}</div></div>'
        )
        rows = "".join(map(_row, self.conversion.remarks))
        head = "".join(f'<th style="{_CELL}">{name}</th>' for name in ("Ingress", "says", "becomes", "how, or why not"))
        return f'{sides}<table style="border-collapse:collapse"><tr>{head}</tr>{rows}</table>'


def _folded(item: JsonObject, text: str, *, is_open: bool) -> str:
    """Return an object by its name, under which its YAML can be unfolded."""
    look = "font-family:monospace;font-size:.86em;line-height:1.35;margin:.3em 0 .8em 1.1em"
    return (
        f'<details{" open" if is_open else ""}><summary style="cursor:pointer"><b>{item["kind"]}</b> '
        f'{html.escape(item["metadata"]["name"])}</summary><pre style="{look}">{html.escape(text)}</pre></details>'
    )


def _row(remark: Remark) -> str:
    said = f"<code>{html.escape(remark.subject)}: {html.escape(remark.value)}</code>"
    mark = f'<b style="color:{_COLORS[remark.outcome]}">{remark.outcome.mark}</b>'
    outcome = f'<span style="white-space:nowrap">{mark} {remark.outcome}</span>'
    cells = (html.escape(remark.ingress), said, outcome, html.escape(remark.says))
    return "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"
