"""What a route is told of its rules and their filters, in the words of Envoy Gateway 1.5.9."""

import pytest
from support.eventually import eventually
from support.gateway_api import ROUTE, backend, gateway, http_route, item, listener, model, resolved, rule, told

from calico_lab.local import resources

ACCEPTED = ("Accepted", "True", "Accepted", "Route is accepted")
RESOLVED = ("ResolvedRefs", "True", "ResolvedRefs", "Resolved all the Object references for the Route")
MISSING = {"backendRef": backend("x")}
ELSEWHERE = " To modify the Host header use the URLRewrite or the HTTPRouteFilter filter."


def conditions(*rules, kind="HTTPRoute", **spec):
    """The conditions of a route with these rules, and whether anything of it is served."""
    route = http_route(*rules, **spec) | {"kind": kind}
    of_kind = {"http_routes": [], "grpc_routes": [route]} if kind == "GRPCRoute" else {"http_routes": [route]}
    resolution = resolved(**of_kind)
    statuses = resolution.grpc_route_statuses if kind == "GRPCRoute" else resolution.http_route_statuses
    served = any(each.virtual_hosts for each in model(**of_kind).listeners)
    return told(statuses[ROUTE]["parents"][0]["conditions"]), served


def filtered(kind, **content):
    return rule(backend()) | {
        "filters": [{"type": kind, f"{kind[0].lower()}{kind[1:]}".replace("uRL", "url"): content}]
    }


def headers(kind="RequestHeaderModifier", **verbs):
    return filtered(kind, **verbs)


VALID = {"name": "good", "value": "1"}
HOST = {"name": "Host", "value": "x"}


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        (
            headers(set=[VALID, HOST]),
            "Header: \"Host\". The RequestHeaderModifier filter cannot set the Host header or headers with a '/' or "
            f"':' character in them.{ELSEWHERE}",
        ),
        (
            headers("ResponseHeaderModifier", add=[VALID, HOST]),
            "Header: \"Host\". The ResponseHeaderModifier filter cannot add the Host header or headers with a '/' or "
            "':' character in them.",
        ),
        (
            headers(add=[VALID], set=[{"name": "bad", "value": " x"}]),
            'Header: "bad". RequestHeaderModifier Filter cannot set a header with an invalid value.',
        ),
        (
            headers(add=[VALID], remove=[""]),
            "RequestHeaderModifier Filter cannot remove a header with an empty name",
        ),
        (
            headers(remove=["host"]),
            "RequestHeaderModifier Filter did not provide valid configuration to add/set/remove any headers",
        ),
        (filtered("RequestRedirect", hostname="10.0.0.1"), 'hostname: "10.0.0.1" cannot be an ip address'),
        (filtered("URLRewrite", hostname="10.0.0.1"), 'hostname: "10.0.0.1" cannot be an ip address'),
        (
            filtered("URLRewrite", hostname=f"{'a' * 64}.org"),
            f'label: "{"a" * 64}" in hostname "{"a" * 64}.org" cannot exceed 63 characters',
        ),
    ],
)
def test_a_filter_that_cannot_be_applied_is_told_and_no_rule_is_served(faulty, message):
    assert conditions(faulty, rule(backend())) == (
        [("Accepted", "False", "UnsupportedValue", message), RESOLVED],
        False,
    )


def test_a_filter_of_a_backend_is_told_as_one_of_a_rule():
    reference = backend(filters=headers(remove=["host"])["filters"])
    ((accepted, _), served) = conditions(rule(reference))
    assert accepted[:3] == ("Accepted", "False", "UnsupportedValue")
    assert not served


def test_a_long_value_that_is_not_valid_is_told_at_once():
    ((accepted, _), _) = conditions(headers(set=[VALID, {"name": "long", "value": "a" * 4000 + " "}]))
    assert accepted[3] == 'Header: "long". RequestHeaderModifier Filter cannot set a header with an invalid value.'


def test_of_several_faulty_filters_the_last_is_told():
    ((accepted, _), _) = conditions(headers(set=[VALID, HOST]), headers(add=[VALID], remove=[""]))
    assert accepted[3] == "RequestHeaderModifier Filter cannot remove a header with an empty name"


def test_a_mirror_that_does_not_resolve_takes_its_rule_out_of_service():
    text = "Failed to validate the RequestMirror filter: service default/x not found."
    mirrored = filtered("RequestMirror", **MISSING)
    assert conditions(mirrored) == ([ACCEPTED, ("ResolvedRefs", "False", "BackendNotFound", text)], False)
    assert conditions(mirrored, rule(backend()))[1]


