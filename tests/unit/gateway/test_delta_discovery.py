"""What an Envoy is told, and in which order, by the answers that it gives."""

import pytest

from calico_lab.local.envoy.delta_discovery import Conversation, DeltaDiscoveryRequest
from calico_lab.local.envoy.snapshot import Kind, Resource


def snapshot(**contents):
    """A snapshot: for each kind, in lower case, its resources' contents by name."""
    return {
        kind: {name: Resource(kind, name, body) for name, body in contents.get(kind.name.lower(), {}).items()}
        for kind in Kind
    }


class Envoy:
    """The client's side: has what it was told, and answers when it is asked to."""

    def __init__(self, *, has=()):
        self.conversation = Conversation()
        self.has = {kind: {} for kind in Kind} | dict(has)
        self.told = []

    def asks(self, kind, *names, **fields):
        request = DeltaDiscoveryRequest(type_url=kind, resource_names_subscribe=names, **fields)
        return self.conversation.receive(request)

    def no_longer_asks(self, kind, *names):
        self.conversation.receive(DeltaDiscoveryRequest(type_url=kind, resource_names_unsubscribe=names))

    def hears(self, wanted, now=0.0):
        """What it is told at once: of each response the kind, the names and what is to go."""
        responses = list(self.conversation.responses(wanted, now))
        self.told += responses
        for each in responses:
            kind = Kind(each.type_url)
            self.has[kind] |= {resource.name: resource.resource.value for resource in each.resources}
            for name in each.removed_resources:
                del self.has[kind][name]
        return [
            (Kind(each.type_url), [resource.name for resource in each.resources], list(each.removed_resources))
            for each in responses
        ]

    def answers(self, *, refusal=""):
        """Answer everything; returns why it refuses, as the conversation says it."""
        said = ""
        for each in self.told:
            request = DeltaDiscoveryRequest(type_url=each.type_url, response_nonce=each.nonce)
            request.error_detail.message = refusal
            said = self.conversation.receive(request)
        self.told.clear()
        return said


FIRST = snapshot(
    cluster={"a": b"1"}, endpoints={"a": b"1"}, listener={"http": b"1"}, routes={"http": b"to a"}, certificate={}
)


@pytest.fixture
def envoy():
    """An Envoy that has the first snapshot."""
    envoy = Envoy()
    envoy.asks(Kind.CLUSTER)
    envoy.hears(FIRST)
    envoy.asks(Kind.ENDPOINTS, "a")
    envoy.hears(FIRST)
    envoy.answers()
    envoy.asks(Kind.LISTENER)
    envoy.hears(FIRST)
    envoy.asks(Kind.ROUTES, "http")
    envoy.hears(FIRST)
    envoy.answers()
    return envoy


def test_an_envoy_that_starts_gets_everything_in_the_order_in_which_it_asks(envoy):
    assert envoy.has[Kind.CLUSTER] == envoy.has[Kind.ENDPOINTS] == {"a": b"1"}
    assert (envoy.has[Kind.LISTENER], envoy.has[Kind.ROUTES]) == ({"http": b"1"}, {"http": b"to a"})
    assert envoy.hears(FIRST) == []
    assert envoy.conversation.waiting_since is None


def test_nobody_hears_of_a_kind_before_asking_nor_of_a_name():
    envoy = Envoy()
    envoy.asks(Kind.ENDPOINTS)
    assert envoy.hears(FIRST) == []
    envoy.asks(Kind.ENDPOINTS, "a", "unknown")
    assert envoy.hears(FIRST) == [(Kind.ENDPOINTS, ["a"], [])]


def test_that_there_is_nothing_is_told_once():
    envoy = Envoy()
    envoy.asks(Kind.CLUSTER)
    assert envoy.hears(snapshot()) == [(Kind.CLUSTER, [], [])]
    envoy.answers()
    assert envoy.hears(snapshot()) == []


def test_clusters_come_before_the_routes_that_lead_to_them_and_go_after(envoy):
    wanted = FIRST | snapshot(cluster={"b": b"1"}, endpoints={"b": b"1"}, routes={"http": b"to b"})
    wanted[Kind.LISTENER] = FIRST[Kind.LISTENER]
    assert envoy.hears(wanted) == [(Kind.CLUSTER, ["b"], [])]
    envoy.asks(Kind.ENDPOINTS, "b")
    assert envoy.hears(wanted) == [(Kind.ENDPOINTS, ["b"], [])]
    envoy.answers()
    assert envoy.hears(wanted) == [(Kind.ROUTES, ["http"], [])]
    assert envoy.hears(wanted) == []
    envoy.answers()
    assert envoy.hears(wanted) == [(Kind.CLUSTER, [], ["a"])]
    envoy.answers()
    envoy.no_longer_asks(Kind.ENDPOINTS, "a")
    assert envoy.hears(wanted) == []


