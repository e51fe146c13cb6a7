from dataclasses import dataclass

import pytest
from support.envoys import shown
from support.gateway_api import GATEWAY, backend, endpoints, http_route, model, policy, rule, service, world

from calico_lab.local.controllers.envoy_gateway_infrastructure import name
from calico_lab.local.envoy import snapshot as made
from calico_lab.local.envoy.kept import Kept
from calico_lab.local.envoy.snapshot import Kind, SnapshotMaker
from calico_lab.local.gateway_api.known_routes import KnownRoutes
from calico_lab.local.gateway_api.resolve import resolve
from calico_lab.local.gateway_api.world import ObjectName

CLUSTER = "httproute/default/round-robin-route/rule/0"


def configuration(**changes):
    return shown(SnapshotMaker().snapshot(model(**changes)))


def routes(**changes):
    (table,) = configuration(**changes)[Kind.ROUTES].values()
    return [route for host in table["virtual_hosts"] for route in host["routes"]]


def test_the_guide_gets_the_names_that_envoy_gateway_gives():
    guide = configuration()
    table = guide[Kind.ROUTES]["default/load-balancing-gateway/http"]
    (host,) = table["virtual_hosts"]
    assert (host["name"], host["domains"]) == (
        "default/load-balancing-gateway/http/www_example_com",
        ["www.example.com"],
    )
    assert [route["name"] for route in host["routes"]] == [f"{CLUSTER}/match/0/www_example_com"]
    assert guide[Kind.CLUSTER].keys() == {CLUSTER}
    assert guide[Kind.ENDPOINTS][CLUSTER]["endpoints"][0]["locality"] == {"region": f"{CLUSTER}/backend/0"}
    listening = guide[Kind.LISTENER]["default/load-balancing-gateway/http"]
    assert listening["address"] == {"socket_address": {"address": "0.0.0.0", "port_value": 10080}}


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (rule(path="/round/"), {"path_separated_prefix": "/round"}),
        (rule(path="/"), {"prefix": "/"}),
        (rule(path="/a", path_type="Exact"), {"path": "/a"}),
        (rule(path="/a.*", path_type="RegularExpression"), {"safe_regex": {"regex": "/a.*"}}),
        (
            rule(path="/", method="GET", headers=[{"name": "v", "value": "1"}]),
            {
                "prefix": "/",
                "headers": [
                    {"name": "v", "string_match": {"exact": "1"}},
                    {"name": ":method", "string_match": {"exact": "GET"}},
                ],
            },
        ),
        (
            rule(path="/", queryParams=[{"name": "q", "value": "1|2", "type": "RegularExpression"}]),
            {
                "prefix": "/",
                "query_parameters": [{"name": "q", "string_match": {"safe_regex": {"regex": "1|2"}}}],
            },
        ),
    ],
)
def test_a_match_becomes_envoys(match, expected):
    match["backendRefs"] = [backend()]
    (route,) = routes(http_routes=[http_route(match)])
    assert route["match"] == expected


@pytest.mark.parametrize(
    ("balancer", "name"), [("RoundRobin", "round_robin"), ("Random", "random"), ("LeastRequest", "least_request")]
)
def test_a_policy_changes_how_a_cluster_spreads_and_nothing_else(balancer, name):
    changed = configuration(backend_traffic_policies=[policy(load_balancer=balancer)])
    (chosen,) = changed[Kind.CLUSTER][CLUSTER]["load_balancing_policy"]["policies"]
    assert chosen["typed_extension_config"]["name"] == f"envoy.load_balancing_policies.{name}"
    guide = configuration()
    assert {kind for kind in Kind if changed[kind] != guide[kind]} <= {Kind.CLUSTER}


