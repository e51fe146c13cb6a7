"""The lab as a picture, drawn from what is there at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lessons import topology
from calico_lab.lessons.counts import BACKEND
from calico_lab.lessons.topology import Topology
from calico_lab.views import svg, topology_svg

if TYPE_CHECKING:
    from calico_lab.lab import Lab


@dataclass(frozen=True, repr=False)
class TopologyView:
    """Bastion, BGP sessions, nodes, gateways and pods; text, or a picture that follows the page's light or dark."""

    topology: Topology

    @classmethod
    def of(cls, lab: Lab, labels: str = BACKEND, namespace: str | None = None) -> TopologyView:
        """Read the lab as it stands and show it; ``labels`` select the pods to show."""
        return cls(topology.read(lab, labels, namespace))

    def __repr__(self) -> str:
        return repr(self.topology)

    def svg(self) -> str:
        """Return the picture as an SVG document."""
        return topology_svg.draw(self.topology)

    def _repr_html_(self) -> str:
        return svg.as_html(self.svg(), repr(self))
