"""A lab with the guide's demonstration in it: four backends behind a Gateway, and routes to it on the bastion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support import guide
from support.labs import RunningLab, running_lab

TIGERA = ("-n", "tigera-gateway")
ENVOYS = (*TIGERA, "-l", "app.kubernetes.io/name=envoy")
BACKENDS = ("-l", "app=backend")
SESSIONS = "timeout 20 bash -c 'until [ $(sudo birdc show protocols | grep -c Established) = 3 ]; do sleep 0.1; done'"
ROUTE = "timeout 20 bash -c 'until ip route | grep -q ^10.10.10.0\\ ; do sleep 0.1; done'"
ADDRESS = "10.10.10.0"


@contextmanager
def demo_lab(name: str) -> Iterator[RunningLab]:
    """A fresh lab in which the guide's steps were taken."""
    with running_lab(name) as lab:
        steps = [guide.command(step) for step in guide.PREREQUISITES] + [SESSIONS]
        steps += [guide.command(step) for step in guide.DEMO]
        steps += [
            "kubectl wait --for=condition=Programmed gateway/load-balancing-gateway --timeout=20s",
            "kubectl rollout status deployment/backend --timeout=20s",
            ROUTE,
        ]
        for step in steps:
            done = lab.bastion(step)
            assert done.returncode == 0, f"{step}\n{done.stdout}{done.stderr}"
        yield lab


def pods(lab: RunningLab, *words: str) -> list[dict[str, Any]]:
    """The pods that kubectl finds, without those on their way out."""
    found: list[dict[str, Any]] = lab.get("pods", *words)["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def is_ready(item: dict[str, Any]) -> bool:
    """Whether a pod or node says so."""
    conditions = item["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def events(lab: RunningLab, reason: str, *words: str) -> list[str]:
    """What the events of a reason say."""
    return [each["message"] for each in lab.get("events", *words)["items"] if each["reason"] == reason]
