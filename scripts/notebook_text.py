"""A notebook as plain text and back, to write and review one in any editor.

    .venv/bin/python scripts/notebook_text.py notebooks/05-without-a-policy.ipynb > lesson.txt
    .venv/bin/python scripts/notebook_text.py lesson.txt notebooks/05-without-a-policy.ipynb

In the text a line ``%%% markdown ID`` or ``%%% code ID`` begins a cell, with its metadata as JSON behind it where there
is any. Outputs are left out: afterwards execute the notebook with ``scripts/execute_notebooks.py``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import nbformat
from nbformat import v4

HEAD = re.compile(r"^%%% (markdown|code) ([A-Za-z0-9_-]+)(?: (\{.*\}))?$", re.MULTILINE)
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def to_text(document: nbformat.NotebookNode) -> str:
    """Return a notebook's cells as text."""
    return "\n".join(
        f"%%% {cell.cell_type} {cell.id}{' ' + json.dumps(cell.metadata) if cell.metadata else ''}\n{cell.source}\n"
        for cell in document.cells
    )


def from_text(text: str) -> nbformat.NotebookNode:
    """Return a notebook of the cells that a text holds; raises ``ValueError`` when it does not begin with one."""
    before, *parts = HEAD.split(text)
    if before.strip():
        raise ValueError(f"a cell begins with `%%% markdown ID` or `%%% code ID`, not with: {before.strip()[:60]}")
    cells = []
    for kind, name, metadata, source in zip(*(parts[place::4] for place in range(4)), strict=True):
        make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
        cells.append(make(source.strip("\n"), id=name, metadata=json.loads(metadata or "{}")))
    document = v4.new_notebook(cells=cells, metadata=METADATA)
    nbformat.validate(document)
    return document


def main() -> None:
    """Convert what the command line names."""
    source = Path(sys.argv[1])
    if source.suffix == ".ipynb":
        sys.stdout.write(to_text(nbformat.read(source, as_version=4)))
    else:
        Path(sys.argv[2]).write_text(nbformat.writes(from_text(source.read_text())) + "\n")


if __name__ == "__main__":
    main()