def test_endpoints_that_change_are_all_that_is_told(envoy):
    assert envoy.hears(FIRST | {Kind.ENDPOINTS: snapshot(endpoints={"a": b"2"})[Kind.ENDPOINTS]}) == [
        (Kind.ENDPOINTS, ["a"], [])
    ]


def test_a_cluster_that_is_replaced_gets_its_endpoints_with_it(envoy):
    wanted = FIRST | {Kind.CLUSTER: snapshot(cluster={"a": b"2"})[Kind.CLUSTER]}
    assert envoy.hears(wanted) == [(Kind.CLUSTER, ["a"], []), (Kind.ENDPOINTS, ["a"], [])]


def test_a_listener_goes_at_once(envoy):
    assert envoy.hears(FIRST | {Kind.LISTENER: {}}) == [(Kind.LISTENER, [], ["http"])]


def test_certificates_come_before_the_listeners_that_have_them(envoy):
    envoy.asks(Kind.CERTIFICATE, "one")
    certified = snapshot(certificate={"one": b"1"}, listener={"http": b"2"})
    wanted = FIRST | {kind: certified[kind] for kind in (Kind.CERTIFICATE, Kind.LISTENER)}
    assert envoy.hears(wanted) == [(Kind.CERTIFICATE, ["one"], [])]
    envoy.answers()
    assert envoy.hears(wanted) == [(Kind.LISTENER, ["http"], [])]


def test_who_comes_back_is_told_what_has_changed_meanwhile(envoy):
    versions = {kind: {name: each.version for name, each in found.items()} for kind, found in FIRST.items()}
    again = Envoy(has=envoy.has)
    again.asks(Kind.CLUSTER, initial_resource_versions=versions[Kind.CLUSTER])
    again.asks(Kind.ENDPOINTS, "a", initial_resource_versions=versions[Kind.ENDPOINTS])
    again.asks(Kind.LISTENER, initial_resource_versions=versions[Kind.LISTENER])
    again.asks(Kind.ROUTES, "http", initial_resource_versions=versions[Kind.ROUTES])
    wanted = FIRST | {Kind.ENDPOINTS: snapshot(endpoints={"a": b"2"})[Kind.ENDPOINTS]}
    assert again.hears(wanted) == [(Kind.CLUSTER, [], []), (Kind.ENDPOINTS, ["a"], [])]
    again.answers()
    assert again.hears(wanted) == [(Kind.LISTENER, [], [])]


def test_what_is_asked_for_again_is_told_again(envoy):
    envoy.asks(Kind.ENDPOINTS, "a")
    assert envoy.hears(FIRST) == [(Kind.ENDPOINTS, ["a"], [])]


def test_what_envoy_refuses_it_hears_once_and_its_reason_is_told(envoy):
    bad = FIRST | {Kind.CLUSTER: snapshot(cluster={"a": b"bad"})[Kind.CLUSTER]}
    envoy.hears(bad)
    assert envoy.answers(refusal="no such policy") == "no such policy"
    assert envoy.hears(bad) == []
    assert envoy.hears(FIRST)[0] == (Kind.CLUSTER, ["a"], [])


def test_an_envoy_that_does_not_answer_holds_up_nothing_for_ever(envoy):
    wanted = FIRST | snapshot(cluster={"b": b"1"}, routes={"http": b"to b"}, listener={"http": b"1"})
    envoy.hears(wanted, now=1.0)
    assert envoy.hears(wanted, now=2.0) == []
    assert envoy.conversation.waiting_since == 1.0
    envoy.conversation.give_up_waiting()
    assert envoy.hears(wanted) == [(Kind.ROUTES, ["http"], [])]


def test_a_late_answer_is_none_to_what_came_after_it(envoy):
    changes = [FIRST | {Kind.CLUSTER: snapshot(cluster={"a": body})[Kind.CLUSTER]} for body in (b"2", b"3")]
    envoy.hears(changes[0])
    late = list(envoy.told)
    envoy.conversation.give_up_waiting()
    envoy.hears(changes[1])
    envoy.told = late
    envoy.answers()
    assert envoy.conversation.waiting_since is not None


def test_of_a_kind_that_there_is_not_nothing_is_said(envoy):
    assert envoy.asks("type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration", "*") == ""
    assert envoy.hears(FIRST) == []
