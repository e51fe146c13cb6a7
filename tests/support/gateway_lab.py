"""A lab with a gateway in front of echo servers, and what comes of requests that its bastion sends there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from calico_lab import connect
from calico_lab.bastion import Bastion
from support.eventually import wait_until
from support.labs import RunningLab, calico_lab, running_lab

Case = dict[str, Any]


@dataclass(frozen=True)
class Reached:
    """The gateway's address, and the bastion that reaches it, over a connection that is kept."""

    address: str
    bastion: Bastion


ECHO = "gcr.io/k8s-staging-gateway-api/echo-basic:v20231214-v1.0.0-140-gf544a46e"


def backend(name: str, namespace: str = "default", replicas: int = 1) -> list[Case]:
    """A Service and the Deployment behind it."""
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
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
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


@contextmanager
def lab_with_gateway(name: str, *objects: Case) -> Iterator[tuple[RunningLab, Reached]]:
    """A lab in which these objects are there, and the Gateway ``gw`` can be reached."""
    with running_lab(name) as lab:
        calico_lab("reset", "--name", lab.name, "--to", "hey")
        lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([*objects, GATEWAY]))
        for item in objects:
            if item["kind"] == "Deployment":
                place = ("-n", item["metadata"]["namespace"])
                lab.kubectl("rollout", "status", f"deployment/{item['metadata']['name']}", *place)
        lab.kubectl("wait", "--for=condition=Programmed", "gateway/gw", "--timeout=20s")
        address = str(lab.get("gateway", "gw")["status"]["addresses"][0]["value"])
        lab.bastion(f"timeout 10 bash -c 'until ip route | grep -q ^{address}; do sleep 0.1; done'")
        yield lab, Reached(address, connect(lab.kubeconfig).bastion)


@contextmanager
def applied(lab: RunningLab, objects: list[Case]) -> Iterator[None]:
    """These objects are there, and gone afterwards."""
    text = yaml.safe_dump_all(objects)
    lab.kubectl("apply", "-f", "-", stdin=text)
    try:
        yield
    finally:
        lab.kubectl("delete", "-f", "-", "--wait=true", stdin=text)


def manifest(name: str, route: Any) -> Case:
    """A route, from its rules or its whole spec."""
    spec = {"rules": route} if isinstance(route, list) else {**route}
    kind = "GRPCRoute" if spec.pop("grpc", False) else "HTTPRoute"
    common = {"parentRefs": [{"name": "gw", "sectionName": "http"}]}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": common | spec,
    }


def until(ask: Callable[[], Any], wanted: Any) -> None:
    """Ask until the answer is as wanted."""
    wait_until(ask, lambda seen: seen == wanted)


def told(lab: RunningLab, objects: list[Case], name: str, kind: str) -> list[str]:
    """Return a condition of an object: its status, reason and message; nothing where it has none."""
    (item,) = [item for item in objects if item["metadata"]["name"] == name]
    status = lab.get(item["kind"], name).get("status", {})
    holders = [status, *status.get("parents", []), *status.get("ancestors", [])]
    found = [each for holder in holders for each in holder.get("conditions", []) if each["type"] == kind]
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


def pod_of(gateway: Reached, options: str = "", path: str = "/") -> str:
    """Return the name of the pod that answers a request."""
    return str(ask(gateway, {"ask": f"{options} {path}".strip()})["seen"]["pod"])


def assert_loaded(lab: RunningLab) -> None:
    """Envoy must not have refused anything: it says so in its log."""
    log = lab.kubectl("logs", "-n", "tigera-gateway", "-l", "app.kubernetes.io/component=proxy", "--tail=-1")
    assert [line for line in log.splitlines() if "rejected" in line] == []
