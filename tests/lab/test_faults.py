"""Faults are answered as upstream answers them: the table stands in ``faults.yaml``, one test a row."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import guide
from support.labs import KUBECTL, RunningLab, running_lab

ROWS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text())["rows"]
TIME_LIMIT = 10.0
HOST = "fault.example"
GATEWAY = "gateway.networking.k8s.io/v1"
ENVOY = "gateway.envoyproxy.io/v1alpha1"
CALICO = "projectcalico.org/v3"
VERSIONS = {
    "BackendTrafficPolicy": ENVOY,
    "BGPConfiguration": CALICO,
    "BGPPeer": CALICO,
    "ConfigMap": "v1",
    "Deployment": "apps/v1",
    "EnvoyProxy": ENVOY,
    "Gateway": GATEWAY,
    "GatewayAPI": "operator.tigera.io/v1",
    "GatewayClass": GATEWAY,
    "GlobalNetworkPolicy": CALICO,
    "HTTPRoute": GATEWAY,
    "IPPool": CALICO,
    "Namespace": "v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Pod": "v1",
    "ReferenceGrant": "gateway.networking.k8s.io/v1beta1",
    "Service": "v1",
}
# The world in which things go wrong: a Gateway for one hostname, a Service with a pod, one without, one far away.
LISTENERS = [
    {"name": "http", "protocol": "HTTP", "port": 80, "hostname": HOST},
    {"name": "grpc", "protocol": "HTTP", "port": 8080, "allowedRoutes": {"kinds": [{"kind": "GRPCRoute"}]}},
]
WORLD = [
    {"kind": "Namespace", "metadata": {"name": "other"}},
    {
        "kind": "Gateway",
        "metadata": {"name": "gw"},
        "spec": {"gatewayClassName": "tigera-gateway-class", "listeners": LISTENERS},
    },
    {"kind": "Service", "metadata": {"name": "empty"}, "spec": {"selector": {"app": "none"}, "ports": [{"port": 80}]}},
    {"kind": "Service", "metadata": {"name": "far", "namespace": "other"}, "spec": {"ports": [{"port": 80}]}},
]
ROUTE = "timeout 20 bash -c 'until ip route | grep -q ^10.10.10.[0-9]*\\ ; do sleep 0.1; done'"


class Faults:
    """A lab in which the guide's prerequisites are met, and the commands of the table."""

    def __init__(self, lab: RunningLab) -> None:
        self._lab = lab
        for step in guide.PREREQUISITES:
            assert lab.bastion(guide.command(step)).returncode == 0
        lab.kubectl("wait", "--for=create", "gatewayclass/tigera-gateway-class", "--timeout=20s")
        self.kubectl("apply -f -", WORLD)
        lab.bastion(guide.command("backend"))
        lab.kubectl("scale", "deployment/backend", "--replicas=1")
        lab.kubectl("rollout", "status", "deployment/backend", "--timeout=20s")
        lab.kubectl("wait", "--for=condition=Programmed", "gateway/gw", "--timeout=20s")
        assert lab.bastion(ROUTE).returncode == 0
        self._address = lab.get("gateway", "gw")["status"]["addresses"][0]["value"]

    def kubectl(self, command: str, objects: list[dict[str, Any]] | None = None) -> str:
        """Run a command and return all that it prints, whatever its exit code."""
        done = subprocess.run(
            [KUBECTL, *_split(command)],
            env={**os.environ, "KUBECONFIG": str(self._lab.kubeconfig)},
            input=manifest(objects or []),
            capture_output=True,
            text=True,
            timeout=30,
        )
        return _tidy(done.stdout + done.stderr)

    def outcome(self, row: dict[str, Any], applied: str) -> str:
        """Return what there is to be seen of a fault at this moment."""
        if "shows" in row:
            return self._conditions(row["shows"])
        if "request" in row:
            url = f"http://{self._address}{row['request']}"
            return self._bastion(f"curl -s -o /dev/null -w '%{{http_code}}' -H 'Host: {HOST}' {url}")
        if "run" not in row:
            return applied
        where, _, command = row["run"].partition(" ")
        return self._bastion(command) if where == "bastion:" else self.kubectl(command)

    def mend(self) -> None:
        """Put back what rows take away from the guide's prerequisites."""
        for step in ("ip-pool", "bgp"):
            self._lab.kubectl(*_split("apply -f -"), stdin=re.search(r"(?s)EOF\n(.*)\nEOF", guide.command(step))[1])

    def _bastion(self, command: str) -> str:
        done = self._lab.bastion(command)
        return _tidy(done.stdout + done.stderr)

    def _conditions(self, target: str) -> str:
        status = yaml.safe_load(self.kubectl(f"get {target} -o jsonpath={{.status}}")) or {}
        return "\n".join(
            " ".join(condition[key] for key in ("type", "status", "reason", "message") if condition[key])
            for condition in _find_conditions(status)
        )


def _find_conditions(status: Any) -> Iterator[dict[str, str]]:
    if isinstance(status, list):
        for item in status:
            yield from _find_conditions(item)
    elif isinstance(status, dict):
        yield from status.get("conditions") or []
        yield from _find_conditions([value for key, value in sorted(status.items()) if key != "conditions"])


def manifest(objects: list[dict[str, Any]]) -> str:
    return yaml.safe_dump_all({"apiVersion": VERSIONS.get(item["kind"])} | item for item in objects)


def _split(command: str) -> list[str]:
    """Split a command as a shell does, but leave JSON and jsonpath alone."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=False)
    lexer.quotes = lexer.commenters = lexer.escape = ""
    lexer.whitespace_split = True
    return list(lexer)


def _tidy(output: str) -> str:
    """Leave out what differs from run to run (ages) and trailing blanks."""
    return "\n".join(re.sub(r"\b\d+m?s$", "<age>", line.rstrip()) for line in output.strip().splitlines())


@pytest.fixture(scope="module")
def faults() -> Iterator[Faults]:
    with running_lab("faults") as lab:
        yield Faults(lab)


@pytest.mark.parametrize("row", [pytest.param(row, id=row["fault"]) for row in ROWS])
def test_fault(faults: Faults, row: dict[str, Any]):
    expected, objects = row["says"].rstrip(), row.get("apply") or []
    try:
        for command in row.get("first") or []:
            faults.kubectl(command.removeprefix("kubectl "))
        applied = faults.kubectl("apply -f -", objects) if objects else ""
        deadline = time.monotonic() + TIME_LIMIT
        while (seen := faults.outcome(row, applied)) != expected and time.monotonic() < deadline:
            time.sleep(0.1)
        assert seen == expected
        if "stays" in row:
            time.sleep(1)
            assert faults.outcome(row, applied) == expected
    finally:
        if objects:
            faults.kubectl("delete --ignore-not-found --wait -f -", objects)
        if "first" in row:
            faults.mend()


def test_the_table_is_whole():
    assert len(ROWS) >= 60
    assert len({row["fault"] for row in ROWS}) == len(ROWS)
