"""What TCPRoutes and TLSRoutes are told, and what they come to."""

import pytest
from support.certificates import pair, tls_secret
from support.gateway_api import (
    GATEWAY,
    backend,
    connection_route,
    endpoints,
    gateway,
    item,
    listener,
    passthrough,
    policy,
    resolved,
    secure,
    service,
    told,
)

from calico_lab.local.gateway_api.world import ObjectName

NAME = ObjectName("default", "connections")
TCP = listener("tcp", 5432, "TCP")
ACCEPTED = ("Accepted", "True", "Accepted", "Route is accepted")
RESOLVED = ("ResolvedRefs", "True", "ResolvedRefs", "Resolved all the Object references for the Route")


def of(kind, **changes):
    key = "tcp_routes" if kind == "TCPRoute" else "tls_routes"
    default = TCP if kind == "TCPRoute" else passthrough()
    return {"gateways": [gateway(default)], key: [connection_route(kind)], "http_routes": []} | changes


def conditions(kind, name=NAME, **changes):
    result = resolved(**of(kind, **changes))
    statuses = result.tcp_route_statuses if kind == "TCPRoute" else result.tls_route_statuses
    return [told(parent["conditions"]) for parent in statuses[name]["parents"]]


@pytest.mark.parametrize("kind", ["TCPRoute", "TLSRoute"])
def test_a_good_route_is_accepted_and_counted(kind):
    assert conditions(kind) == [[ACCEPTED, RESOLVED]]
    (entry,) = resolved(**of(kind)).gateway_statuses[GATEWAY]["listeners"]
    assert entry["attachedRoutes"] == 1


@pytest.mark.parametrize("kind", ["TCPRoute", "TLSRoute"])
def test_names_are_those_of_envoy_gateway(kind):
    (listening,) = resolved(**of(kind)).gateways[GATEWAY].connection_listeners
    (route,) = listening.routes
    prefix = f"{kind.lower()}/default/connections"
    assert listening.name == f"default/load-balancing-gateway/{'tcp' if kind == 'TCPRoute' else 'tls'}"
    assert (route.name, route.destination.name) == (prefix, f"{prefix}/rule/-1")
    assert [each.name for each in route.destination.backends] == [f"{prefix}/rule/-1/backend/0"]


@pytest.mark.parametrize("kind", ["TCPRoute", "TLSRoute"])
@pytest.mark.parametrize(
    ("parent", "reason", "message"),
    [
        ({"sectionName": "other"}, "NoMatchingParent", "No listeners match this parent ref"),
        ({"port": 1}, "NoMatchingParent", "No listeners match this parent ref"),
        (
            {"sectionName": "http"},
            "NotAllowedByListeners",
            "No listeners included by this parent ref allowed this attachment.",
        ),
        (
            {"sectionName": "broken"},
            "NoReadyListeners",
            "There are no ready listeners for this parent ref",
        ),
    ],
)
def test_a_route_that_no_listener_takes(kind, parent, reason, message):
    broken = listener("broken", 9, "TLS")
    route = connection_route(kind, parentRefs=[{"name": GATEWAY.name} | parent])
    key = "tcp_routes" if kind == "TCPRoute" else "tls_routes"
    found = conditions(kind, gateways=[gateway(listener(), broken, TCP)], **{key: [route]})
    assert found == [[("Accepted", "False", reason, message), RESOLVED]]


@pytest.mark.parametrize("kind", ["TCPRoute", "TLSRoute"])
@pytest.mark.parametrize(
    ("reference", "reason", "message"),
    [
        (backend("gone"), "BackendNotFound", "service default/gone not found"),
        (backend(port=1), "PortNotFound", "TCP Port 1 not found on Service default/backend"),
        (
            backend(namespace="other"),
            "RefNotPermitted",
            "Backend ref to Service other/backend not permitted by any ReferenceGrant.",
        ),
    ],
)
def test_a_backend_that_does_not_resolve(kind, reference, reason, message):
    key = "tcp_routes" if kind == "TCPRoute" else "tls_routes"
    found = conditions(kind, **{key: [connection_route(kind, reference)]})
    assert found == [[ACCEPTED, ("ResolvedRefs", "False", reason, message)]]


def test_several_problems_are_told_as_sentences():
    route = connection_route("TCPRoute", backend("gone"), backend(port=1))
    ((_, told_so),) = conditions("TCPRoute", tcp_routes=[route])
    text = "Service default/gone not found.\nTCP Port 1 not found on Service default/backend."
    assert told_so == ("ResolvedRefs", "False", "BackendNotFound,PortNotFound", text)


