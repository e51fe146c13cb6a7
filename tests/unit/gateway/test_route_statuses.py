import pytest
from support.gateway_api import (
    GATEWAY,
    ROUTE,
    backend,
    endpoints,
    gateway,
    http_route,
    item,
    listener,
    model,
    resolved,
    rule,
    service,
    told,
)

ACCEPTED = ("Accepted", "True", "Accepted", "Route is accepted")
RESOLVED = ("ResolvedRefs", "True", "ResolvedRefs", "Resolved all the Object references for the Route")
FAILED = "Failed to process route rule 0 backendRef 0: "


def parents(name=ROUTE, **changes):
    return resolved(**changes).http_route_statuses[name]["parents"]


def served(**changes):
    """The destinations of the routes: None where they are answered with 500."""
    hosts = [host for each in model(**changes).listeners for host in each.virtual_hosts]
    return [route.destination for host in hosts for route in host.routes]


def test_a_good_route_is_accepted_and_resolved():
    (parent,) = parents()
    assert parent["parentRef"] == {"name": GATEWAY.name}
    assert parent["controllerName"] == "gateway.envoyproxy.io/gatewayclass-controller"
    assert told(parent["conditions"]) == [ACCEPTED, RESOLVED]


@pytest.mark.parametrize("reference", [{"name": "missing"}, {"name": GATEWAY.name, "namespace": "other"}])
def test_a_route_to_a_gateway_that_is_not_ours_gets_no_status(reference):
    assert not resolved(http_routes=[http_route(parentRefs=[reference])]).http_route_statuses


NO_MATCH = ("Accepted", "False", "NoMatchingParent", "No listeners match this parent ref")
NOT_ALLOWED = (
    "Accepted",
    "False",
    "NotAllowedByListeners",
    "No listeners included by this parent ref allowed this attachment.",
)
NO_HOST = (
    "Accepted",
    "False",
    "NoMatchingListenerHostname",
    "There were no hostname intersections between the HTTPRoute and this parent ref's Listener(s).",
)
NOT_READY = ("Accepted", "False", "NoReadyListeners", "There are no ready listeners for this parent ref")


@pytest.mark.parametrize(
    ("of_gateway", "of_route", "expected"),
    [
        (listener(), {"parentRefs": [{"name": GATEWAY.name, "sectionName": "https"}]}, NO_MATCH),
        (listener(), {"parentRefs": [{"name": GATEWAY.name, "port": 8080}]}, NO_MATCH),
        (listener(allowedRoutes={"kinds": [{"kind": "GRPCRoute"}]}), {}, NOT_ALLOWED),
        (listener(allowedRoutes={"namespaces": {"from": "Selector", "selector": {}}}), {}, ACCEPTED),
        (
            listener(allowedRoutes={"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}}),
            {},
            NOT_ALLOWED,
        ),
        (listener(hostname="*.example.org"), {}, NO_HOST),
        (listener(allowedRoutes={"kinds": [{"kind": "HTTPRoute"}, {"kind": "TCPRoute"}]}), {}, NOT_READY),
    ],
)
def test_a_route_that_no_listener_takes_is_not_accepted(of_gateway, of_route, expected):
    changes = {"gateways": [gateway(of_gateway)], "http_routes": [http_route(**of_route)]}
    (parent,) = parents(**changes)
    assert told(parent["conditions"]) == [expected, RESOLVED]
    assert bool(served(**changes)) is (expected is ACCEPTED)


@pytest.mark.parametrize(("origin", "expected"), [("Same", NOT_ALLOWED), ("All", ACCEPTED)])
def test_a_route_of_another_namespace_needs_a_listener_that_lets_it_in(origin, expected):
    route = http_route(namespace="other", parentRefs=[{"name": GATEWAY.name, "namespace": "default"}])
    gateways = [gateway(listener(allowedRoutes={"namespaces": {"from": origin}}))]
    (parent,) = parents(
        route_name("other"),
        gateways=gateways,
        http_routes=[route],
        services=[service(namespace="other")],
    )
    assert told(parent["conditions"])[0] == expected


def route_name(namespace):
    return ROUTE._replace(namespace=namespace)


@pytest.mark.parametrize(
    ("reference", "reason", "message"),
    [
        (backend("x"), "BackendNotFound", "service default/x not found."),
        (backend(port=8888), "PortNotFound", "TCP Port 8888 not found on Service default/backend."),
        (
            backend(namespace="other"),
            "RefNotPermitted",
            "Backend ref to Service other/backend not permitted by any ReferenceGrant.",
        ),
        (
            {"name": "backend"},
            "PortNotSpecified",
            "A valid port number corresponding to a port on the Service must be specified.",
        ),
    ],
)
def test_a_backend_that_does_not_resolve_is_named_and_answered_with_500(reference, reason, message):
    changes = {"http_routes": [http_route(rule(reference))]}
    (parent,) = parents(**changes)
    assert told(parent["conditions"]) == [ACCEPTED, ("ResolvedRefs", "False", reason, FAILED + message)]
    assert served(**changes) == [None]


def test_several_faults_are_told_together():
    (parent,) = parents(http_routes=[http_route(rule(backend("x"), backend(port=1)))])
    condition = parent["conditions"][1]
    assert condition["reason"] == "BackendNotFound,PortNotFound"
    assert len(condition["message"].splitlines()) == 2


@pytest.mark.parametrize(
    ("to", "permitted"),
    [
        ({"group": "", "kind": "Service"}, True),
        ({"group": "", "kind": "Service", "name": "backend"}, True),
        ({"group": "", "kind": "Service", "name": "x"}, False),
        ({"group": "", "kind": "Secret"}, False),
    ],
)
def test_a_grant_permits_a_backend_of_another_namespace(to, permitted):
    origin = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "default"}
    (parent,) = parents(
        http_routes=[http_route(rule(backend(namespace="other")))],
        services=[service(namespace="other")],
        reference_grants=[item("ReferenceGrant", "g", "other", spec={"from": [origin], "to": [to]})],
    )
    assert (told(parent["conditions"])[1] == RESOLVED) is permitted


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint_slices": []},
        {"endpoint_slices": [endpoints("10.48.1.1", ready=False, serving=False)]},
        {"http_routes": [http_route(rule())]},
        {"http_routes": [http_route(rule(backend(weight=0)))]},
    ],
    ids=["no slices", "none serving", "no backends", "weight 0"],
)
def test_nothing_to_send_requests_to_is_no_fault_and_answered_with_500(changes):
    (parent,) = parents(**changes)
    assert told(parent["conditions"]) == [ACCEPTED, RESOLVED]
    assert served(**changes) == [None]


def test_a_pod_that_terminates_is_drained_while_it_serves():
    (destination,) = served(endpoint_slices=[endpoints("10.48.1.1", ready=False, terminating=True)])
    assert [endpoint.draining for endpoint in destination.backends[0].endpoints] == [True]


@pytest.mark.parametrize("expression", ["(", "(?=x)", r"(a)\1", "(?P<x>a)(?P=x)"])
def test_a_regular_expression_that_envoy_cannot_read_is_not_accepted(expression):
    changes = {"http_routes": [http_route(rule(backend(), path=expression, path_type="RegularExpression"))]}
    (parent,) = parents(**changes)
    condition = parent["conditions"][0]
    assert (condition["status"], condition["reason"]) == ("False", "UnsupportedValue")
    assert condition["message"].startswith(f'Failed to process route rule 0: regex "{expression}" is invalid')
    assert served(**changes) == []
