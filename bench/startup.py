"""From `calico-lab up` to a lab that answers, or has the whole guide in it; from a Gateway applied to its first 200."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.measure import Figure
from tests.support import guide
from tests.support.labs import RunningLab, calico_lab, running_lab

RUNS = 5
# Typed on the bastion: apply the Gateway, the route and the policy, then ask until the answer is 200.
FIRST_200 = """
start=$(date +%s.%N)
{gateway}
{route}
until address=$(kubectl get gateway/load-balancing-gateway -o jsonpath='{{.status.addresses[0].value}}') &&
      [ -n "$address" ] && hey -n 1 -c 1 -t 1 -host www.example.com http://$address/round | grep -q '\\[200\\]'
do :; done
echo $(date +%s.%N) $start
"""


def figures() -> Iterator[Figure]:
    """Time `up`, also with all steps of the guide, and the way from the Gateway's manifest to the first answer."""
    up, to_route, first = [], [], []
    for run in range(RUNS):
        up.append(_timed("up", "--name", f"bench-up-{run}"))
        calico_lab("down", "--name", f"bench-up-{run}")
        to_route.append(_timed("up", "--name", f"bench-up-{run}", "--to", "route"))
        calico_lab("down", "--name", f"bench-up-{run}")
        with running_lab(f"bench-first-{run}") as lab:
            first.append(first_answer(lab))
    yield Figure("up: API answers, 3 nodes Ready, bastion answers", up, "s", "1.5")
    yield Figure("up --to route: the whole guide but its test", to_route, "s", "2")
    yield Figure("Gateway and route applied to first 200", first, "s", "1.5")


def _timed(*arguments: str) -> float:
    start = time.perf_counter()
    assert calico_lab(*arguments).returncode == 0
    return time.perf_counter() - start


def first_answer(lab: RunningLab) -> float:
    """Bring the prerequisites and the backend up, then time the Gateway."""
    prepare(lab)
    script = FIRST_200.format(gateway=guide.command("gateway"), route=guide.command("route-and-policy"))
    end, start = lab.bastion(script).stdout.split()[-2:]
    return float(end) - float(start)


def prepare(lab: RunningLab) -> None:
    """Follow the guide up to its step 1: prerequisites, sessions, four pods Ready."""
    for step in (*guide.PREREQUISITES, "backend"):
        done = lab.bastion(guide.command(step))
        assert done.returncode == 0, done.stderr
    lab.kubectl("wait", "--for=condition=Available", "deployment/backend", "--timeout=20s")
    lab.kubectl("wait", "--for=condition=Accepted", "gatewayclass/tigera-gateway-class", "--timeout=20s")
    lab.bastion(guide.SESSIONS_ESTABLISHED)
