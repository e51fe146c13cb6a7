"""An executed deck as one HTML page: reveal.js, styles and pictures are inside, and nothing is fetched.

The notebook's cells carry the usual slideshow metadata (slide, subslide, fragment, notes, skip), which nbconvert reads:
https://nbconvert.readthedocs.io/en/latest/usage.html#convert-revealjs. Its own page for slides loads reveal.js, fonts
and more from elsewhere; ours takes reveal.js (https://revealjs.com) from the package ``sphinx-revealjs``.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from calico_lab.errors import MissingProgramError
from calico_lab.views import style
from calico_lab.views.style import DARK, LIGHT, Theme

TEMPLATE = Path(__file__).parent / "template"
SKETCH = "'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace"
WIDGET = "application/vnd.jupyter.widget-view+json"
_MAGIC_LANGUAGES = {"%%apply": "yaml", "%%bastion": "bash"}


def page(document: Any, title: str) -> str:
    """Return the page of an executed notebook (nbformat 4), with ``title`` for the browser's tab.

    Raises ``MissingProgramError`` when the package that carries reveal.js is not installed.
    """
    from nbconvert import HTMLExporter

    reveal = _reveal()
    exporter: Any = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(TEMPLATE.parent)],
        filters={"colored": colored},
        exclude_anchor_links=True,
    )
    deck = {
        "title": title,
        "styles": [
            *((reveal / "dist" / name).read_text() for name in ("reset.css", "reveal.css")),
            _colors(), (TEMPLATE / "deck.css").read_text(),
        ],
        "scripts": [
            _script(reveal / "dist/reveal.js"), _script(reveal / "plugin/notes/notes.js"),
            _script(TEMPLATE / "deck.js"),
        ],
    }  # fmt: skip
    text, _resources = exporter.from_notebook_node(_without_widgets(document), resources={"deck": deck})
    return str(text)


def _without_widgets(document: Any) -> Any:
    """Leave out what was shown as a widget, such as the bar of a wait: a page without a kernel cannot move it."""
    from copy import deepcopy

    kept = deepcopy(document)
    for cell in kept.cells:
        if cell.cell_type == "code":
            cell.outputs = [each for each in cell.outputs if WIDGET not in each.get("data", {})]
    return kept


def colored(source: str) -> str:
    """Return a code cell as HTML in colours: of YAML or shell below a magic that takes these, otherwise of IPython."""
    from nbconvert.filters import Highlight2HTML

    first, newline, rest = source.partition("\n")
    language = _MAGIC_LANGUAGES.get(first.split(" ")[0], "ipython3")
    highlight: Any = Highlight2HTML(pygments_lexer=language)  # type: ignore[no-untyped-call]
    if language == "ipython3" or not newline:
        return str(highlight(source))
    return str(highlight(f"#{first}{newline}{rest}")).replace(f"#{first}", first, 1)


def _reveal() -> Path:
    """Return the folder of reveal.js, found without importing the package, whose purpose is another."""
    found = find_spec("sphinx_revealjs")
    if found is None or found.origin is None:
        raise MissingProgramError("reveal.js is not installed", remedy="pip install sphinx-revealjs")
    return Path(found.origin).parent / "_static/revealjs"


def _script(path: Path) -> str:
    """Return a script as it may stand in a page: the page's parser must not see its end too early."""
    kept = [line for line in path.read_text().splitlines() if not line.startswith("//# sourceMappingURL=")]
    return "\n".join(kept).replace("</script", "<\\/script")


def _colors() -> str:
    fonts = f":root{{--font:{style.WEB_FONT};--mono:{SKETCH}}}"
    return f'{fonts}[data-jp-theme-light="true"]{_variables(LIGHT)}[data-jp-theme-light="false"]{_variables(DARK)}'


def _variables(theme: Theme) -> str:
    """Return a theme as CSS variables: those of the deck, and those by which nbconvert colours code."""
    values = {
        "paper": theme.paper, "card": theme.card, "ink": theme.ink, "muted": theme.muted, "line": theme.grid,
        "accent": theme.even, "bad": theme.bad,
        "jp-mirror-editor-keyword-color": theme.even, "jp-mirror-editor-operator-color": theme.muted,
        "jp-mirror-editor-punctuation-color": theme.muted, "jp-mirror-editor-comment-color": theme.muted,
        "jp-mirror-editor-variable-color": theme.ink, "jp-mirror-editor-number-color": theme.good,
        "jp-mirror-editor-string-color": theme.good, "jp-mirror-editor-error-color": theme.bad,
    }  # fmt: skip
    return "{" + ";".join(f"--{name}:{value}" for name, value in values.items()) + "}"
