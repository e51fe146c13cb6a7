"""Traefik reads Ingresses, a Gateway what they were converted to: both are asked, and answer the same."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.gateway_lab import Case, Reached, ask, assert_loaded, backend, until
from support.labs import RunningLab, calico_lab, running_lab

from calico_lab import connect
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
        yield ingress(name, host, case.get("annotations", {}), paths)
        if "canary" in case:
            canary = {"canary": "true", **case["canary"]}
            yield ingress(f"{name}-canary", host, canary, [[path, kind, "v2"] for path, kind, _ in case["paths"]])


def services() -> Iterator[Case]:
    """The Services of the cases with a canary, for the pods of v1."""
    (v1, _deployment) = backend("v1")
    for case in CASES:
        if "canary" in case:
            yield v1 | {"metadata": {"name": case["name"]}}


OBJECTS = [*backend("v1"), *backend("v2"), *services(), USERS]


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
