"""From an object to what it made in Envoy: asked of a running Envoy, in a notebook's words and as a command."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator

import pytest
from support.gateway_lab import Case, applied, backend, lab_with_gateway, manifest, until
from support.labs import RunningLab, calico_lab

import calico_lab as course
from calico_lab.lessons.envoy_pieces import Made

ROUTE = manifest("route", [{"backendRefs": [{"name": "v1", "port": 80}]}])
OTHER = manifest(
    "other", {"hostnames": ["other.example.com"], "rules": [{"backendRefs": [{"name": "v1", "port": 80}]}]}
)
RULE = "httproute/default/route/rule/0"
USER = "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="  # the SHA-1 of: secret
USERS = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "users"},
    "stringData": {".htpasswd": USER},
}
OUTSIDE = {
    "apiVersion": "gateway.envoyproxy.io/v1alpha1",
    "kind": "Backend",
    "metadata": {"name": "outside"},
    "spec": {"fallback": True, "endpoints": [{"ip": {"address": "192.0.2.7", "port": 8080}}]},
}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with lab_with_gateway("pieces", *backend("v1")) as (lab, _), applied(lab, [ROUTE, OTHER]):
        yield lab


@pytest.fixture
def made(lab: RunningLab) -> Callable[..., Made]:
    connected = course.connect(lab.kubeconfig)
    return lambda kind, name: connected.envoy(kind, name).made


def policy(name: str, target: str = "HTTPRoute/route", kind: str = "BackendTrafficPolicy", **spec: object) -> Case:
    of, _, called = target.partition("/")
    reference = {"group": "gateway.networking.k8s.io", "kind": of, "name": called}
    spec = {"targetRefs": [reference], **spec}
    return {"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def names(made: Made, what: str = "cluster") -> list[str]:
    return [each.name for each in made.pieces if each.what == what]


def test_a_gateway_makes_a_listener_for_each_port(made):
    listeners = made("Gateway", "gw").pieces
    assert [(each.what, each.name, each.says) for each in listeners] == [
        ("listener", "default/gw/http", "takes connections at 0.0.0.0:10080"),
        ("listener", "default/gw/second", "takes connections at 0.0.0.0:8080"),
        ("listener", "default/gw/closed", "takes connections at 0.0.0.0:8081"),
    ]
    assert listeners[0].content["address"]["socket_address"]["port_value"] == 10080


def test_a_route_makes_routes_and_a_cluster(made):
    until(lambda: names(made("HTTPRoute", "route")), [RULE])
    shown = str(made("httproutes", "route"))
    assert shown.splitlines()[:3] == [
        "HTTPRoute default/route made in Envoy",
        f"route      {RULE}/match/0/*",
        f"           * /... -> {RULE}",
    ]
    assert "           least_request over 1 endpoint" in shown.splitlines()


def test_a_policy_makes_only_what_it_asks_for(lab, made):
    asked = policy("own", loadBalancer={"type": "RoundRobin"}, retry={"numRetries": 5})
    with applied(lab, [asked]):
        until(lambda: [each.name for each in made("btp", "own").pieces], [f"{RULE}/match/0/*", RULE])
        route, cluster = made("btp", "own").pieces
        assert route.content["route"]["retry_policy"]["num_retries"] == 5
        assert list(cluster.content) == ["load_balancing_policy"]
        assert cluster.says == "load_balancing_policy (round_robin)"


def test_a_gateway_s_policy_is_in_the_routes_without_one(lab, made):
    wide = policy("wide", "Gateway/gw", loadBalancer={"type": "Random"})
    with applied(lab, [wide]):
        until(lambda: names(made("btp", "wide")), ["httproute/default/other/rule/0", RULE])
        with applied(lab, [policy("own", loadBalancer={"type": "RoundRobin"})]):
            until(lambda: names(made("btp", "wide")), ["httproute/default/other/rule/0"])
            assert names(made("btp", "own")) == [RULE]


def test_a_policy_that_is_not_in_force_says_why(lab, made):
    refused = policy("young", loadBalancer={"type": "Random"})
    with applied(lab, [policy("a", loadBalancer={"type": "RoundRobin"})]):
        until(lambda: names(made("btp", "a")), [RULE])
        with applied(lab, [refused]):
            text = "Unable to target HTTPRoute route, another BackendTrafficPolicy has already attached to it"
            until(lambda: made("btp", "young").because, f"Conflicted: {text}")
    with applied(lab, [policy("lost", "HTTPRoute/misspelt", loadBalancer={"type": "Random"})]):
        assert str(made("btp", "lost")).endswith("made nothing in Envoy: it is attached to no Gateway that is there")


def test_passwords_are_not_shown(lab, made):
    asked = policy("guard", kind="SecurityPolicy", basicAuth={"users": {"name": "users"}})
    with applied(lab, [USERS, asked]):
        until(lambda: [each.says for each in made("sp", "guard").pieces], ["basic authentication"])
        shown = json.dumps(made("sp", "guard").as_json())
        assert base64.b64encode(USER.encode()).decode() not in shown
        assert base64.b64encode(b"[redacted]").decode() in shown


def test_a_backend_is_among_the_endpoints(lab, made):
    reference = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "outside"}
    route = manifest("to-both", [{"backendRefs": [{"name": "v1", "port": 80}, reference]}])
    with applied(lab, [OUTSIDE, route]):
        until(
            lambda: [each.name for each in made("be", "outside").pieces], ["httproute/default/to-both/rule/0/backend/1"]
        )
        (piece,) = made("be", "outside").pieces
        assert piece.content["priority"] == 1
        assert "192.0.2.7" in json.dumps(piece.content)


def test_the_page_unfolds_and_has_no_addresses(lab):
    page = course.connect(lab.kubeconfig).envoy("HTTPRoute", "route")._repr_html_()
    assert page.count("<details") == 3
    assert "&quot;1 endpoint&quot;" in page
    assert "10.48." not in page


def test_the_command_shows_the_same(lab):
    asked = ["envoy", "httproute", "route", "--name", lab.name]
    told = calico_lab(*asked)
    assert (told.returncode, told.stdout.splitlines()[0]) == (0, "HTTPRoute default/route made in Envoy")
    found = json.loads(calico_lab(*asked, "--json").stdout)
    assert [each["what"] for each in found] == ["route", "cluster", "endpoints"]
    assert found[1]["configuration"]["name"] == RULE


@pytest.mark.parametrize(("kind", "words"), [("pod", "name one of Gateway"), ("httproute", "not found")])
def test_what_is_not_there_is_told(lab, kind, words):
    told = calico_lab("envoy", kind, "missing", "--name", lab.name)
    assert told.returncode == 1
    assert words in told.stderr


def test_a_tcp_route_makes_a_filter_chain(lab, made):
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "plain"},
        "spec": {
            "gatewayClassName": "tigera-gateway-class",
            "listeners": [{"name": "tcp", "protocol": "TCP", "port": 9000}],
        },
    }
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1alpha2",
        "kind": "TCPRoute",
        "metadata": {"name": "plain"},
        "spec": {"parentRefs": [{"name": "plain"}], "rules": [{"backendRefs": [{"name": "v1", "port": 80}]}]},
    }
    with applied(lab, [gateway, route]):
        lab.kubectl("wait", "--for=condition=Programmed", "gateway/plain", "--timeout=20s")
        until(
            lambda: [each.what for each in made("TCPRoute", "plain").pieces], ["filter chain", "cluster", "endpoints"]
        )
