"""What routes do, by requests and answers through a running gateway: the table stands in ``routes.yaml``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.labs import RunningLab, calico_lab, running_lab

from calico_lab import connect
from calico_lab.bastion import Bastion

Case = dict[str, Any]
CASES: list[Case] = yaml.safe_load(Path(__file__).with_name("routes.yaml").read_text())["cases"]
# In which Envoy takes up what the API server has accepted, on a machine that is busy.
SECONDS = 10.0


@dataclass(frozen=True)
class Reached:
    """The gateway's address, and the bastion that reaches it, over a connection that is kept."""

    address: str
    bastion: Bastion


ECHO = "gcr.io/k8s-staging-gateway-api/echo-basic:v20231214-v1.0.0-140-gf544a46e"


def backend(name: str, namespace: str = "default") -> list[Case]:
    labels = {"app": name}
    container = {
        "name": "echo",
        "image": ECHO,
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    }
    ports = [{"name": "http", "port": 80, "targetPort": 3000}, {"name": "h2c", "port": 81, "targetPort": 3001}]
    metadata = {"name": name, "namespace": namespace}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": labels, "ports": ports}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        },
    ]


GATEWAY = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "gw"},
    "spec": {
        "gatewayClassName": "tigera-gateway-class",
        "listeners": [
            {"name": "http", "protocol": "HTTP", "port": 80},
            {"name": "second", "protocol": "HTTP", "port": 8080},
            {
                "name": "closed",
                "protocol": "HTTP",
                "port": 8081,
                "allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "another"}}}},
            },
        ],
    },
}
NAMESPACES = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("open", "closed")]


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("routes") as lab:
        calico_lab("reset", "--name", lab.name, "--to", "hey")
        backends = [*backend("v1"), *backend("v2"), *backend("v3"), *backend("far", "open"), *backend("far", "closed")]
        lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([*NAMESPACES, *backends, GATEWAY]))
        lab.kubectl("rollout", "status", "deployment/v1", "deployment/v2", "deployment/v3")
        lab.kubectl("rollout", "status", "deployment/far", "-n", "open")
        lab.kubectl("wait", "--for=condition=Programmed", "gateway/gw", "--timeout=20s")
        yield lab


@pytest.fixture(scope="module")
def gateway(lab: RunningLab) -> Reached:
    address = str(lab.get("gateway", "gw")["status"]["addresses"][0]["value"])
    lab.bastion(f"timeout 10 bash -c 'until ip route | grep -q ^{address}; do sleep 0.1; done'")
    return Reached(address, connect(lab.kubeconfig).bastion)


def manifest(name: str, route: Any) -> Case:
    spec = {"rules": route} if isinstance(route, list) else {**route}
    kind = "GRPCRoute" if spec.pop("grpc", False) else "HTTPRoute"
    common = {"parentRefs": [{"name": "gw", "sectionName": "http"}]}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": common | spec,
    }


@pytest.mark.parametrize("case", [pytest.param(case, id=case["case"]) for case in CASES])
def test_a_route(lab: RunningLab, gateway: Reached, case: Case):
    objects = [manifest(name, route) for name, route in case["routes"].items()] + case.get("objects", [])
    text = yaml.safe_dump_all(objects)
    lab.kubectl("apply", "-f", "-", stdin=text)
    try:
        for condition in case.get("told", []):
            until(lambda condition=condition: told(lab, objects, condition[0], condition[1]), condition[2:])
        for request in case["requests"]:
            until(lambda request=request: differences(ask(gateway, request), request), {})
            for _ in range(request.get("times", 1) - 1):
                assert differences(ask(gateway, request), request) == {}
        for app, lines in case.get("logged", {}).items():
            for path, least in lines.items():
                log = lab.kubectl("logs", "-l", f"app={app}")
                assert log.count(f"made to {path} ") >= least, log
        if "rules" in str(objects):
            assert_loaded(lab)
    finally:
        lab.kubectl("delete", "-f", "-", "--wait=true", stdin=text)


