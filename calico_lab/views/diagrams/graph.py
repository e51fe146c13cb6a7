"""Boxes on a grid, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calico_lab.views.diagrams.diagram import WIDTH, Diagram
from calico_lab.views.svg import Sheet

LINE, LETTER = 21.0, 7.8
GAP_X, GAP_Y = 62.0, 16.0
FRAME = 12.0  # between a frame and what it holds
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A box: where it stands in columns and rows, from 0, and what is written in it, the first line as its name.

    ``kind`` is a rule of the style sheet: ``card``, ``host``, ``pod``, ``envoy``, ``control`` or ``words`` (no box).
    """

    column: float
    row: float
    lines: Sequence[str]
    kind: str = "card"
    columns: float = 1
    rows: float = 1


@dataclass(frozen=True)
class Arrow:
    """From one box to another, with a few words there: an arrow, ``deal``, or a line (the others)."""

    start: str
    end: str
    words: str = ""
    kind: str = "deal"


@dataclass(frozen=True)
class Frame:
    """A frame around boxes, with a name above them."""

    name: str
    around: Sequence[str]


@dataclass(frozen=True)
class Layout:
    """How large the grid is: columns of the sheet's width, rows of so many units."""

    columns: int
    rows: float
    row_height: float = 70
    gap: float = GAP_X
    top: float = 4
    margin: float = 4

    @property
    def column_width(self) -> float:
        """How wide a box of one column is."""
        return (WIDTH - 2 * self.margin - self.gap * (self.columns - 1)) / self.columns

    def corner(self, box: Box) -> Point:
        """Return the left upper corner of a box."""
        x = self.margin + box.column * (self.column_width + self.gap)
        return x, self.top + box.row * (self.row_height + GAP_Y)

    def size(self, box: Box) -> Point:
        """Return the width and height of a box."""
        width = box.columns * self.column_width + (box.columns - 1) * self.gap
        return width, box.rows * self.row_height + (box.rows - 1) * GAP_Y

    def middle(self, box: Box) -> Point:
        """Return the middle of a box."""
        (x, y), (width, height) = self.corner(box), self.size(box)
        return x + width / 2, y + height / 2


def draw(
    text: str, layout: Layout, boxes: Mapping[str, Box], arrows: Sequence[Arrow] = (), frames: Sequence[Frame] = ()
) -> Diagram:
    """Return a diagram of boxes, named by their keys, and arrows; ``text`` says in words what it shows."""
    sheet = Sheet(WIDTH, "A diagram", text)
    sheet.height = 2 * layout.top + layout.rows * (layout.row_height + GAP_Y) - GAP_Y
    for frame in frames:
        _draw_frame(sheet, layout, frame, [boxes[name] for name in frame.around])
    for arrow in arrows:
        _draw_arrow(sheet, layout, arrow, boxes[arrow.start], boxes[arrow.end])
    for box in boxes.values():
        _draw_box(sheet, layout, box)
    return Diagram.of(sheet, text)


def _draw_box(sheet: Sheet, layout: Layout, box: Box) -> None:
    (x, y), (width, height) = layout.corner(box), layout.size(box)
    if box.kind != "words":
        sheet.box(x, y, width, height, box.kind)
    first = y + height / 2 - LINE * (len(box.lines) - 1) / 2 + 5.5
    for number, words in enumerate(box.lines):
        kind = "name" if number == 0 and box.kind != "words" else "small"
        sheet.text(x + width / 2, first + LINE * number, words, kind, anchor="middle")


def _draw_frame(sheet: Sheet, layout: Layout, frame: Frame, boxes: Sequence[Box]) -> None:
    corners, sizes = [layout.corner(box) for box in boxes], [layout.size(box) for box in boxes]
    left, top = min(x for x, _ in corners) - FRAME, min(y for _, y in corners) - FRAME - LINE
    right = max(x + width for (x, _), (width, _) in zip(corners, sizes, strict=True)) + FRAME
    bottom = max(y + height for (_, y), (_, height) in zip(corners, sizes, strict=True)) + FRAME
    sheet.box(left, top, right - left, bottom - top, "card")
    sheet.text(left + FRAME, top + LINE, frame.name, "small")


def _draw_arrow(sheet: Sheet, layout: Layout, arrow: Arrow, start: Box, end: Box) -> None:
    here, there = _ends(layout, start, end)
    sheet.curve(here, there, arrow.kind, arrow=arrow.kind == "deal")
    if not arrow.words:
        return
    x, y = (here[0] + there[0]) / 2, (here[1] + there[1]) / 2
    if here[0] == there[0]:
        sheet.text(x + 10, y + 5, arrow.words, "small")
    elif here[1] == there[1]:
        sheet.text(x, y - 8, arrow.words, "small", anchor="middle")
    else:  # across the middle of the curve, which is interrupted for it
        width = LETTER * len(arrow.words) + 8
        sheet.box(x - width / 2, y - LINE / 2, width, LINE, "paper")
        sheet.text(x, y + 5, arrow.words, "small", anchor="middle")


def _ends(layout: Layout, start: Box, end: Box) -> tuple[Point, Point]:
    """Return where an arrow leaves and arrives: at the sides, or at top and bottom of boxes one above the other."""
    (x, y), (to_x, to_y) = layout.middle(start), layout.middle(end)
    width, height = layout.size(start)
    to_width, to_height = layout.size(end)
    if x - width / 2 < to_x + to_width / 2 and to_x - to_width / 2 < x + width / 2:
        shared = to_x if to_width < width else x
        down = 1 if to_y > y else -1
        return (shared, y + down * height / 2), (shared, to_y - down * (to_height / 2 + 2))
    right = 1 if to_x > x else -1
    return (x + right * width / 2, y), (to_x - right * (to_width / 2 + 2), to_y)
