"""`calico-lab slides`: every deck executed in the lab, and written as a page and as PDF."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calico_lab import execution
from calico_lab.decks import page, pdf
from calico_lab.errors import LabError

if TYPE_CHECKING:
    from rich.console import Console

DECKS = ("introduction", "capabilities", "migration")
FOLDER = "calico-lab-slides"
_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Built:
    """What one deck has become; ``sheets`` is None where no PDF was wanted."""

    name: str
    page: Path
    sheets: Path | None


def sources() -> list[Path]:
    """Return the decks' notebooks: in the installed package, or in the checkout that it is run from."""
    for folder in (_PACKAGE / "slides", _PACKAGE.parent / "slides"):
        found = [path for name in DECKS if (path := folder / f"{name}.ipynb").exists()]
        if found:
            return found
    raise LabError("the slides are not where calico_lab is installed", remedy="pip install --force-reinstall .")


def build(folder: Path, environment: Mapping[str, str], console: Console, *, as_pdf: bool = True) -> list[Built]:
    """Execute the decks with an environment that leads to a lab, and write them into a folder.

    The pages come first: without a browser to print with they are all there when ``MissingProgramError`` is raised.
    Raises ``LabError`` when a cell fails or the folder cannot be written to.
    """
    pages = {path.stem: _write(path, folder, environment, console) for path in sources()}
    sheets: dict[str, Path] = {}
    for name, written in pages.items() if as_pdf else ():
        with console.status(f"printing {name}"):
            sheets[name] = written.with_suffix(".pdf")
            pdf.print_page(written, sheets[name])
    return [Built(name, written, sheets.get(name)) for name, written in pages.items()]


def title(document: Any) -> str:
    """Return the first heading of a deck."""
    headings = (re.match(r"# (.+)", cell.source) for cell in document.cells if cell.cell_type == "markdown")
    return next(found[1] for found in headings if found)


def _write(path: Path, folder: Path, environment: Mapping[str, str], console: Console) -> Path:
    console.print(f"[bold]{path.stem}[/bold]")
    document = execution.execute(path, environment, console)
    target = folder / f"{path.stem}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target.write_text(page.page(document, title(document)))
    except OSError as error:
        remedy = f"name a folder of your own: calico-lab slides ~/{FOLDER}"
        raise LabError(f"the slides cannot be put there: {error}", remedy=remedy) from None
    return target.resolve()
