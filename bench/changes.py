"""From the API's answer to a changed route until a request is answered by the new rule, under load.

Each change names another backend, whose cluster Envoy must know first, and a header by which the new rule shows itself.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from bench.measure import Figure
from bench.throughput import process_on
from calico_lab import connect
from tests.support import guide
from tests.support.gateway_lab import backend, lab_with_gateway, manifest
from tests.support.labs import CALICO_LAB, RunningLab, calico_lab

CHANGES = 50
ROUTES = 1000
HEADER = "x-generation"
LOAD = "hey -z {}s -c 4 -q 50 -t 10 -host www.example.com http://{}/probed"


def figures() -> Iterator[Figure]:
    """Change one route again and again: alone at its gateway, and among a thousand."""
    with lab_with_gateway("bench-changes", *backend("v1"), *backend("v2")) as (lab, gateway):
        # The lab has been reset: another process is the first of it.
        lab = RunningLab(lab.name, json.loads(calico_lab("status", "--name", lab.name, "--json").stdout))
        routes = connect(lab.kubeconfig).cluster._api.resource("HTTPRoute", "")
        routes.create(body=route("probed", 0), namespace="default")
        yield from measured(lab, gateway.address, routes, "one route", "0.1")
        for number in range(1, ROUTES):
            routes.create(body=route(f"other-{number}", number), namespace="default")
        until_accepted(routes)
        yield from measured(lab, gateway.address, routes, f"{ROUTES:,} routes", "0.3")


def route(name: str, number: int) -> dict[str, Any]:
    """Return a route for the path of its name."""
    shown = {"set": [{"name": HEADER, "value": str(number)}]}
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": f"/{name}"}}],
        "filters": [{"type": "ResponseHeaderModifier", "responseHeaderModifier": shown}],
        "backendRefs": [{"name": f"v{number % 2 + 1}", "port": 80}],
    }
    found: dict[str, Any] = manifest(name, [rule])
    return found


def until_accepted(routes: Any) -> None:
    """Wait until all routes are in force, at most a minute."""
    deadline = time.monotonic() + 60
    while not all(each.get("status", {}).get("parents") for each in routes.get(namespace="default").to_dict()["items"]):
        assert time.monotonic() < deadline, "not all routes were accepted"
        time.sleep(0.5)


def measured(lab: RunningLab, address: str, routes: Any, among: str, target: str) -> Iterator[Figure]:
    """Change the route under load; yields the times, their 95th percentile, and the requests lost."""
    with probing(lab, address) as told, loaded(lab, address) as hey:
        until(told, "0" if among == "one route" else None)
        taken, lost = [], 0
        for number in range(1, CHANGES + 1):
            # Numbers go on from one measurement to the next, or the first change would be none.
            value = number + CHANGES * (among != "one route")
            routes.patch(
                body=route("probed", value), name="probed", namespace="default",
                content_type="application/merge-patch+json",
            )  # fmt: skip
            answered = time.monotonic()
            seen, missed = until(told, str(value))
            taken.append(max(0.0, seen - answered))
            lost += missed
            time.sleep(0.1)
        report = hey.communicate(timeout=60)[0]
    answers, lost_by_hey = outcome(report)
    lost += lost_by_hey
    assert answers.pop(200, 0), report
    lost += sum(answers.values())
    percentile = statistics.quantiles(taken, n=20)[-1]
    yield Figure(f"from the API's answer to the new rule, {among}", taken, "s", "")
    yield Figure(f"the 95th percentile of {CHANGES} of these", [percentile], "s", target)
    yield Figure("requests lost meanwhile", [float(lost)], "", "0")


def outcome(report: str) -> tuple[dict[int, int], int]:
    """Return hey's answers by their status, and the number of requests that got none."""
    return guide.statuses(report), sum(
        int(count) for count in re.findall(r"^\s+\[(\d+)\]\s+Get ", report, re.MULTILINE)
    )


@contextmanager
def probing(lab: RunningLab, address: str) -> Iterator[IO[str]]:
    """Ask from the bastion; what the probe tells can be read."""
    enter = ["nsenter", "-t", str(process_on(lab, "bastion")), "-U", "-n", "--preserve-credentials"]
    command = [*enter, sys.executable, str(Path(__file__).with_name("probe.py")), address, "/probed", HEADER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as probe:
        assert probe.stdout is not None
        try:
            yield probe.stdout
        finally:
            probe.terminate()


@contextmanager
def loaded(lab: RunningLab, address: str) -> Iterator[subprocess.Popen[str]]:
    """Load the route from the bastion with 200 requests a second, for longer than the changes take."""
    command = [CALICO_LAB, "bastion", "--name", lab.name, "--", LOAD.format(30, address)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as hey:
        try:
            yield hey
        finally:
            hey.terminate()


def until(told: IO[str], value: str | None) -> tuple[float, int]:
    """Read until the probe has seen a value, or anything; returns when, and how many requests were lost before."""
    lost = 0
    for line in told:
        when, first, *_ = line.split()
        if first == "lost":
            lost += 1
            print(line, file=sys.stderr)
        elif value in (None, first):
            return float(when), lost
    raise EOFError("the probe has ended")
