"""Statuses of HTTPS, TLS and TCP listeners, alone and beside each other."""

import pytest
from support.certificates import pair, tls_secret
from support.gateway_api import GATEWAY, gateway, listener, passthrough, resolved, secure, told

from calico_lab.local.gateway_api.overlaps import overlaps

CERTIFICATES = [tls_secret(name, pair(f"{name}.example.com")) for name in ("example-cert", "one", "two")]
BAD = ("Programmed", "False", "Invalid", "Listener is invalid, see other Conditions for details.")
RESOLVED = ("ResolvedRefs", "True", "ResolvedRefs", "Listener references have been resolved")
GOOD = [("Programmed", "True"), ("Accepted", "True"), ("ResolvedRefs", "True")]


def entries(*listeners, **changes):
    changes = {"gateways": [gateway(*listeners)], "secrets": CERTIFICATES} | changes
    return resolved(**changes).gateway_statuses[GATEWAY]["listeners"]


def conditions(*listeners):
    return [told(entry["conditions"]) for entry in entries(*listeners)]


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        (secure(), ["HTTPRoute", "GRPCRoute"]),
        (passthrough(), ["TLSRoute"]),
        (secure(protocol="TLS"), ["TCPRoute"]),
        (listener(protocol="TLS"), ["TCPRoute", "TLSRoute"]),
        (listener(protocol="TCP"), ["TCPRoute"]),
    ],
)
def test_each_protocol_takes_its_kinds_of_routes(asked, kinds):
    (entry,) = entries(asked)
    assert [kind["kind"] for kind in entry["supportedKinds"]] == kinds


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (listener(protocol="HTTPS"), "Listener must have TLS set when protocol is HTTPS."),
        (listener(protocol="TLS"), "Listener must have TLS set when protocol is TLS."),
        (secure(tls={"mode": "Terminate", "options": {"a": "b"}}), "Listener must have at least 1 TLS certificate ref"),
        (
            secure(protocol="TLS", tls={"options": {"a": "b"}}),
            "Listener must have TLS certificate refs set for TLS mode Terminate.",
        ),
        (
            passthrough(tls={"mode": "Passthrough", "certificateRefs": [{"name": "one"}]}),
            "Listener must not have TLS certificate refs set for TLS mode Passthrough.",
        ),
        (
            listener(allowedRoutes={"namespaces": {"from": "Selector"}}),
            "The allowedRoutes.namespaces.selector field must be specified when allowedRoutes.namespaces.from is set "
            'to "Selector".',
        ),
        (
            listener(
                allowedRoutes={
                    "namespaces": {
                        "from": "Selector",
                        "selector": {"matchExpressions": [{"key": "a", "operator": "Is", "values": ["b"]}]},
                    }
                }
            ),
            'The allowedRoutes.namespaces.selector could not be parsed: "Is" is not a valid label selector operator.',
        ),
    ],
)
def test_what_a_listener_lacks_is_told(asked, message):
    assert conditions(asked) == [[("Programmed", "False", "Invalid", message), RESOLVED]]


def test_a_kind_that_a_passthrough_listener_cannot_take_is_told():
    ((first, second),) = conditions(passthrough(allowedRoutes={"kinds": [{"kind": "TCPRoute"}]}))
    text = "TCPRoute is not supported, kind must be one of [TLSRoute]"
    assert (first, second) == (("ResolvedRefs", "False", "InvalidRouteKinds", text), BAD)


def good(*listeners):
    return [[entry[:2] for entry in each] == GOOD for each in conditions(*listeners)]


def conflict(*listeners):
    return [next((entry[2:] for entry in each if entry[0] == "Conflicted"), None) for each in conditions(*listeners)]


def test_https_and_tls_can_share_a_port():
    assert good(secure(hostname="a.example.com"), passthrough(hostname="b.example.com")) == [True, True]


def test_one_hostname_on_one_port_is_a_conflict_of_both():
    told_so = ("HostnameConflict", "All listeners for a given port must use a unique hostname")
    assert conflict(secure(hostname="a"), passthrough(hostname="a")) == [told_so] * 2


@pytest.mark.parametrize("other", [secure(port=80), passthrough(port=80), listener("t", 80, "TCP")])
def test_http_shares_its_port_with_http_alone(other):
    told_so = ("ProtocolConflict", "All listeners for a given port must use a compatible protocol")
    other = other | ({} if other["protocol"] == "TCP" else {"hostname": "a"})
    assert conflict(listener(), other) == [told_so] * 2


