"""The page of Envoy's pieces is the same whatever the order in which Envoy tells of its metadata."""

from calico_lab.lessons.envoy_pieces import Made, Piece
from calico_lab.views.envoy_pieces import EnvoyPieces


def page(metadata):
    content = {"name": "r", "metadata": {"filter_metadata": {"envoy-gateway": {"resources": [metadata]}}}}
    made = Made("HTTPRoute", "r", "default", (Piece("route", "r", "all", content),))
    return EnvoyPieces(made)._repr_html_()


def test_the_order_of_metadata_does_not_show():
    assert page({"kind": "HTTPRoute", "name": "r"}) == page({"name": "r", "kind": "HTTPRoute"})
    assert page({"kind": "HTTPRoute"}) != page({"kind": "GRPCRoute"})
