"""What a learner's notebooks show: read from the files, as they were last saved.

The course's notebooks come with outputs, so that they can be read before they are run. A notebook in which nothing
differs from the course's is therefore not one that a learner has run. One that was run does differ, were it only by
the widgets, which are not stored in the course's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calico_lab.errors import ReportError

# Richest first; of an output one of these is shown.
KINDS = ("image/png", "text/html", "text/plain")
_WIDGET = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Output:
    """One output: its kind, of MIME's names, and what it says, PNG in base64. ``error`` is for a cell that failed."""

    kind: str
    content: str
    text: str
    error: bool = False


@dataclass(frozen=True)
class Result:
    """A cell that showed something: the heading above it, its source, its outputs."""

    heading: str
    source: str
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class Taken:
    """A notebook that was run: its file's name, its title, how many of its cells of code were run, what they showed."""

    name: str
    title: str
    cells: int
    run: int
    results: tuple[Result, ...]

    @property
    def failed(self) -> int:
        """How many cells failed."""
        return sum(any(output.error for output in result.outputs) for result in self.results)


def read(folder: Path, course: Path) -> list[Taken]:
    """Return the notebooks of a folder that were run, by their names; ``course`` is where the course's own are.

    Raises ``ReportError`` when there is a notebook that cannot be read.
    """
    taken = []
    for path in sorted(folder.glob("*.ipynb")):
        document = _document(path)
        original = course / path.name
        if not original.is_file() or _differs(document, _document(original)):
            taken.append(_taken(path.stem, document))
    return [notebook for notebook in taken if notebook.run]


def _document(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text())
        cells = document["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReportError(
            f"{path} is no notebook: {error}", remedy=f"open it in JupyterLab, or move it: {path}"
        ) from None
    for cell in cells:
        cell["source"] = _joined(cell["source"])
    return document


def _differs(document: dict[str, Any], original: dict[str, Any]) -> bool:
    return [_compared(cell) for cell in document["cells"]] != [_compared(cell) for cell in original["cells"]]


def _compared(cell: dict[str, Any]) -> list[Any]:
    outputs = [
        (output["output_type"], _joined(output.get("text", "")), sorted(_data(output).items()))
        for output in cell.get("outputs", ())
    ]
    return [cell["source"], outputs]


def _data(output: dict[str, Any]) -> dict[str, str]:
    return {kind: str(_joined(content)).strip() for kind, content in output.get("data", {}).items()}


def _taken(name: str, document: dict[str, Any]) -> Taken:
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code" and cell["source"].strip()]
    run = sum(cell.get("execution_count") is not None for cell in code)
    title, heading, results = name, "", []
    for cell in document["cells"]:
        if cell["cell_type"] == "markdown":
            for level, words in _headings(cell["source"]):
                title, heading = (words, "") if level == 1 else (title, words)
        elif cell["cell_type"] == "code" and (outputs := tuple(_outputs(cell))):
            results.append(Result(heading, cell["source"], outputs))
    return Taken(name, title, len(code), run, tuple(results))


def _headings(text: str) -> Iterator[tuple[int, str]]:
    for line in text.splitlines():
        mark, _, words = line.partition(" ")
        if mark and not mark.strip("#") and words:
            yield len(mark), words.strip()


def _outputs(cell: dict[str, Any]) -> Iterator[Output]:
    for output in cell.get("outputs", ()):
        if output["output_type"] == "stream":
            yield Output("text/plain", _joined(output["text"]), "")
        elif output["output_type"] == "error":
            yield Output("text/plain", f"{output['ename']}: {output['evalue']}", "", error=True)
        elif kind := next((kind for kind in KINDS if kind in output["data"]), ""):
            data = _data(output)
            if _WIDGET not in data:  # what a widget shows is not stored; its text says only what it is
                yield Output(kind, data[kind], data.get("text/plain", ""))


def _joined(lines: Any) -> Any:
    return "".join(lines) if isinstance(lines, list) else lines