def until(ask: Any, wanted: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while (seen := ask()) != wanted:
        assert time.monotonic() < deadline, f"{seen} is not {wanted}"
        time.sleep(0.05)


def told(lab: RunningLab, objects: list[Case], name: str, kind: str) -> list[str]:
    (route,) = [item for item in objects if item["metadata"]["name"] == name]
    parents = lab.get(route["kind"], name).get("status", {}).get("parents", [])
    found = [each for parent in parents for each in parent["conditions"] if each["type"] == kind]
    return [found[0][field] for field in ("status", "reason", "message")] if found else []


def ask(gateway: Reached, request: Case) -> Case:
    """Ask as the case says, and return the answer's status and headers, and what the backend says that it saw."""
    *options, path = request["ask"].split(" ")
    host = request.get("host", "www.example.com")
    quoted = " ".join(f"'{option}'" for option in options)
    url = f"http://{gateway.address}:{request.get('port', 80)}{path}"
    done = gateway.bastion.run(f"curl -s -i --max-time 5 -H 'host: {host}' {quoted} '{url}'", check=False)
    head, _, body = done.output.replace("\r", "").partition("\n\n")
    status, *lines = head.split("\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    seen = json.loads(body) if body.startswith("{") else {}
    return {"status": int([*status.split(), "0", "0"][1]), "headers": headers, "seen": seen}


def differences(answer: Case, request: Case) -> Case:
    """Return in what an answer is other than the case wants it."""
    seen, headers = answer["seen"], answer["headers"]
    pairs = {"status": (answer["status"], request.get("status", 200))}
    if "pod" in request:
        pairs["pod"] = (seen.get("pod", "").partition("-")[0], request["pod"])
    if "location" in request:
        pairs["location"] = (headers.get("location"), request["location"])
    for name, wanted in request.get("answer", {}).items():
        pairs[f"answer {name}"] = (headers.get(name), wanted)
    for field, wanted in request.get("seen", {}).items():
        if field == "headers":
            pairs |= {f"header {name}": (seen.get(field, {}).get(name), value) for name, value in wanted.items()}
        else:
            pairs[field] = (seen.get(field), wanted)
    return {name: found for name, (found, wanted) in pairs.items() if found != wanted}


@pytest.mark.parametrize("kind", ["Cookie", "Header"])
def test_a_session_stays_with_its_pod(lab: RunningLab, gateway: Reached, kind: str):
    lab.kubectl("scale", "deployment/v1", "--replicas=3")
    lab.kubectl("rollout", "status", "deployment/v1")
    rule = {"sessionPersistence": {"type": kind, "sessionName": "kept"}, "backendRefs": [{"name": "v1", "port": 80}]}
    lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest("session", [rule])))
    field = "set-cookie" if kind == "Cookie" else "kept"
    try:
        until(lambda: field in ask(gateway, {"ask": "/"})["headers"], True)
        assert len({pod_of(gateway) for _ in range(12)}) > 1  # by chance, one: 1 in 100,000 runs
        value = ask(gateway, {"ask": "/"})["headers"][field].partition(";")[0]
        session = f"-H {'cookie' if kind == 'Cookie' else 'kept'}:{value}"
        assert len({pod_of(gateway, session) for _ in range(12)}) == 1
    finally:
        lab.kubectl("delete", "httproute", "session")
        lab.kubectl("scale", "deployment/v1", "--replicas=1")


def pod_of(gateway: Reached, options: str = "") -> str:
    return str(ask(gateway, {"ask": f"{options} /".strip()})["seen"]["pod"])


def assert_loaded(lab: RunningLab) -> None:
    """Envoy must not have refused anything: it says so in its log."""
    log = lab.kubectl("logs", "-n", "tigera-gateway", "-l", "app.kubernetes.io/component=proxy", "--tail=-1")
    assert [line for line in log.splitlines() if "rejected" in line] == []


def test_a_header_s_value_that_envoy_would_take_for_a_command_is_denied(lab: RunningLab):
    header = {"set": [{"name": "percent", "value": "100%"}]}
    rules = [{"filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": header}]}]
    with pytest.raises(AssertionError, match=r"value: .*100%"):
        lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest("percent", rules)))
