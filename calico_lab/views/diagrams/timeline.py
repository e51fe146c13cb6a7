"""Events along a line of time, one after the other, not to scale."""

from __future__ import annotations

from collections.abc import Sequence

from calico_lab.views.diagrams.diagram import WIDTH, Diagram
from calico_lab.views.svg import Sheet

TOP, LINE = 40.0, 21.0


def draw(text: str, events: Sequence[tuple[str, Sequence[str]]]) -> Diagram:
    """Return a line of time; an event is when it was, and the lines that tell what."""
    sheet = Sheet(WIDTH, "A line of time", text)
    width = WIDTH / len(events)
    sheet.height = TOP + 46 + LINE * max(len(lines) for _, lines in events)
    sheet.curve((width / 2, TOP), (WIDTH - width / 2, TOP), "bgp")
    for number, (when, lines) in enumerate(events):
        x = width * (number + 0.5)
        sheet.number(x, TOP, number + 1)
        sheet.text(x, TOP - 22, when, "name", anchor="middle")
        for row, words in enumerate(lines):
            sheet.text(x, TOP + 40 + LINE * row, words, "", anchor="middle")
    return Diagram.of(sheet, text)
