"""What a client is told to carry, what stands in it, and how visits are told and drawn."""

import base64
from email.message import Message

import pytest

from calico_lab.errors import ReportError
from calico_lab.lessons import clients, sessions
from calico_lab.lessons.clients import Visits
from calico_lab.tools.curl import Answer
from calico_lab.views.sessions_plot import SessionsPlot


def answer(*fields, body='{"pod": "a", "headers": {}}'):
    headers = Message()
    for name, value in fields:
        headers[name] = value
    return Answer(200, body, headers)


def test_what_is_told_is_sent_back():
    told = answer(("Set-Cookie", "other=1; Path=/"), ("Set-Cookie", 'cart="Q2c="; Path=/round; HttpOnly'))
    assert clients.told_to_carry(told, "cart") == {"Cookie": "cart=Q2c="}
    assert clients.told_to_carry(answer(("X-Cart", "MTA=")), "x-cart") == {"x-cart": "MTA="}
    assert clients.told_to_carry(answer(("Set-Cookie", "other=1")), "cart") == {}


def test_an_answer_that_no_pod_gave_is_told():
    assert clients.pod_of(answer()) == "a"
    for body in ("", "[]", "404 page not found"):
        with pytest.raises(ReportError, match="no pod answered, but somebody with status 200"):
            clients.pod_of(answer(body=body))


# A message of Protocol Buffers: field 1, a text of 15 bytes; with a lifetime, field 2, a number.
@pytest.mark.parametrize("packed", [b"10.48.0.70:3000", b"\n\x0f10.48.0.70:3000", b"\n\x0f10.48.0.70:3000\x10\x88\x0e"])
def test_the_address_is_found_in_what_is_carried(packed):
    assert sessions.address_in(base64.b64encode(packed).decode()) == "10.48.0.70:3000"


@pytest.mark.parametrize("carried", ["", "no Base64", base64.b64encode(b"10.48.0.70").decode()])
def test_where_there_is_no_address(carried):
    with pytest.raises(ReportError, match="no address"):
        sessions.address_in(carried)


def route(spec):
    rules = [{"sessionPersistence": spec}] if spec is not None else [{}]
    return {"metadata": {"name": "r", "namespace": "default"}, "spec": {"rules": rules}}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (None, ""),
        ({}, "cookie httproute-default-r-rule-0"),
        ({"type": "Header", "sessionName": "x"}, "header x"),
        ({"sessionName": "x", "cookieConfig": {"lifetimeType": "Session"}, "absoluteTimeout": "1h"}, "cookie x"),
        (
            {"sessionName": "x", "cookieConfig": {"lifetimeType": "Permanent"}, "absoluteTimeout": "1h1m30s"},
            "cookie x, 3690 s",
        ),
    ],
)
def test_what_a_route_asks_for_is_told(spec, words):
    assert sessions.asked_for(route(spec)) == words


KEPT = Visits((("a", "a"), ("b", "b"), ("a", "a")))
MIXED = Visits((("a", "b"), ("b", "a"), ("a", "b")))


def test_visits_are_told_without_names():
    assert repr(KEPT) == "3 clients, 2 requests each: each of them met one pod alone"
    assert repr(MIXED) == "3 clients, 2 requests each: none of them met one pod alone"
    assert repr(Visits((("a", "a"), ("a", "b")))) == "2 clients, 2 requests each: 1 of them met one pod alone"
    assert (KEPT.clients_per_pod, KEPT.last) == ([2, 1], ["a", "b", "a"])
    assert Visits((("a", "c"), ("b", "b"), ("a", "a"))).moved_since(KEPT) == [1]


def test_a_square_for_each_request():
    plot = SessionsPlot({"round robin": MIXED, "by cookie": KEPT})
    (axes,) = plot.figure().axes
    assert [text.get_text() for text in axes.texts if text.get_text().isdigit()] == list("122112112211")
    assert axes.get_title(loc="left") == "0 of 3 clients are still with their pod, 3 have another"
    assert SessionsPlot({"one": KEPT}).figure().axes[0].get_title(loc="left") == "3 of 3 clients met one pod alone"
    assert repr(plot).splitlines()[1] == "by cookie: 3 clients, 2 requests each: each of them met one pod alone"


@pytest.mark.parametrize("phases", [{}, {"a": KEPT, "b": Visits((("a",),))}])
def test_phases_of_different_clients_are_not_drawn(phases):
    with pytest.raises(ValueError, match="the same clients"):
        SessionsPlot(phases)
