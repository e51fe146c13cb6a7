import pytest
from support.gateway_api import (
    GATEWAY,
    backend,
    endpoints,
    gateway,
    gateway_class,
    http_route,
    item,
    listener,
    model,
    resolved,
    rule,
    service,
    told,
)

from calico_lab.local.gateway_api.conditions import settled
from calico_lab.local.gateway_api.world import Infrastructure, ObjectName

SCHEDULED = ("Accepted", "True", "Accepted", "The Gateway has been scheduled by Envoy Gateway")
GOOD_LISTENER = [
    ("Programmed", "True", "Programmed", "Sending translated listener configuration to the data plane"),
    ("Accepted", "True", "Accepted", "Listener has been successfully translated"),
    ("ResolvedRefs", "True", "ResolvedRefs", "Listener references have been resolved"),
]
BAD_LISTENER = ("Programmed", "False", "Invalid", "Listener is invalid, see other Conditions for details.")


def status(**changes):
    return resolved(**changes).gateway_statuses[GATEWAY]


@pytest.mark.parametrize(
    ("infrastructure", "programmed"),
    [
        (
            Infrastructure(),
            ("Programmed", "False", "AddressNotAssigned", "No addresses have been assigned to the Gateway"),
        ),
        (Infrastructure(("10.10.10.0",), 1, 0), ("Programmed", "False", "NoResources", "Envoy replicas unavailable")),
        (
            Infrastructure(("10.10.10.0",), 2, 1),
            ("Programmed", "True", "Programmed", "Address assigned to the Gateway, 1/2 envoy replicas available"),
        ),
    ],
)
def test_a_gateway_is_programmed_when_it_has_an_address_and_a_replica(infrastructure, programmed):
    told_so = status(infrastructure={GATEWAY: infrastructure})
    assert told(told_so["conditions"]) == [SCHEDULED, programmed]
    assert told_so["conditions"][0]["observedGeneration"] == 1


def test_of_many_addresses_sixteen_are_told():
    many = tuple(f"10.10.10.{number}" for number in range(20))
    answer = status(infrastructure={GATEWAY: Infrastructure(many, 1, 1)})
    assert [each["value"] for each in answer["addresses"]] == list(many[:16])
    assert answer["conditions"][1]["message"].startswith("Too many addresses (20)")


def test_a_listener_tells_its_conditions_kinds_and_routes():
    (entry,) = status()["listeners"]
    assert told(entry["conditions"]) == GOOD_LISTENER
    assert [kind["kind"] for kind in entry["supportedKinds"]] == ["HTTPRoute", "GRPCRoute"]
    assert entry["attachedRoutes"] == 1


def test_a_route_that_fails_on_its_hostname_alone_is_counted():
    (entry,) = status(gateways=[gateway(listener(hostname="www.example.org"))])["listeners"]
    assert entry["attachedRoutes"] == 1


@pytest.mark.parametrize(
    ("listeners", "fault"),
    [
        (
            [listener(protocol="SMTP")],
            (
                "Accepted",
                "False",
                "UnsupportedProtocol",
                "Protocol SMTP is unsupported, must be HTTP, HTTPS, TCP or UDP.",
            ),
        ),
        (
            [listener(), listener("again")],
            (
                "Conflicted",
                "True",
                "HostnameConflict",
                "All listeners for a given port must use a unique hostname",
            ),
        ),
        (
            [listener(), listener("tls", protocol="HTTPS", hostname="a")],
            (
                "Conflicted",
                "True",
                "ProtocolConflict",
                "All listeners for a given port must use a compatible protocol",
            ),
        ),
    ],
)
def test_a_faulty_listener_is_not_programmed(listeners, fault):
    entry = status(gateways=[gateway(*listeners)])["listeners"][0]
    assert told(entry["conditions"]) == [fault, BAD_LISTENER, GOOD_LISTENER[2]]


def test_a_listener_that_allows_a_kind_it_cannot_take_is_not_programmed():
    asked = listener(allowedRoutes={"kinds": [{"kind": "HTTPRoute"}, {"kind": "TCPRoute"}]})
    (entry,) = status(gateways=[gateway(asked)])["listeners"]
    text = "TCPRoute is not supported, kind must be one of [HTTPRoute]"
    assert told(entry["conditions"]) == [("ResolvedRefs", "False", "InvalidRouteKinds", text), BAD_LISTENER]


@pytest.mark.parametrize("classes", [[], [gateway_class(controller="example.com/other")]])
def test_gateways_of_other_classes_are_left_alone(classes):
    result = resolved(gateway_classes=classes)
    assert not any(vars(result).values())


def test_a_class_is_accepted_unless_its_parameters_are_missing():
    reference = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "namespace": "n", "name": "p"}
    changes = {"gateway_classes": [gateway_class(parametersRef=reference)]}
    name = ObjectName("", "tigera-gateway-class")
    proxy = item("EnvoyProxy", "p", "n", spec={"concurrency": 2})
    good = resolved(**changes, envoy_proxies=[proxy])
    assert told(good.gateway_class_statuses[name]["conditions"]) == [
        ("Accepted", "True", "Accepted", "Valid GatewayClass")
    ]
    assert good.gateways[GATEWAY].concurrency == 2
    bad = resolved(**changes)
    (condition,) = bad.gateway_class_statuses[name]["conditions"]
    assert condition["reason"] == "InvalidParameters"
    assert condition["message"].startswith("Invalid parametersRef: failed to find envoyproxy n/p")
    assert not bad.gateways


def test_a_gateway_whose_own_parameters_are_missing_is_not_accepted():
    reference = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": "p"}
    gateways = [gateway(infrastructure={"parametersRef": reference})]
    (condition,) = status(gateways=gateways)["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "InvalidParameters")
    assert not resolved(gateways=gateways).gateways


def test_listeners_on_one_port_share_it_and_the_more_specific_has_the_hostname():
    both = gateway(listener("any"), listener("own", hostname="*.example.com"))
    (shared,) = model(gateways=[both]).listeners
    assert [host.name for host in shared.virtual_hosts] == ["default/load-balancing-gateway/own/www_example_com"]


def test_listeners_on_two_ports_are_two():
    split = model(gateways=[gateway(listener(), listener("high", port=8080))]).listeners
    assert [(each.port, each.container_port) for each in split] == [(80, 10080), (8080, 8080)]


def test_a_time_changes_with_any_part_of_its_condition():
    def settle(message, current):
        entry = {"type": "A", "status": "True", "message": message}
        return settled({"conditions": [entry]}, current, message)["conditions"][0]["lastTransitionTime"]

    first = settled({"conditions": [{"type": "A", "status": "True", "message": "old"}]}, {}, "before")
    assert settle("old", first) == "before"
    assert settle("new", first) == "new"


def test_what_other_controllers_say_of_a_route_stays():
    theirs = {"parentRef": {"name": "x"}, "controllerName": "example.com/other", "conditions": []}
    ours = resolved(
        services=[service()], endpoint_slices=[endpoints("10.48.1.1")], http_routes=[http_route(rule(backend()))]
    ).http_route_statuses[ObjectName("default", "round-robin-route")]
    assert settled(ours, {"parents": [theirs]}, "t")["parents"][0] == theirs
    assert len(settled(ours, {"parents": [theirs]}, "t")["parents"]) == 2
