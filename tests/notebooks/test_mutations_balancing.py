"""What is wrong with the lab or the library shows in 04, 05 and 08: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

EVEN, POLICIES, SLOW = "04-how-even-is-even", "05-without-a-policy", "08-when-round-robin-is-wrong"

TWO_WORKERS = "experiment.set_up(lab, experiment.Settings(workers=2))"
POLICY_RANDOM = 'experiment.set_up(lab, experiment.Settings(policy="Random"))'
THREE_PODS = """
lab.bastion.run("kubectl scale deployment backend --replicas=3")
waits.until(lambda: len(lab.cluster.list("Pod", labels=counts.BACKEND)) == 3, "three pods", remedy="", shown=False)
"""
ONE_POD_GETS_ALL = """
from calico_lab.lessons import numbered
found = numbered.found
numbered.found = lambda *asked: [(number, 1) for number, _pod in found(*asked)]
"""
IN_TURN_AFTER_ALL = """
from calico_lab.lessons.steps import manifest
lab.cluster.apply(manifest("route"))
waits.until(lambda: {each.policy for each in envoy.configuration().clusters} == {"round_robin"}, "in turn", remedy="",
            shown=False)
"""
ALWAYS_EVEN = """
from calico_lab.lessons.evenness import Evenness
Evenness.is_even = True
"""
NO_POLICY_IS_LOOKED_AT = """
waits.envoy_balances = lambda *_, **__: "Envoy balances by least_request over 5 pods"
lab.bastion.run("kubectl patch backendtrafficpolicy round-robin-policy --type=merge "
                "-p '{\\"spec\\":{\\"loadBalancer\\":{\\"type\\":\\"RoundRobin\\"}}}'")
import time; time.sleep(1)
"""
NOBODY_TO_ASK = (
    """lab.bastion.run("kubectl patch service backend -p '{\\"spec\\":{\\"selector\\":{\\"app\\":\\"none\\"}}}'")"""
)
POLICY = "backendtrafficpolicy.gateway.envoyproxy.io"
KEPT = f"""echo '{POLICY} "round-robin-policy" deleted from default namespace'; : kubectl"""

# What is wrong, the notebook, and the cell that must be the first to fail.
MUTATIONS = {
    "a pod fewer": (EVEN, preceded("first-run", THREE_PODS), "first-run"),
    "two workers where one is said": (EVEN, preceded("one-rotor", TWO_WORKERS), "one-rotor"),
    "policy Random": (EVEN, preceded("one-rotor", POLICY_RANDOM), "one-rotor"),
    "one worker where four are said": (
        EVEN, replaced("apply-workers", "concurrency: 4", "concurrency: 1"), "four-rotors",
    ),
    "every request is counted for one pod": (EVEN, preceded("connections", ONE_POD_GETS_ALL), "connections"),
    "seven pods where eight are said": (POLICIES, replaced("scale", "--replicas=8", "--replicas=7"), "round-robin"),
    "a policy that is not deleted": (POLICIES, replaced("delete-policy", "kubectl", KEPT), "envoys-policy"),
    "a policy that comes back": (POLICIES, preceded("order", IN_TURN_AFTER_ALL), "order"),
    "a verdict that is always the same": (POLICIES, preceded("idle", ALWAYS_EVEN), "idle"),
    "a slow pod that is not there": (
        SLOW, preceded("run-in-turn", 'lab.cluster.delete("Deployment", "slow")'), "run-in-turn",
    ),
    "turns where less busy pods are to be taken": (SLOW, preceded("run-least", NO_POLICY_IS_LOOKED_AT), "run-least"),
    "pods that are not replaced": (
        SLOW, replaced("rollout", "rollout.replace(lab)", 'rollout.replace(lab, "get pods")'), "rollout",
    ),
    "requests that are lost": (SLOW, replaced("rollout", "rollout.replace(lab)", NOBODY_TO_ASK), "rollout"),
}  # fmt: skip


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations-balancing") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    notebook, mutate, cell = MUTATIONS[mutation]
    assert failing_cell(notebook, mutate, lab, tmp_path) == cell