def test_a_mirror_of_a_grpc_route_that_does_not_resolve_is_a_fault_of_the_rule():
    text = "Failed to process route rule 0: failed to validate the RequestMirror filter: service default/x not found."
    mirrored = {"backendRefs": [backend()], "filters": filtered("RequestMirror", **MISSING)["filters"]}
    assert conditions(mirrored, kind="GRPCRoute") == (
        [("Accepted", "False", "UnsupportedValue", text), RESOLVED],
        False,
    )


def test_nothing_is_mirrored_beside_a_redirect():
    both = {"filters": filtered("RequestMirror", backendRef=backend())["filters"]}
    both["filters"] += filtered("RequestRedirect", scheme="https")["filters"]
    ((accepted, _), served) = conditions(both)
    assert accepted[2:] == (
        "IncompatibleFilters",
        "Failed to process route rule 0: RequestMirror filter cannot be used when the rule also configures a "
        "RequestRedirect filter.",
    )
    assert not served


def test_an_idle_timeout_of_a_session_is_not_accepted():
    ((accepted, _), served) = conditions(rule(backend()) | {"sessionPersistence": {"idleTimeout": "1m"}})
    text = "Failed to process route rule 0: idle timeout is not supported in envoy gateway."
    assert accepted == ("Accepted", "False", "UnsupportedValue", text)
    assert not served


def test_faults_of_rules_and_of_references_are_told_in_one_condition():
    faulty = rule(backend(), path="(", path_type="RegularExpression")
    ((accepted, resolved_refs), served) = conditions(rule(backend("x")), faulty)
    assert accepted[:3] == ("Accepted", "False", "BackendNotFound,UnsupportedValue")
    assert accepted[3].splitlines() == [
        "Failed to process route rule 0 backendRef 0: service default/x not found.",
        'Failed to process route rule 1: regex "(" is invalid: error parsing regexp: missing closing ): `(`.',
    ]
    assert resolved_refs == RESOLVED
    assert not served


def test_a_fault_of_a_rule_comes_before_one_of_the_listener():
    parent = [{"name": "load-balancing-gateway", "sectionName": "none"}]
    ((accepted, _), _) = conditions(rule(backend(), path="(", path_type="RegularExpression"), parentRefs=parent)
    assert accepted[2] == "UnsupportedValue"


def test_a_grpc_route_without_a_hostname_of_the_listener_is_called_one():
    route = http_route({"backendRefs": [backend()]}) | {"kind": "GRPCRoute"}
    gateways = [gateway(listener(hostname="*.example.org"))]
    status = resolved(gateways=gateways, http_routes=[], grpc_routes=[route]).grpc_route_statuses[ROUTE]
    assert told(status["parents"][0]["conditions"])[0] == (
        "Accepted",
        "False",
        "NoMatchingListenerHostname",
        "There were no hostname intersections between the GRPCRoute and this parent ref's Listener(s).",
    )


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ({"group": "apps", "kind": "Deployment"}, "Group is invalid, only the core API group "),
        ({"kind": "Pod"}, "Kind is invalid, only Service"),
    ],
)
def test_a_backend_of_another_kind_is_invalid(reference, message):
    ((_, refs), _) = conditions(rule(backend(**reference)))
    assert refs[:3] == ("ResolvedRefs", "False", "InvalidKind")
    assert refs[3].startswith(f"Failed to process route rule 0 backendRef 0: {message}")


async def test_an_api_server_stores_a_condition_of_several_reasons(cluster):
    await cluster.guide()
    await cluster.create(resources.HTTP_ROUTES, http_route(rule(backend("x"), backend(port=1)), name="two"))

    async def reason():
        found = (await cluster.find(resources.HTTP_ROUTES, "two")).get("status") or {}
        return [each["reason"] for parent in found.get("parents", []) for each in parent["conditions"]]

    assert await eventually(reason) == ["Accepted", "BackendNotFound,PortNotFound"]


def test_a_parent_that_is_not_a_gateway_is_left_alone():
    assert not resolved(
        http_routes=[http_route(parentRefs=[{"kind": "Service", "name": "backend"}])]
    ).http_route_statuses


def test_each_parent_is_told_for_itself():
    other = item("Gateway", "other", spec={"gatewayClassName": "tigera-gateway-class", "listeners": [listener()]})
    parents = [{"name": "load-balancing-gateway", "sectionName": "none"}, {"name": "other"}]
    route = http_route(parentRefs=parents)
    found = resolved(gateways=[gateway(), other], http_routes=[route]).http_route_statuses[ROUTE]["parents"]
    assert [(each["parentRef"], told(each["conditions"])[0][2]) for each in found] == [
        (parents[0], "NoMatchingParent"),
        (parents[1], "Accepted"),
    ]
