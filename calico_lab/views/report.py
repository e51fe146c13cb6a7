"""A learner's plots and results as one HTML page: it needs nothing else, runs nothing and asks no network.

What is shown was written by programs and by the learner. Text is escaped; of HTML only what makes tables and cards is
kept; pictures are data. The page's own policy forbids the browser whatever would come from elsewhere. Keys, tokens
and passwords are left out (:mod:`calico_lab.lessons.secrets`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from calico_lab import course_notebooks
from calico_lab.errors import ReportError
from calico_lab.lessons import results, secrets
from calico_lab.lessons.results import Output, Result, Taken
from calico_lab.views.guide_progress import GuideProgress

if TYPE_CHECKING:
    from calico_lab.lab import Lab

FILE = "calico-lab-report.html"
_COLOURS_OF_TERMINALS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_DROPPED = re.compile(r"<(style|script)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAGS = {
    *("b", "br", "caption", "code", "div", "em", "i", "img", "li", "ol", "p", "pre", "span", "strong", "u", "ul"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}
_ATTRIBUTES = {"title", "alt", "colspan", "rowspan", "role", "aria-label"}
_PROPERTIES = {
    *("background", "border", "border-bottom", "border-collapse", "border-left", "border-radius", "color", "display"),
    *("flex", "flex-wrap", "font-family", "font-size", "font-weight", "gap", "height", "line-height", "list-style"),
    *("margin", "margin-left", "max-width", "min-width", "opacity", "padding", "padding-bottom", "text-align"),
    *("vertical-align", "white-space", "width"),
}
_PICTURES = ("data:image/png;", "data:image/svg+xml")
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;max-width:62em;margin:2em auto;padding:0 1em}
h2{margin-top:2.2em;border-bottom:1px solid rgba(128,128,128,.4)}h3{margin:1.6em 0 .3em}
img{max-width:100%;height:auto;border-radius:6px}
pre{overflow-x:auto;white-space:pre-wrap;margin:.4em 0;font-size:.92em}
details{margin:.2em 0;opacity:.8}.failed{border-left:4px solid #d55e00;padding-left:1em}
table{border-collapse:collapse}td,th{padding:.2em .7em;text-align:right;border-bottom:1px solid rgba(128,128,128,.25)}
"""


def write(folder: Path, output: Path | None, lab: Lab | None) -> Path:
    """Write the page and return where it is; without a ``lab`` it says nothing of the guide's steps.

    Raises ``ReportError`` when no notebook in the folder was run, or the page cannot be written.
    """
    taken = results.read(folder, course_notebooks.source())
    if not taken:
        raise ReportError(
            f"in {folder} there is no notebook that was run and saved",
            remedy="run one and save it; calico-lab report FOLDER names another folder",
        )
    path = output or folder / FILE
    try:
        path.write_text(page(taken, None if lab is None else GuideProgress.of(lab)))
    except OSError as error:
        raise ReportError(f"the page cannot be written: {error}", remedy="calico-lab report --output FILE") from None
    return path


def page(taken: Iterable[Taken], progress: GuideProgress | None) -> str:
    """Return the page."""
    parts = [f"<h1>Calico Ingress Gateway: my results</h1>{_progress(progress)}", *map(_notebook, taken)]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>My results</title><style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _progress(progress: GuideProgress | None) -> str:
    if progress is None:
        return "<p>The lab did not answer when this page was made, so that its state is not in it.</p>"
    return _harmless(progress._repr_html_() + progress.verdicts._repr_html_())


def _notebook(notebook: Taken) -> str:
    failed = f", {notebook.failed} failed" if notebook.failed else ""
    results = "".join(map(_result, notebook.results))
    return (
        f"<h2>{_text(notebook.title)}</h2><p>{_text(notebook.name)}: {notebook.run} of {notebook.cells} cells "
        f"run{failed}</p>{results}"
    )


def _result(result: Result) -> str:
    heading = f"<h3>{_text(result.heading)}</h3>" if result.heading else ""
    source = f"<details><summary>the cell</summary><pre>{_text(result.source)}</pre></details>"
    return heading + "".join(map(_output, result.outputs)) + source


def _output(output: Output) -> str:
    if output.kind == "image/png" and re.fullmatch(r"[A-Za-z0-9+/=\s]+", output.content):
        return (
            f'<img alt="{escape(secrets.left_out(output.text))}" src="data:image/png;base64,{output.content.strip()}">'
        )
    if output.kind == "text/html":
        return f"<div>{_harmless(output.content)}</div>"
    kind = ' class="failed"' if output.error else ""
    return f"<pre{kind}>{_text(output.content)}</pre>"


def _text(text: str) -> str:
    return escape(secrets.left_out(_COLOURS_OF_TERMINALS.sub("", text)))


def _harmless(html: str) -> str:
    """Return HTML with nothing in it but what shows text, tables and pictures that are part of it."""
    import bleach
    from bleach.css_sanitizer import CSSSanitizer

    def is_kept(tag: str, name: str, value: str) -> bool:
        if name == "style":
            return "url" not in value.lower() and "\\" not in value  # nothing fetched, and no other way to write it
        return name in _ATTRIBUTES or ((tag, name) == ("img", "src") and value.startswith(_PICTURES))

    kept: str = bleach.clean(
        secrets.left_out(_DROPPED.sub("", html)), tags=_TAGS, attributes=is_kept, protocols={"data"},
        css_sanitizer=CSSSanitizer(allowed_css_properties=_PROPERTIES), strip=True,
    )  # fmt: skip
    return kept
