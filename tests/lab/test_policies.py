"""What policies and Backends do, by requests and answers through a running gateway."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from support.gateway_lab import (
    Case,
    Reached,
    applied,
    ask,
    assert_loaded,
    backend,
    lab_with_gateway,
    manifest,
    pod_of,
    told,
    until,
)
from support.labs import RunningLab

ROUTE = manifest("route", [{"backendRefs": [{"name": "v1", "port": 80}]}])
ACCEPTED = ["True", "Accepted", "Policy has been accepted."]


@pytest.fixture(scope="module")
def reached() -> Iterator[tuple[RunningLab, Reached]]:
    with lab_with_gateway("policies", *backend("v1", replicas=3), *backend("v2")) as found:
        yield found


@pytest.fixture
def lab(reached: tuple[RunningLab, Reached]) -> Iterator[RunningLab]:
    yield reached[0]
    assert_loaded(reached[0])


@pytest.fixture
def gateway(reached: tuple[RunningLab, Reached]) -> Reached:
    return reached[1]


def policy(name: str = "policy", target: str = "HTTPRoute/route", **spec: Any) -> Case:
    kind, _, of = target.partition("/")
    reference = {"group": "gateway.networking.k8s.io", "kind": kind, "name": of}
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "SecurityPolicy" if "basicAuth" in spec else "BackendTrafficPolicy",
        "metadata": {"name": name},
        "spec": {"targetRefs": [reference], **spec},
    }


def statuses(gateway: Reached, number: int, path: str = "/", options: str = "") -> Counter[int]:
    return Counter(ask(gateway, {"ask": f"{options} {path}".strip()})["status"] for _ in range(number))


def pods(gateway: Reached, number: int, options: str = "") -> set[str]:
    return {pod_of(gateway, options) for _ in range(number)}


@pytest.mark.parametrize(
    ("hashed", "same", "other"),
    [
        ({"type": "SourceIP"}, "", None),
        ({"type": "Header", "header": {"name": "user"}}, "-H user:one", "-H user:{}"),
        ({"type": "Cookie", "cookie": {"name": "user"}}, "-H cookie:user=one", "-H cookie:user={}"),
    ],
)
def test_what_is_hashed_decides_the_pod(lab, gateway, hashed, same, other):
    balancer = {"type": "ConsistentHash", "consistentHash": hashed}
    with applied(lab, [ROUTE, policy(loadBalancer=balancer)]):
        until(lambda: told(lab, [policy()], "policy", "Accepted"), ACCEPTED)
        # Before, requests go to any pod: ten in a row to one, by chance, in 1 of 20,000 runs.
        until(lambda: ask(gateway, {"ask": "/"})["status"], 200)
        until(lambda: len(pods(gateway, 10, same)), 1)
        if other:
            # Sixteen keys on one of three pods, by chance: 1 in 10 million.
            assert len({pod_of(gateway, other.format(number)) for number in range(16)}) > 1


def test_a_cookie_is_given_to_clients_that_have_none(lab, gateway):
    hashed = {"type": "Cookie", "cookie": {"name": "user", "ttl": "60s"}}
    with applied(lab, [ROUTE, policy(loadBalancer={"type": "ConsistentHash", "consistentHash": hashed})]):
        until(lambda: "user=" in ask(gateway, {"ask": "/"})["headers"].get("set-cookie", ""), True)


def test_a_table_size_that_is_not_prime(lab, gateway):
    hashed = {"type": "SourceIP", "tableSize": 1024}
    wrong = policy(loadBalancer={"type": "ConsistentHash", "consistentHash": hashed})
    with applied(lab, [ROUTE, wrong]):
        text = "LoadBalancer: ConsistentHash: invalid TableSize value 1024."
        until(lambda: told(lab, [wrong], "policy", "Accepted"), ["False", "Invalid", text])
        until(lambda: ask(gateway, {"ask": "/"})["status"], 500)


def test_a_request_is_tried_again(lab, gateway):
    """Its status 503 is the backend's answer to each try; how many tries there were, the timeout of each tells."""
    retry = {
        "numRetries": 2,
        "perRetry": {"timeout": "200ms", "backOff": {"baseInterval": "10ms"}},
        "retryOn": {"triggers": ["reset", "5xx"]},
    }
    with applied(lab, [ROUTE, policy(retry=retry)]):
        until(lambda: ask(gateway, {"ask": "/tried?delay=1s"})["status"], 504)
        before = logged(lab, "/three")
        assert ask(gateway, {"ask": "/three?delay=1s"})["status"] == 504
        until(lambda: logged(lab, "/three") - before, 3)


def logged(lab: RunningLab, path: str) -> int:
    return lab.kubectl("logs", "-l", "app=v1", "--tail=-1").count(f"made to {path}?")