def test_valid_backends_share_a_cluster_by_the_weights_of_localities():
    split = http_route(rule(backend(weight=9), backend("other", weight=1)))
    both = configuration(
        http_routes=[split],
        services=[service(), service("other")],
        endpoint_slices=[endpoints("10.48.1.1"), endpoints("10.48.1.2", name="other")],
    )
    localities = both[Kind.ENDPOINTS][CLUSTER]["endpoints"]
    assert [locality["load_balancing_weight"] for locality in localities] == [9, 1]


def test_the_share_of_a_bad_backend_goes_nowhere():
    (route,) = routes(http_routes=[http_route(rule(backend(weight=80), backend("missing", weight=20)))])
    assert route["route"]["weighted_clusters"]["clusters"] == [
        {"name": "invalid-backend-cluster", "weight": 20},
        {"name": f"{CLUSTER}/backend/0", "weight": 80},
    ]
    assert route["route"]["cluster_not_found_response_code"] == "INTERNAL_SERVER_ERROR"


def test_without_endpoints_requests_are_answered_with_500():
    (route,) = routes(endpoint_slices=[])
    assert route["direct_response"] == {"status": 500}
    assert not configuration(endpoint_slices=[])[Kind.CLUSTER]


def test_endpoints_come_apart_from_their_cluster_so_that_it_stays_when_they_change():
    before, after = configuration(), configuration(endpoint_slices=[endpoints("10.48.1.9")])
    assert {kind for kind in Kind if before[kind] != after[kind]} == {Kind.ENDPOINTS}


def test_of_many_routes_only_the_one_that_changed_is_made_anew(monkeypatch):
    routes, changed = [http_route(name=f"route{number}") for number in range(5)], []
    maker, known = SnapshotMaker(), KnownRoutes()

    def snapshot():
        return maker.snapshot(resolve(world(http_routes=routes), known).gateways[GATEWAY])

    first = snapshot()
    told = made.message
    monkeypatch.setattr(made, "message", lambda name, fields: changed.append(str(fields)) or told(name, fields))
    routes[2] = http_route(rule(backend(), path="/other"), name="route2")
    second = snapshot()
    assert [name for name in changed if "route2" in name]
    assert not [name for name in changed if "route1" in name]
    assert second == SnapshotMaker().snapshot(resolve(world(http_routes=routes)).gateways[GATEWAY])
    assert first != second


@pytest.mark.parametrize(
    ("gateway", "expected"),
    [
        (ObjectName("default", "eg"), "envoy-default-eg-e41e7b31"),
        (ObjectName("default", "load-balancing-gateway"), "envoy-default-load-balancing-gateway-4d05d5b6"),
    ],
)
def test_a_proxy_is_named_after_its_gateway(gateway, expected):
    assert name(gateway) == expected


def test_a_long_name_is_cut_without_a_dash_at_its_end():
    assert name(ObjectName("a", "b" * 45 + "-cdef")).startswith("envoy-a-" + "b" * 45 + "-")
    assert len(name(ObjectName("n" * 60, "g"))) == len("envoy-") + 48 + 1 + 8


def test_what_is_as_it_was_is_kept_and_what_nobody_asks_for_forgotten():
    @dataclass(frozen=True)
    class Model:
        name: str
        content: int = 0

    made = []
    kept = Kept(lambda model: made.append(model) or len(made))
    assert kept.all([Model("a"), Model("b")]) == [1, 2]
    assert kept.all([Model("b"), Model("a"), Model("b", 1)]) == [2, 1, 3]
    assert kept.all([Model("a")]) == [1]
    assert kept.all([Model("b", 1)]) == [4]


def test_a_policy_of_one_route_makes_nothing_of_the_others_anew(monkeypatch):
    routes, changed = [http_route(name=f"route{number}") for number in range(5)], []
    maker = SnapshotMaker()
    maker.snapshot(model(http_routes=routes))
    told = made.message
    monkeypatch.setattr(made, "message", lambda name, fields: changed.append(str(fields)) or told(name, fields))
    maker.snapshot(model(http_routes=routes, backend_traffic_policies=[policy(target="route2")]))
    assert changed
    assert not [fields for fields in changed if "route1" in fields]
