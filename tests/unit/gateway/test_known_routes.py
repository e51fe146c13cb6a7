"""Known routes spare work and change nothing: the outcome is always that of a resolution from nothing."""

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support import certificates
from support.gateway_api import (
    GATEWAY,
    ROUTE,
    backend,
    endpoints,
    gateway,
    http_route,
    item,
    listener,
    policy,
    rule,
    secure,
    service,
    world,
)

from calico_lab.local.gateway_api import http_routes, resolve
from calico_lab.local.gateway_api.known_routes import KnownRoutes

OTHER = http_route(rule(backend(namespace="other"), path="/other"), name="other")
ROUTES = (http_route(), OTHER)
GRANT = item(
    "ReferenceGrant", "grant", "other",
    spec={
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "default"}],
        "to": [{"group": "", "kind": "Service"}],
    },
)  # fmt: skip
CHANGES = {
    "a route changed": {"http_routes": (http_route(rule(backend(), path="/new")), OTHER)},
    "a route gone": {"http_routes": (OTHER,)},
    "a route new": {"http_routes": (*ROUTES, http_route(rule(backend(), path="/third"), name="third"))},
    "a route older": {"http_routes": (http_route(created=9), OTHER)},
    "endpoints": {"endpoint_slices": (endpoints("10.48.1.9"),)},
    "services": {"services": (service(port=3001),)},
    "a grant": {"reference_grants": (GRANT,), "services": (service(), service(namespace="other"))},
    "policies": {"backend_traffic_policies": (policy(load_balancer="Random"),)},
    "a policy for the gateway": {"backend_traffic_policies": (policy(kind="Gateway", target=GATEWAY.name),)},
    "listeners": {"gateways": (gateway(listener(port=8080), listener("second", 81)),)},
    "a gateway gone": {"gateways": ()},
    "namespaces": {"namespaces": (item("Namespace", "default", "", labels={}),)},
}


@pytest.fixture
def resolutions(monkeypatch):
    """The names of the routes that are resolved, as they are."""
    asked = []
    real = http_routes.resolve_route

    def resolve_route(world, route, *rest):
        asked.append(route["metadata"]["name"])
        return real(world, route, *rest)

    monkeypatch.setattr(http_routes, "resolve_route", resolve_route)
    return asked


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_outcome_is_that_of_a_resolution_from_nothing(change):
    known = KnownRoutes()
    first = world(http_routes=ROUTES)
    for snapshot in (first, replace(first, **change), first):
        assert resolve.resolve(snapshot, known) == resolve.resolve(snapshot)


def test_one_changed_route_alone_is_resolved(resolutions):
    known = KnownRoutes()
    first = world(http_routes=ROUTES)
    resolve.resolve(first, known)
    resolutions.clear()
    changed = copy.deepcopy(ROUTES[0])
    resolve.resolve(replace(first, http_routes=(changed, OTHER), time=datetime.now(UTC)), known)
    assert resolutions == [ROUTE.name]


def test_a_route_that_went_is_forgotten(resolutions):
    known = KnownRoutes()
    first = world(http_routes=ROUTES)
    for routes in (ROUTES, (OTHER,), ROUTES):
        resolutions.clear()
        resolve.resolve(replace(first, http_routes=routes), known)
    assert resolutions == [ROUTE.name]


def test_a_certificate_that_expires_is_not_overlooked():
    """Nothing has changed but the time."""
    known = KnownRoutes()
    secret = certificates.tls_secret("example-cert", certificates.pair("www.example.com"))
    first = world(gateways=(gateway(secure()),), secrets=(secret,), http_routes=ROUTES)
    late = replace(first, time=first.time + timedelta(days=100 * 365))
    for snapshot in (first, late):
        assert resolve.resolve(snapshot, known) == resolve.resolve(snapshot)
    assert resolve.resolve(first).http_route_statuses != resolve.resolve(late).http_route_statuses