def test_a_timeout_ends_a_request_and_the_route_s_own_goes_first(lab, gateway):
    own = manifest(
        "route",
        [
            {"matches": [{"path": {"value": "/own"}}], "timeouts": {"request": "5s"}, "backendRefs": ROUTE_BACKENDS},
            {"backendRefs": ROUTE_BACKENDS},
        ],
    )
    with applied(lab, [own, policy(timeout={"http": {"requestTimeout": "300ms"}})]):
        until(lambda: ask(gateway, {"ask": "/?delay=1s"})["status"], 504)
        assert ask(gateway, {"ask": "/own?delay=1s"})["status"] == 200


ROUTE_BACKENDS = [{"name": "v1", "port": 80}]


def test_an_open_circuit_is_answered_503(lab, gateway):
    breaker = {"maxConnections": 1, "maxPendingRequests": 1, "maxParallelRequests": 1}
    with applied(lab, [ROUTE, policy(circuitBreaker=breaker)]):
        load = f"hey -n 20 -c 20 -host www.example.com 'http://{gateway.address}/?delay=200ms'"
        until(lambda: "[503]" in gateway.bastion.run(load).output, True)
        assert "[200]" in gateway.bastion.run(load).output


def test_more_than_the_limit_is_answered_429(lab, gateway):
    limit = {"requests": 3, "unit": "Hour"}
    by_user = {"clientSelectors": [{"headers": [{"name": "user", "value": "one"}]}], "limit": limit}
    with applied(lab, [ROUTE, policy(rateLimit={"type": "Local", "local": {"rules": [by_user]}})]):
        until(lambda: ask(gateway, {"ask": "-H user:one /"})["status"], 429)
        answer = ask(gateway, {"ask": "-H user:one /"})
        assert answer["headers"]["x-ratelimit-limit"].startswith("3")
        assert statuses(gateway, 5, options="-H user:two") == {200: 5}


PAGES = "/usr/share/nginx/html"


@pytest.mark.parametrize(
    ("pages", "asked"),
    [({"index.html": "nginx", "health": "ok"}, {"echo", "nginx"}), ({"index.html": "nginx"}, {"echo"})],
)
def test_an_unhealthy_pod_is_left_out(lab, gateway, pages, asked):
    """nginx is healthy where it has a page of that name. Until there is traffic, Envoy asks only once a minute."""
    check = {"type": "HTTP", "interval": "100ms", "timeout": "1s", "unhealthyThreshold": 1, "http": {"path": "/health"}}
    both = manifest("route", [{"backendRefs": [{"name": "v1", "port": 80}, {"name": "nginx", "port": 80}]}])
    with applied(lab, [*nginx(PAGES, pages), both]):
        # One of two backends is never drawn in 30 requests: 1 in a billion.
        until(lambda: bodies(gateway, 30), {"echo", "nginx"})
        with applied(lab, [policy(healthCheck={"active": check, "panicThreshold": 0})]):
            until(lambda: told(lab, [policy(healthCheck={})], "policy", "Accepted"), ACCEPTED)
            until(lambda: bodies(gateway, 30), asked)


def test_a_pod_that_answers_badly_is_left_out_for_a_while(lab, gateway):
    passive = {"interval": "100ms", "consecutive5XxErrors": 3, "baseEjectionTime": "60s", "maxEjectionPercent": 100}
    both = manifest("route", [{"backendRefs": [{"name": "v1", "port": 80}, {"name": "nginx", "port": 80}]}])
    failing = nginx("/etc/nginx/conf.d", {"default.conf": "server { listen 80; return 500; }"})
    with applied(lab, [*failing, both]):
        until(lambda: statuses(gateway, 30).keys(), {200, 500})
        with applied(lab, [policy(healthCheck={"passive": passive})]):
            until(lambda: statuses(gateway, 30), {200: 30})


def bodies(gateway: Reached, number: int) -> set[str]:
    return {"echo" if ask(gateway, {"ask": "/"})["seen"] else "nginx" for _ in range(number)}


def nginx(folder: str, files: dict[str, str]) -> list[Case]:
    """nginx with a ConfigMap's files in a folder."""
    metadata, labels = {"name": "nginx", "namespace": "default"}, {"app": "nginx"}
    container = {
        "name": "nginx",
        "image": "nginx:1.27",
        "ports": [{"containerPort": 80}],
        "volumeMounts": [{"name": "configuration", "mountPath": folder}],
    }
    volumes = [{"name": "configuration", "configMap": {"name": "nginx"}}]
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": volumes}}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": files},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"port": 80}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"selector": {"matchLabels": labels}, "template": pod},
        },
    ]


def test_the_gateway_s_policy_is_for_routes_without_one(lab, gateway):
    wide = policy("wide", "Gateway/gw", timeout={"http": {"requestTimeout": "300ms"}})
    own = policy("own", timeout={"http": {"requestTimeout": "5s"}})
    with applied(lab, [ROUTE, wide]):
        until(lambda: ask(gateway, {"ask": "/?delay=1s"})["status"], 504)
        with applied(lab, [own]):
            until(lambda: ask(gateway, {"ask": "/?delay=1s"})["status"], 200)
            text = "This policy is being overridden by other backendTrafficPolicies for these routes: [default/route]"
            until(lambda: told(lab, [wide], "wide", "Overridden"), ["True", "Overridden", text])
        until(lambda: ask(gateway, {"ask": "/?delay=1s"})["status"], 504)