@pytest.mark.parametrize("kind", ["TCPRoute", "TLSRoute"])
def test_a_grant_lets_a_route_use_another_namespaces_service(kind):
    origin = {"group": "gateway.networking.k8s.io", "kind": kind, "namespace": "default"}
    grant = item("ReferenceGrant", "g", "other", spec={"from": [origin], "to": [{"group": "", "kind": "Service"}]})
    key = "tcp_routes" if kind == "TCPRoute" else "tls_routes"
    found = conditions(
        kind,
        reference_grants=[grant],
        services=[service(namespace="other")],
        **{key: [connection_route(kind, backend(namespace="other"))]},
    )
    assert found == [[ACCEPTED, RESOLVED]]


def test_a_tcp_route_has_one_rule():
    route = connection_route("TCPRoute", rules=[{"backendRefs": [backend()]}] * 2)
    text = "One and only one rule is supported"
    assert conditions("TCPRoute", tcp_routes=[route]) == [[("Accepted", "False", "InvalidRule", text)]]


def test_a_tcp_listener_serves_the_oldest_route():
    routes = [connection_route("TCPRoute", name=name, created=age) for name, age in (("new", 2), ("old", 1))]
    changes = {"tcp_routes": routes}
    text = "Multiple routes on the same TCP listener"
    assert conditions("TCPRoute", ObjectName("default", "old"), **changes) == [[ACCEPTED, RESOLVED]]
    assert conditions("TCPRoute", ObjectName("default", "new"), **changes) == [
        [("Accepted", "False", "UnsupportedValue", text), RESOLVED]
    ]
    result = resolved(**of("TCPRoute", **changes))
    (listening,) = result.gateways[GATEWAY].connection_listeners
    assert [route.name for route in listening.routes] == ["tcproute/default/old"]
    assert result.gateway_statuses[GATEWAY]["listeners"][0]["attachedRoutes"] == 2


def test_a_tls_route_needs_a_hostname_of_the_listener():
    route = connection_route("TLSRoute", hostnames=["a.example.com"])
    changes = {"gateways": [gateway(passthrough(hostname="*.example.org"))], "tls_routes": [route]}
    text = "There were no hostname intersections between the HTTPRoute and this parent ref's Listener(s)."
    assert conditions("TLSRoute", **changes) == [[("Accepted", "False", "NoMatchingListenerHostname", text), RESOLVED]]


@pytest.mark.parametrize(
    ("hostname", "hostnames", "served"),
    [
        ("", [], ()),
        ("a.example.com", [], ("a.example.com",)),
        ("*.example.com", ["a.example.com", "a.example.org"], ("a.example.com",)),
        ("", ["b.example.com", "a.example.com"], ("a.example.com", "b.example.com")),
    ],
)
def test_a_tls_route_is_reached_by_these_names(hostname, hostnames, served):
    route = connection_route("TLSRoute", hostnames=hostnames)
    named = {"hostname": hostname} if hostname else {}
    changes = of("TLSRoute", gateways=[gateway(passthrough(**named))], tls_routes=[route])
    (listening,) = resolved(**changes).gateways[GATEWAY].connection_listeners
    assert [each.server_names for each in listening.routes] == [served]


def test_a_tcp_route_takes_what_a_terminating_listener_carries():
    ending = secure("tls", "one", protocol="TLS", hostname="one.example.com")
    changes = of("TCPRoute", gateways=[gateway(ending)], secrets=[tls_secret("one", pair("one.example.com"))])
    (listening,) = resolved(**changes).gateways[GATEWAY].connection_listeners
    (route,) = listening.routes
    assert (route.server_names, [each.name for each in route.certificates]) == (("one.example.com",), ["default/one"])


def test_weights_and_endpoints_decide_who_gets_connections():
    references = [backend(weight=0), backend("empty"), backend("gone"), backend("backend2", weight=3)]
    changes = of(
        "TCPRoute",
        tcp_routes=[connection_route("TCPRoute", *references)],
        services=[service(), service("empty"), service("backend2")],
        endpoint_slices=[endpoints("10.48.1.1"), endpoints("10.48.1.2", name="backend2")],
    )
    (listening,) = resolved(**changes).gateways[GATEWAY].connection_listeners
    backends = listening.routes[0].destination.backends
    assert [(each.name[-1], each.weight) for each in backends] == [("3", 3)]


def test_a_policy_on_a_tcp_route_is_accepted_and_decides():
    changes = of("TCPRoute", backend_traffic_policies=[policy(kind="TCPRoute", target="connections")])
    result = resolved(**changes)
    (status,) = result.backend_traffic_policy_statuses.values()
    assert told(status["ancestors"][0]["conditions"])[0][:2] == ("Accepted", "True")
    (listening,) = result.gateways[GATEWAY].connection_listeners
    assert listening.routes[0].destination.traffic.load_balancer == "RoundRobin"
