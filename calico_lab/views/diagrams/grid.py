"""A table as a picture: words, and marks for yes and no, which say it in shape as well as in colour."""

from __future__ import annotations

from collections.abc import Sequence

from calico_lab.views.diagrams.diagram import WIDTH, Diagram
from calico_lab.views.svg import Sheet

ROW, HEAD = 36.0, 34.0
Cell = str | bool


def draw(text: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], shares: Sequence[float]) -> Diagram:
    """Return a table; ``shares`` are the columns' parts of the width, a cell that is True or False becomes a mark."""
    sheet = Sheet(WIDTH, "A table", text)
    sheet.height = HEAD + ROW * len(rows) + 4
    total = sum(shares)
    edges = [WIDTH * sum(shares[:number]) / total for number in range(len(shares))]
    for x, words in zip(edges, head, strict=True):
        sheet.text(x + 10, HEAD - 12, words, "name")
    for number, row in enumerate(rows):
        top = HEAD + ROW * number
        if number % 2 == 0:
            sheet.box(0, top, WIDTH, ROW, "stripe", radius=5)
        for x, cell in zip(edges, row, strict=True):
            if isinstance(cell, bool):
                sheet.mark(x + 20, top + ROW / 2, good=cell)
            else:
                sheet.text(x + 10, top + ROW / 2 + 5.5, cell)
    return Diagram.of(sheet, text)