def users(*lines: str) -> Case:
    content = base64.b64encode("\n".join(lines).encode()).decode()
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "users"}, "data": {".htpasswd": content}}


def entry(user: str, password: str) -> str:
    return f"{user}:{{SHA}}{base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()}"


AUTHENTICATION = policy(basicAuth={"users": {"name": "users"}, "forwardUsernameHeader": "who"})


def test_who_has_no_password_is_not_let_in(lab, gateway):
    with applied(lab, [ROUTE, users(entry("ann", "secret")), AUTHENTICATION]):
        until(lambda: ask(gateway, {"ask": "/"})["status"], 401)
        assert ask(gateway, {"ask": "-u ann:wrong /"})["status"] == 401
        answer = ask(gateway, {"ask": "-u ann:secret /"})
        assert (answer["status"], answer["seen"]["headers"]["Who"]) == (200, ["ann"])


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        (None, "BasicAuth: secret default/users does not exist."),
        (users(), "BasicAuth: users secret not found in secret default/users."),
        (users("ann:$apr1$x"), "BasicAuth: unsupported htpasswd format: please use {SHA}."),
        (
            users("ann"),
            "BasicAuth: invalid htpasswd format: each line must be in the format 'username:password'.",
        ),
    ],
)
def test_users_that_cannot_be_read_let_nobody_in(lab, gateway, secret, text):
    with applied(lab, [ROUTE, AUTHENTICATION, *([secret] if secret else [])]):
        until(lambda: told(lab, [AUTHENTICATION], "policy", "Accepted"), ["False", "Invalid", text])
        until(lambda: ask(gateway, {"ask": "/"})["status"], 500)


def outside(name: str, *endpoints: Case, **spec: Any) -> Case:
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": name},
        "spec": {"endpoints": list(endpoints), **spec},
    }


def to_backend(*names: str) -> list[Case]:
    return [{"group": "gateway.envoyproxy.io", "kind": "Backend", "name": name} for name in names]


def test_a_backend_is_reached_by_its_address_and_by_its_name(lab, gateway):
    address = lab.get("service", "v2")["spec"]["clusterIP"]
    by_address = outside("by-address", {"ip": {"address": address, "port": 80}})
    by_name = outside("by-name", {"fqdn": {"hostname": "v2.default.svc.cluster.local", "port": 80}})
    for each in (by_address, by_name):
        name = each["metadata"]["name"]
        with applied(lab, [each, manifest("route", [{"backendRefs": to_backend(name)}])]):
            until(lambda name=name, each=each: told(lab, [each], name, "Accepted")[:1], ["True"])
            until(lambda: ask(gateway, {"ask": "/"})["seen"].get("pod", "")[:2], "v2")


def test_the_fallback_answers_when_the_others_are_not_well(lab, gateway):
    address = lab.get("service", "v2")["spec"]["clusterIP"]
    first = outside("first", {"ip": {"address": lab.get("service", "v1")["spec"]["clusterIP"], "port": 80}})
    second = outside("second", {"ip": {"address": address, "port": 80}}, fallback=True)
    passive = {"interval": "100ms", "consecutive5XxErrors": 2, "baseEjectionTime": "1s", "maxEjectionPercent": 100}
    route = manifest("route", [{"backendRefs": to_backend("first", "second")}])
    with applied(lab, [first, second, route, policy(healthCheck={"passive": passive})]):
        until(lambda: ask(gateway, {"ask": "/"})["seen"].get("pod", "")[:2], "v1")
        lab.kubectl("scale", "deployment/v1", "--replicas=0")
        try:
            until(lambda: ask(gateway, {"ask": "/"})["seen"].get("pod", "")[:2], "v2")
        finally:
            lab.kubectl("scale", "deployment/v1", "--replicas=3")
            lab.kubectl("rollout", "status", "deployment/v1")
        until(lambda: ask(gateway, {"ask": "/"})["seen"].get("pod", "")[:2], "v1")


def test_a_backend_on_loopback_is_not_accepted(lab, gateway):
    wrong = outside("wrong", {"ip": {"address": "127.0.0.1", "port": 80}})
    route = manifest("route", [{"backendRefs": to_backend("wrong")}])
    with applied(lab, [wrong, route]):
        text = "The Backend was not accepted: IP address 127.0.0.1 in the loopback range is not supported"
        until(lambda: told(lab, [wrong], "wrong", "Accepted"), ["False", "Invalid", text])
        until(lambda: ask(gateway, {"ask": "/"})["status"], 500)
