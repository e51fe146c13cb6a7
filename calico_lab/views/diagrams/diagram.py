"""What every diagram is: a document of SVG, and a text that says the same."""

from __future__ import annotations

from dataclasses import dataclass

from calico_lab.views import svg
from calico_lab.views.svg import Sheet

# A slide shows a diagram 1.44 times as large: its smallest letters are then 21 pixels of 720 high.
WIDTH = 800.0


@dataclass(frozen=True, repr=False)
class Diagram:
    """A picture that follows the page's light or dark; ``text`` is shown where pictures are not."""

    text: str
    document: str

    @classmethod
    def of(cls, sheet: Sheet, text: str) -> Diagram:
        """Take what was drawn on a sheet."""
        return cls(text, sheet.document())

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return svg.as_html(self.document, self.text)