def test_of_two_tcp_listeners_on_a_port_the_first_is_good():
    found = conflict(listener("a", 90, "TCP"), listener("b", 90, "TCP"))
    assert found == [None, ("ProtocolConflict", "Only one TCP listener is allowed in a given port")]


def test_the_same_port_on_two_gateways_is_no_conflict():
    gateways = [gateway(listener("a", 90, "TCP"), name=name) for name in ("one", "two")]
    for status in resolved(gateways=gateways).gateway_statuses.values():
        assert [entry[:2] for entry in told(status["listeners"][0]["conditions"])] == GOOD


def test_the_service_has_each_port_once_by_the_name_of_its_first_listener():
    listeners = [
        listener(),
        listener("again", hostname="a.example.com"),
        secure(hostname="a.example.com"),
        passthrough(hostname="b.example.com"),
        listener("tcp", 5432, "TCP"),
        secure("broken", "gone", port=8443),
    ]
    model = resolved(gateways=[gateway(*listeners)], secrets=CERTIFICATES).gateways[GATEWAY]
    assert [(port.name, port.port, port.container_port) for port in model.ports] == [
        ("http-80", 80, 10080),
        ("https-443", 443, 10443),
        ("tcp-5432", 5432, 5432),
    ]


CONSEQUENCE = (
    "ALPN will default to HTTP/1.1 to prevent HTTP/2 connection coalescing, unless explicitly configured via "
    "ClientTrafficPolicy"
)


def overlap(*listeners, **changes):
    found = []
    for entry in entries(*listeners, **changes):
        last = told(entry["conditions"])[-1]
        found.append(last[2:] if last[:2] == ("OverlappingTLSConfig", "True") else None)
    return found


def test_hostnames_that_overlap_are_told_on_both_sides():
    first = secure("a", "one", hostname="*.example.com")
    assert overlap(first, secure("b", "two", hostname="x.example.com")) == [
        (
            "OverlappingHostnames",
            f"The hostname *.example.com overlaps with the hostname x.example.com in listener b. {CONSEQUENCE}",
        ),
        (
            "OverlappingHostnames",
            f"The hostname x.example.com overlaps with the hostname *.example.com in listener a. {CONSEQUENCE}",
        ),
    ]


def test_certificates_that_overlap_come_first():
    wide = [tls_secret("one", pair("*.example.com")), tls_secret("two", pair("x.example.com"))]
    listeners = [secure("a", "one", hostname="*.example.com"), secure("b", "two", hostname="x.example.com")]
    text = "The certificate SAN *.example.com overlaps with the certificate SAN x.example.com in listener b."
    assert overlap(*listeners, secrets=wide)[0] == ("OverlappingCertificates", f"{text} {CONSEQUENCE}")


def test_other_ports_and_other_names_do_not_overlap():
    apart = [secure("a", "one", hostname="a.b"), secure("b", "two", hostname="c.d")]
    assert overlap(*apart) == [None, None]
    assert overlap(secure("a", "one"), secure("b", "one", port=8443)) == [None, None]


@pytest.mark.parametrize(
    ("names", "overlapping"),
    [
        (("a.b", "*.b"), True),
        (("x.a.b", "*.b"), False),  # in a certificate a wildcard stands for one label
        (("*.b", "*.b"), True),
        (("*.a.b", "*.b"), False),
        (("", "a.b"), True),
    ],
)
def test_what_overlaps(names, overlapping):
    found = overlaps([({"name": str(index), "port": 1, "hostname": name}, ()) for index, name in enumerate(names)])
    assert [each is not None for each in found] == [overlapping] * 2


def test_of_three_that_overlap_each_is_told_of_one():
    listeners = [secure(name, "one", hostname=host) for name, host in (("a", "*.b"), ("b", "x.b"), ("c", "y.b"))]
    found = overlaps([(each, ()) for each in listeners])
    assert [each.message.split(" in listener ")[1][0] for each in found] == ["c", "a", "a"]


def test_one_that_is_told_of_already_is_not_compared_again():
    listeners = [secure(name, "one", hostname=host) for name, host in (("a", "x.b"), ("b", "*.b"), ("c", "y.b"))]
    found = overlaps([(each, ()) for each in listeners])
    assert [each is not None for each in found] == [True, True, False]
