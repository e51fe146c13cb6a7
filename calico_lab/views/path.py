"""The path of a request as a picture, drawn from the live lab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons import path
from calico_lab.lessons.path import Path
from calico_lab.views import path_svg, svg

if TYPE_CHECKING:
    from calico_lab.lab import Lab


@dataclass(frozen=True, repr=False)
class PathView:
    """Bastion, node, Envoy and pods, and what each does with a request; text, or a picture in light or dark."""

    path: Path

    @classmethod
    def of(cls, lab: Lab) -> PathView:
        """Read the path to the guide's gateway and show it."""
        return cls(path.read(lab))

    def __repr__(self) -> str:
        return repr(self.path)

    def svg(self) -> str:
        """Return the picture as an SVG document."""
        return path_svg.draw(self.path)

    def _repr_html_(self) -> str:
        return svg.as_html(self.svg(), repr(self))
