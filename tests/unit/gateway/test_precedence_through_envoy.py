"""Random routes in one Envoy, random requests to it, and what a plain reference matcher says who gets them.

Each rule answers with a redirect to a name of its own, so that no backend is needed to tell who got a request.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from itertools import product

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.envoys import Envoy, pipelined
from support.gateway_api import http_route
from support.ports import free_ports
from support.reference_matcher import Departures, Request, Specification, chosen

EXPRESSIONS = ["/.*", "/a.*", "/a(/b)?", "/a/b"]
# Few, so that many matches compete for a request.
PATHS = ["/", "/a", "/a/", "/a/b"]
ASKED = [*PATHS, "/ab", "/a/b/", "/a/bb", "/a/b/a", "/c"]
HOSTS = ["www.example.com", "api.www.example.com", "www.example.org", "other.test", "a.b.example.com"]
OVERLAPPING = st.lists(
    st.sampled_from(["www.example.com", "*.example.com", "*.www.example.com", "*.com", "*.example.org"]),
    max_size=2,
    unique=True,
)
# Hostnames of which none covers another, and no route is without one.
APART = st.lists(
    st.sampled_from(["www.example.com", "*.www.example.com", "*.example.org", "other.test"]),
    min_size=1,
    max_size=2,
    unique=True,
)


# A match is drawn from lists made beforehand, and requests by their number: a thing at a time would take a minute.
def matches(paths, methods, headers, query):
    # Each part is left out as often as not, else what comes after it in precedence would seldom decide.
    seldom = [[*each, *[None] * len(each)] for each in (methods, headers, query)]
    return st.builds(
        lambda *parts: {name: part for name, part in zip(PARTS, parts, strict=True) if part},
        *[st.sampled_from(each) for each in (paths, *seldom)],
    )


PARTS = ("path", "method", "headers", "queryParams")


def values(*names, expressions=()):
    """Every list of matches of these names, each by one of two values or by an expression, or not at all."""
    kinds = [("Exact", "1"), ("Exact", "2"), *(("RegularExpression", each) for each in expressions)]
    of_name = [[None, *({"name": name, "type": kind, "value": value} for kind, value in kinds)] for name in names]
    return [[each for each in chosen_ones if each] for chosen_ones in product(*of_name)]


def paths(kind, of_kind):
    return [{"type": kind, "value": each} for each in of_kind]


SPECIFIED_PATHS = [*paths("Exact", PATHS), *paths("PathPrefix", PATHS)]
METHODS = ["GET", "POST", "PUT"]
HEADERS, QUERY = ("x-one", "x-two"), ("p", "q")
# What the specification decides, and Envoy Gateway in no other way: no method beside headers, no regular expression.
BY_METHOD = matches(SPECIFIED_PATHS, METHODS, [None], values(*QUERY))
BY_HEADERS = matches(SPECIFIED_PATHS, [None], values(*HEADERS), values(*QUERY))
ANY_MATCH = matches(
    [*SPECIFIED_PATHS, *paths("RegularExpression", EXPRESSIONS)],
    METHODS,
    values(*HEADERS, expressions=["[12]", "1|3"]),
    values(*QUERY, expressions=["[12]", ".*"]),
)


def requests(seed):
    """A hundred random requests."""
    luck = random.Random(seed)

    def some(names):
        return {name: luck.choice("1123") for name in names if luck.random() < 0.8}

    return [
        Request(luck.choice(HOSTS), luck.choice(ASKED), luck.choice(METHODS), some(HEADERS), some(QUERY))
        for _ in range(100)
    ]


@st.composite
def routes(draw, match, hostnames):
    """Up to eight HTTPRoutes of different names and ages, each with up to three rules."""
    names = draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True))
    rules = st.lists(st.lists(match, min_size=2, max_size=4), min_size=1, max_size=4)
    return [
        http_route(
            *[answering(name, index, found) for index, found in enumerate(draw(rules))],
            name=name,
            created=draw(st.integers(0, 2)),
            hostnames=draw(hostnames),
        )
        for name in names
    ]


def answering(route, index, matches):
    redirect = {"hostname": f"{route}-{index}.rule.test"}
    return {"matches": matches, "filters": [{"type": "RequestRedirect", "requestRedirect": redirect}]}


class Asked:
    """An Envoy that is given one configuration after another."""

    def __init__(self, runner, envoy):
        self.runner, self.envoy = runner, envoy

    def differences(self, http_routes, requests, rules):
        """Return the requests that another rule gets than should, with the rule that should and the one that does."""
        got = self.runner.run(self._who_gets(http_routes, requests))
        wanted = [chosen(http_routes, request, rules) for request in requests]
        return [each for each in zip(requests, wanted, got, strict=True) if each[1] != each[2]]

    async def _who_gets(self, http_routes, requests):
        self.envoy.apply(http_routes=http_routes)
        await self.envoy.takes_up()
        return [_rule(answer) for answer in await pipelined(self.envoy.port, map(text, requests))]


def text(request: Request) -> str:
    query = "?" + "&".join(f"{name}={value}" for name, value in request.query.items()) if request.query else ""
    headers = {"host": request.host, "content-length": "0"} | request.headers
    lines = [f"{request.method} {request.path}{query} HTTP/1.1", *(f"{key}: {value}" for key, value in headers.items())]
    return "\r\n".join([*lines, "", ""])


def _rule(answer):
    if answer.status == 404:
        return None
    assert answer.status == 302
    route, _, index = answer.headers["location"].removeprefix("http://").partition(".")[0].partition("-")
    return route, int(index)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("envoy") / "xds"
    folder.mkdir()
    envoy = Envoy(folder, free_ports(4), [])
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        envoy.apply()
        runner.run(stack.enter_async_context(envoy.running()))
        yield Asked(runner, envoy)
        runner.run(stack.aclose())


# A counterexample isn't made smaller, which would take minutes: the requests that went wrong are told as they are.
MANY = settings(max_examples=80, phases=[Phase.generate], database=None)


@MANY
@given(http_routes=routes(BY_METHOD, APART) | routes(BY_HEADERS, APART), seed=st.integers(0, 1000))
def test_who_gets_a_request_is_as_specified(asked, http_routes, seed):
    assert asked.differences(http_routes, requests(seed), Specification()) == []


@MANY
@given(http_routes=routes(ANY_MATCH, OVERLAPPING), seed=st.integers(0, 1000))
def test_who_gets_a_request_departs_from_that_as_envoy_gateway_does(asked, http_routes, seed):
    assert asked.differences(http_routes, requests(seed), Departures()) == []
