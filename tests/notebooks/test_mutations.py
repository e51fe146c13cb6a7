"""The notebook is its own test: whatever is wrong with the lab, strict nbval has a cell that fails.

Each case changes the notebook's sources in one place, keeps the stored outputs, and expects nbval to refuse the copy.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from support.labs import RunningLab, running_lab

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "02-round-robin.ipynb"
Cells = dict[str, nbformat.NotebookNode]

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
ENVOY_ANSWERS_BY_ITSELF = """
lab.bastion.run("kubectl cordon worker1 worker2 && "
                "kubectl delete pod -n tigera-gateway -l control-plane=envoy-gateway")
import json
maps = lab.cluster.list("ConfigMap", "tigera-gateway")
(proxy,) = [each for each in maps if "load-balancing" in each["metadata"]["name"]]
file, text = next((file, text) for file, text in proxy["data"].items() if file.startswith("rds"))
routes = json.loads(text)
for route in routes["resources"][0]["virtual_hosts"][0]["routes"]:
    route.pop("route")
    route["direct_response"] = {"status": 200}
change = json.dumps({"data": {file: json.dumps(routes)}})
lab.bastion.run(f"kubectl patch configmap -n tigera-gateway {proxy['metadata']['name']} --type=merge -p '{change}'")
import time; time.sleep(1)
"""
MEND = "kubectl uncordon worker1 worker2"


def replaced(cell: str, old: str, new: str) -> Callable[[Cells], None]:
    def mutate(cells: Cells) -> None:
        assert old in cells[cell].source
        cells[cell].source = cells[cell].source.replace(old, new)

    return mutate


def preceded(cell: str, code: str) -> Callable[[Cells], None]:
    """Run code before a cell in Python; it shows nothing, or that alone would differ from what is stored."""

    def mutate(cells: Cells) -> None:
        assert not cells[cell].source.startswith("%")
        cells[cell].source = code + cells[cell].source

    return mutate


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


def nbval(notebook: Path, lab: RunningLab) -> subprocess.CompletedProcess[str]:
    # -x: the first cell that is wrong decides, those after it need not wait for what will not come.
    options = ["-x", "-p", "no:cacheprovider", "-c", os.devnull]
    command = [sys.executable, "-m", "pytest", *options, "--nbval", str(notebook)]
    # What a mutation keeps from coming true must not be waited for as long as a learner would.
    environment = os.environ | {"KUBECONFIG": str(lab.kubeconfig), "CALICO_LAB_TIME_LIMIT": "8"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)


def test_the_notebook_as_it_stands_passes(lab):
    done = nbval(NOTEBOOK, lab)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    document = nbformat.read(NOTEBOOK, as_version=4)
    MUTATIONS[mutation]({cell.id: cell for cell in document.cells})
    copy = tmp_path / NOTEBOOK.name
    nbformat.write(document, copy)
    try:
        done = nbval(copy, lab)
    finally:
        lab.bastion(MEND)
    assert done.returncode == 1, done.stdout
    assert re.search(r"Notebook cell execution failed|Traceback|mismatch", done.stdout), done.stdout
