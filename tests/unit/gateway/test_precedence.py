from itertools import pairwise

from support.gateway_api import backend, http_route, model, rule

from calico_lab.local.gateway_api.matches import matches_of
from calico_lab.local.gateway_api.precedence import rank


def header(value="1", kind="Exact"):
    return {"name": "x", "value": value, "type": kind}


def test_matches_are_ranked_by_path_then_headers_then_query():
    first_to_last = [
        rule(path="/abc", path_type="Exact"),
        rule(path="/a", path_type="Exact"),
        rule(path="/.*", path_type="RegularExpression"),
        rule(path="/longer/than/any"),
        rule(path="/ab", headers=[header(), header()]),
        rule(path="/ab", method="GET"),
        rule(path="/ab", headers=[header(".*", "RegularExpression")]),
        rule(path="/ab", queryParams=[header()]),
        rule(path="/ab"),
        rule(path="/"),
    ]
    ranks = [rank(matches_of(each)[0][1]) for each in first_to_last]
    assert all(one > other for one, other in pairwise(ranks))


def routes_of(*http_routes):
    (listener,) = model(http_routes=http_routes).listeners
    return [route.name.split("/")[2] for host in listener.virtual_hosts for route in host.routes]


def test_of_equal_matches_the_oldest_route_is_first():
    same = rule(backend())
    young, old, twin = (http_route(same, name=name, created=age) for name, age in (("y", 2), ("z", 1), ("a", 2)))
    assert routes_of(young, old, twin) == ["z", "a", "y"]


def test_a_longer_prefix_is_first_however_young():
    assert routes_of(
        http_route(rule(backend(), path="/round"), name="old", created=0),
        http_route(rule(backend(), path="/round/robin"), name="young", created=9),
    ) == ["young", "old"]
