"""Traefik reads Ingresses, a Gateway what they were converted to: both are asked, and answer the same."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support import certificates
from support.gateway_lab import Case, Reached, applied, ask, assert_loaded, backend, until
from support.labs import RunningLab, calico_lab, running_lab

from calico_lab import connect
from calico_lab.lessons import side_by_side
from calico_lab.lessons.ingress_conversion import Conversion, Outcome, convert
from calico_lab.lessons.ingress_conversion.ingresses import PREFIX
from calico_lab.lessons.steps import manifest

CASES = yaml.safe_load((Path(__file__).parent / "ingresses.yaml").read_text())
REQUESTS = [
    pytest.param(case, request, id=f"{case['name']} {request['ask']}") for case in CASES for request in case["requests"]
]
SHA = base64.b64encode(hashlib.sha1(b"apple").digest()).decode()
USERS = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "users"},
    "stringData": {"auth": f"ann:{{SHA}}{SHA}"},
}


def ingress(name: str, host: str, annotations: Case, paths: list[Any]) -> Case:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "annotations": {PREFIX + key: value for key, value in annotations.items()}},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [
                {
                    "host": host,
                    "http": {
                        "paths": [
                            {
                                "path": path,
                                "pathType": kind,
                                "backend": {"service": {"name": service, "port": {"name": "http"}}},
                            }
                            for path, kind, service in paths
                        ]
                    },
                }
            ],
        },
    }


def ingresses() -> Iterator[Case]:
    for case in CASES:
        name, host = case["name"], case.get("host", f"{case['name']}.example.com")
        paths = [[path, kind, name if "canary" in case else service] for path, kind, service in case["paths"]]
        made = ingress(name, host, case.get("annotations", {}), paths)
        if "tls" in case:
            made["spec"]["tls"] = [{"hosts": [host], "secretName": name}]
        yield made
        if "canary" in case:
            canary = {"canary": "true", **case["canary"]}
            yield ingress(f"{name}-canary", host, canary, [[path, kind, "v2"] for path, kind, _ in case["paths"]])


def services() -> Iterator[Case]:
    """The Services of the cases with a canary, for the pods of v1."""
    (v1, _deployment) = backend("v1")
    for case in CASES:
        if "canary" in case:
            yield v1 | {"metadata": {"name": case["name"]}}


CERTIFICATE = {
    "apiVersion": "v1",
    **certificates.tls_secret("secure", certificates.pair("secure.example.com")),
    "kind": "Secret",
    "metadata": {"name": "secure"},
}
OBJECTS = [*backend("v1", replicas=3), *backend("v2"), *services(), CERTIFICATE, USERS]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[RunningLab, Reached, Reached]]:
    """The lab, Traefik and the Gateway."""
    with running_lab("ingress") as lab:
        calico_lab("reset", "--name", lab.name, "--to", "hey")
        given = list(ingresses())
        lab.kubectl(
            "apply", "-f", "-", stdin=manifest("ingress/traefik") + "---\n" + yaml.safe_dump_all([*OBJECTS, *given])
        )
        lab.kubectl("apply", "-f", "-", stdin=converted(given).manifest)
        for deployment in ("traefik", "v1", "v2"):
            lab.kubectl("rollout", "status", f"deployment/{deployment}")
        lab.kubectl("wait", "--for=condition=Programmed", "gateway/gateway", "--timeout=20s")
        bastion = connect(lab.kubeconfig).bastion
        addresses = [
            lab.get("service", "traefik")["status"]["loadBalancer"]["ingress"][0]["ip"],
            lab.get("gateway", "gateway")["status"]["addresses"][0]["value"],
        ]
        for address in addresses:
            lab.bastion(f"timeout 10 bash -c 'until ip route | grep -q ^{address}; do sleep 0.1; done'")
        traefik, gateway = (Reached(address, bastion) for address in addresses)
        for reached in (traefik, gateway):
            until(lambda reached=reached: ask(reached, {"ask": "/x", "host": "other.wild.example.com"})["status"], 200)
        yield lab, traefik, gateway


def converted(given: list[Case]) -> Conversion:
    users = {**USERS, "data": {"auth": base64.b64encode(USERS["stringData"]["auth"].encode()).decode()}}
    return convert([*given, *OBJECTS[:-1], users])


def answer(reached: Reached, case: Case, request: Case) -> list[Any]:
    """Return status, deployment and path."""
    found = ask(reached, {"host": f"{case['name']}.example.com"} | request)
    pod = found["seen"].get("pod", "").partition("-")[0]
    return [found["status"], *([pod, found["seen"]["path"]] if pod else [])]


@pytest.mark.parametrize(("case", "request_"), REQUESTS)
def test_both_answer(both, case, request_):
    _lab, traefik, gateway = both
    assert answer(gateway, case, request_) == request_["wants"]
    assert answer(traefik, case, request_) == request_.get("traefik", request_["wants"])
    for reached in (traefik, gateway):
        found = ask(reached, {"host": f"{case['name']}.example.com"} | request_)
        if "location" in request_:
            assert found["headers"]["location"] == request_["location"]
        for field, wanted in request_.get("seen", {}).items():
            assert found["seen"][field] == wanted


def test_what_differs_is_told(both):
    """Each case in which Traefik answers otherwise has a remark that says so."""
    remarks = converted(list(ingresses())).remarks
    for case in CASES:
        if any("traefik" in request for request in case["requests"]):
            assert any(each.ingress == case["name"] and each.outcome is Outcome.DIFFERS for each in remarks), case


def test_envoy_takes_it_all(both):
    assert_loaded(both[0])
    for route in both[0].get("httproutes")["items"]:
        conditions = route["status"]["parents"][0]["conditions"]
        assert {each["status"] for each in conditions} == {"True"}, route["metadata"]["name"]


SEGMENTS = st.lists(st.sampled_from(["a", "b", "ab", "b.c", "1"]), max_size=3)
REQUEST_PATHS = SEGMENTS.map(lambda parts: "/" + "/".join(parts))
PATHS = st.tuples(REQUEST_PATHS, st.sampled_from(["Prefix", "Exact"]), st.sampled_from(["v1", "v2"]))
MANY = st.lists(st.lists(PATHS, min_size=1, max_size=4, unique_by=lambda path: path[0]), min_size=8, max_size=8)


@settings(max_examples=3, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(MANY, st.lists(REQUEST_PATHS, min_size=25, max_size=25))
def test_random_ingresses_are_answered_alike(both, several, asked):
    """Eight Ingresses with random paths, each asked for random paths: Traefik and the Gateway give the same answers."""
    lab, traefik, gateway = both
    made = [ingress(f"random-{n}", f"random-{n}.example.com", {}, paths) for n, paths in enumerate(several)]
    routes = [item for item in converted(made).objects if item["kind"] not in ("Gateway", "BackendTrafficPolicy")]
    with applied(lab, [*made, *routes]):
        requests = [
            (each["spec"]["rules"][0]["host"], path)
            for each, paths in zip(made, several, strict=True)
            for path in [*asked, *(own for own, _kind, _service in paths)]
            if not fits_both_ways(path, paths)
        ]

        def differing():
            answers = [
                side_by_side.ask(reached.bastion, [(reached.address, *request) for request in requests])
                for reached in (traefik, gateway)
            ]
            pairs = zip(requests, *([str(answer) for answer in column] for column in answers), strict=True)
            return [entry for entry in pairs if entry[1] != entry[2]]

        until(differing, [])


def fits_both_ways(asked: str, paths: list[Any]) -> bool:
    """Whether a path is Exact, and below a Prefix too: Traefik then takes the Prefix, against the Ingress API."""
    exact = any(path == asked for path, kind, _service in paths if kind == "Exact")
    prefixes = [path.rstrip("/") for path, kind, _service in paths if kind == "Prefix"]
    return exact and any(f"{asked}/".startswith(f"{prefix}/") for prefix in prefixes)


@pytest.fixture(params=["Traefik", "the Gateway"])
def either(both, request) -> Reached:
    return both[1 if request.param == "Traefik" else 2]


def test_a_session_stays_with_its_pod(either):
    """The cookie of the first answer keeps all others at the pod; without it they are dealt out."""
    url = f"-H 'Host: sticky.example.com' http://{either.address}/"
    first = f"rm -f jar; curl -s -c jar {url} > /dev/null; grep -o stay jar"
    assert either.bastion.run(first).output.strip() == "stay"
    kept = either.bastion.run(f"for n in 1 2 3 4 5 6; do curl -s -b jar {url} | grep pod; done").output
    dealt = either.bastion.run(f"for n in 1 2 3 4 5 6; do curl -s {url} | grep pod; done").output
    assert [len(set(told.splitlines())) for told in (kept, dealt)] == [1, 3]


def test_a_client_is_limited(either):
    """Of many requests at once the last ones are refused; the code and the burst differ, as the remark says."""
    found = side_by_side.ask(either.bastion, [(either.address, "limited.example.com", "/")] * 20)
    statuses = [answer.status for answer in found]
    assert statuses[0] == 200
    assert statuses[-1] in (429, 503)


def test_who_comes_without_tls_is_sent_to_it(either):
    host = f"--resolve secure.example.com:443:{either.address} -H 'Host: secure.example.com'"
    look = f"curl -s -o /dev/null -w '%{{http_code}} %{{redirect_url}}' {host} http://{either.address}/cart"
    code, location = either.bastion.run(look).output.split()
    assert (int(code) in (301, 308), location) == (True, "https://secure.example.com/cart")
    secure = either.bastion.run(f"curl -sk {host} https://secure.example.com/cart").output
    assert '"path": "/cart"' in secure
