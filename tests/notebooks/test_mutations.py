"""The notebook is its own test: whatever is wrong with the lab, strict nbval has a cell that fails.

Each case changes the notebook's sources in one place, keeps the stored outputs, and expects nbval to refuse the copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from support import impostor
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import NOTEBOOKS, Cells, failing_cell, nbval, preceded, replaced

pytestmark = pytest.mark.timeout(300)

NOTEBOOK = "02-round-robin"

DROP_THE_PEER = """
lab.cluster.delete("BGPPeer", "my-global-peer")
waits.until(lambda: "10.10.10." not in lab.bastion.run("ip route").output, "the route is gone", remedy="",
            shown=False)
"""
TAKE_A_POD_OUT = """
pod = lab.cluster.list("Pod", labels="app=backend")[0]["metadata"]["name"]
lab.bastion.run(f"kubectl patch service backend -p '{{\\"spec\\":{{\\"selector\\":{{\\"rota\\":\\"on\\"}}}}}}' && "
                f"kubectl label pods -l app=backend rota=on && kubectl label pod {pod} rota-")
import time; time.sleep(1)
"""
CONSTANT_COUNTS = """
constant = counts.parse_guide_loop("a: received 25 requests\\nb: received 25 requests\\n"
                                   "c: received 25 requests\\nd: received 25 requests")
counts.requests_per_pod = counts.requests_per_pod_by_the_guide = lambda *_: constant
"""
ENVOY_ANSWERS_BY_ITSELF = f"""
for command in {[impostor.WITHOUT_ENVOY_GATEWAY, impostor.TAKE_OVER, impostor.TAKEN_OVER]!r}:
    lab.bastion.run(command)
"""


def without_the_policy(cells: Cells) -> None:
    cell = cells["apply-route"]
    cell.source = re.sub(r"apiVersion: gateway.envoyproxy.io.*?---\n", "", cell.source, flags=re.DOTALL)
    assert "RoundRobin" not in cell.source


MUTATIONS = {
    "policy Random": replaced("apply-route", "type: RoundRobin", "type: Random"),
    "policy left out": without_the_policy,
    "policy deleted": preceded("get-address", 'lab.cluster.delete("BackendTrafficPolicy", "round-robin-policy")\n'),
    "a pod taken out of the Service": preceded("get-address", TAKE_A_POD_OUT),
    "BGP peer dropped": preceded("get-address", DROP_THE_PEER),
    "counts as constants": preceded("wait-ready", CONSTANT_COUNTS),
    "Envoy answers by itself": preceded("get-address", ENVOY_ANSWERS_BY_ITSELF),
    "another class": replaced("apply-gateway", "tigera-gateway-class", "another-class"),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("notebook-mutations") as lab:
        yield lab


def test_the_notebook_as_it_stands_passes(lab):
    done = nbval(NOTEBOOKS / f"{NOTEBOOK}.ipynb", lab)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    try:
        assert failing_cell(NOTEBOOK, MUTATIONS[mutation], lab, tmp_path)
    finally:
        lab.bastion(impostor.MENDED)
