"""What Envoy got of an object: text, or a page on which the configuration itself can be unfolded."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calico_lab.lessons import envoy_pieces
from calico_lab.lessons.counted import counted
from calico_lab.lessons.envoy_pieces import Made, Piece

if TYPE_CHECKING:
    from calico_lab.lab import Lab

_ENDPOINTS = "lb_endpoints"
_UNORDERED = "filter_metadata"  # maps, which each Envoy tells of in an order of its own


@dataclass(frozen=True, repr=False)
class EnvoyPieces:
    """The pieces of Envoy's configuration that an object made.

    Shown are those that are the same in every run: in place of the endpoints' addresses stands their number. All of it
    is in ``made``.
    """

    made: Made

    @classmethod
    def of(cls, lab: Lab, kind: str, name: str, namespace: str | None = None) -> EnvoyPieces:
        """Ask Envoy, and show it."""
        return cls(envoy_pieces.read(lab.cluster, kind, name, namespace))

    def __repr__(self) -> str:
        return str(self.made)

    def _repr_html_(self) -> str:
        """Return the page; styles stand where they are used, since JupyterLab shows no others untrusted."""
        made = self.made
        of = f"<b>{html.escape(made.kind)}</b> {html.escape(f'{made.namespace}/{made.name}')}"
        if not made.pieces:
            return f"<div>{of} made nothing in Envoy: {html.escape(made.because)}</div>"
        return f"<div>{of} made in Envoy</div>" + "".join(map(_folded, made.pieces))


def _folded(piece: Piece) -> str:
    text = json.dumps(_without_addresses(piece.content), indent=2)
    return (
        '<details style="margin:.3em 0 .3em .6em"><summary style="cursor:pointer">'
        f"{html.escape(piece.what)} <code>{html.escape(piece.name)}</code>"
        f'<div style="margin-left:1.1em">{html.escape(piece.says)}</div></summary>'
        f'<pre style="margin-left:1.1em;max-height:30em;overflow:auto">{html.escape(text)}</pre></details>'
    )


def _without_addresses(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: counted(len(child), "endpoint") if key == _ENDPOINTS else _without_addresses(_in_order(key, child))
            for key, child in value.items()
        }
    return [_without_addresses(child) for child in value] if isinstance(value, list) else value


def _in_order(key: str, value: Any) -> Any:
    return json.loads(json.dumps(value, sort_keys=True)) if key == _UNORDERED else value
