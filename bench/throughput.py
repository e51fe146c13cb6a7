"""Requests a second through the lab, against a bare Envoy before the same pods, and against one pod alone.

All three are loaded by hey on the bastion, in turn, so that the machine's other guests slow them alike.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.guide import demo
from bench.measure import Figure, processes_of_lab
from tests.support.labs import RunningLab, running_lab

RUNS = 11
LOAD = "hey -z 1s -c 50 -host www.example.com http://{}/round"
BARE_PORT = 8080
EXTENSIONS = "type.googleapis.com/envoy.extensions"
ENVOY = str(Path(sys.executable).with_name("envoy"))


def figures() -> Iterator[Figure]:
    """Load the three in turn; yields the rates and the ratio, pair by pair."""
    with running_lab("bench-throughput") as lab:
        demo(lab)
        pods = lab.get("pods", "-l", "app=backend")["items"]
        proxy = lab.get("pods", "-n", "tigera-gateway", "-l", "app.kubernetes.io/name=envoy")["items"][0]
        node, address = proxy["spec"]["nodeName"], proxy["status"]["hostIP"]
        gateway = lab.get("gateway/load-balancing-gateway")["status"]["addresses"][0]["value"]
        # The bastion's import filter lets only the pods of one node through: ask one of those directly.
        direct = next(pod["status"]["podIP"] for pod in pods if pod["status"]["podIP"].startswith("10.48.2."))
        with bare_envoy(lab, node, [pod["status"]["podIP"] for pod in pods]):
            rates = [
                (rate(lab, gateway), rate(lab, f"{address}:{BARE_PORT}"), rate(lab, f"{direct}:3000"))
                for _ in range(RUNS)
            ]
    through, bare, alone = (list(column) for column in zip(*rates, strict=True))
    yield Figure("requests a second through the lab", through, "1/s", "")
    yield Figure("requests a second through a bare Envoy", bare, "1/s", "")
    yield Figure("the lab against the bare Envoy", [a / b for a, b, _ in rates], "ratio", "0.95")
    yield Figure("requests a second of one pod alone", alone, "1/s", "10,000")


def rate(lab: RunningLab, target: str) -> float:
    """Load one target for a second from the bastion; returns requests a second."""
    report = lab.bastion(LOAD.format(target)).stdout
    assert "[200]" in report, report
    return float(re.search(r"Requests/sec:\s+([\d.]+)", report)[1])


@contextmanager
def bare_envoy(lab: RunningLab, node: str, addresses: list[str]) -> Iterator[None]:
    """Run an Envoy with a static configuration on a node, outside every pod."""
    command = [ENVOY, "--disable-hot-restart", "--concurrency", "1", "--log-level", "off"]
    enter = ["nsenter", "-t", str(process_on(lab, node)), "-U", "-n", "-m", "--preserve-credentials"]
    envoy = subprocess.Popen([*enter, *command, "--config-yaml", json.dumps(static_configuration(addresses))])
    try:
        lab.bastion(f"until hey -n 1 -c 1 http://{node}:{BARE_PORT}/ | grep -q 200; do :; done", time_limit=10)
        yield
    finally:
        envoy.terminate()
        envoy.wait(10)


def process_on(lab: RunningLab, node: str) -> int:
    """Return the id of a program that runs on a node of the lab: its BIRD, known by the node's name in its UTS."""
    for folder in processes_of_lab(lab.status["pid"]):
        if (folder / "comm").read_text().strip() == "bird":
            asked = subprocess.run(["nsenter", "-t", folder.name, "-u", "hostname"], capture_output=True, text=True)
            if asked.stdout.strip() == node:
                return int(folder.name)
    raise LookupError(f"no BIRD runs on {node}")


def static_configuration(addresses: list[str]) -> dict[str, Any]:
    """Return the smallest configuration that spreads requests over the pods in turn."""
    sockets = [{"socket_address": {"address": address, "port_value": 3000}} for address in addresses]
    endpoints = [{"endpoint": {"address": socket}} for socket in sockets]
    manager = {
        "@type": f"{EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bare",
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "pods"}}]}
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{EXTENSIONS}.filters.http.router.v3.Router"},
            }
        ],
    }
    return {
        "static_resources": {
            "listeners": [
                {
                    "address": {"socket_address": {"address": "0.0.0.0", "port_value": BARE_PORT}},
                    "filter_chains": [
                        {
                            "filters": [
                                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
                            ]
                        }
                    ],
                }
            ],
            "clusters": [
                {
                    "name": "pods",
                    "type": "STATIC",
                    "lb_policy": "ROUND_ROBIN",
                    "load_assignment": {"cluster_name": "pods", "endpoints": [{"lb_endpoints": endpoints}]},
                }
            ],
        }
    }
