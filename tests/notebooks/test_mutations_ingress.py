"""What is wrong with the lab or the library shows in 18: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

LESSON = "18-from-ingress"

PATCH = """
lab.bastion.run("kubectl patch httproute shop-shop-example-com --type=json -p '[CHANGE]'")
import time; time.sleep(1)
"""
NO_REWRITE = PATCH.replace("CHANGE", r"{\"op\": \"remove\", \"path\": \"/spec/rules/1/filters\"}")
HALF = PATCH.replace(
    "CHANGE", r"{\"op\": \"replace\", \"path\": \"/spec/rules/2/backendRefs/1/weight\", \"value\": 80}"
)
CANARY_IS_FORGOTTEN = """
from calico_lab.lessons.ingress_conversion import canaries
canaries.with_canary = lambda rule, _canary, _backend: [rule]
conversion = ingress_conversion.of_cluster(lab.cluster, gateway="shop")
"""
NOBODY_BEHIND = (
    'lab.bastion.run("kubectl scale deployment backend backend-v2 --replicas=0"); import time; time.sleep(2)'
)
REMARK_IS_LOST = """
from calico_lab.lessons.ingress_conversion import treatments
treat = treatments.treat
treatments.treat = lambda draft: {name: told for name, told in treat(draft).items() if name != "proxy-body-size"}
"""

# What is wrong, and the cell that must be the first to fail.
MUTATIONS = {
    "a class that nobody reads": (replaced("ingress", "ClassName: nginx", "ClassName: nobody"), "old-way"),
    "an annotation that is not told of": (preceded("convert", REMARK_IS_LOST), "convert"),
    "a canary that is not converted": (preceded("new-way", CANARY_IS_FORGOTTEN), "compare"),
    "a route that does not rewrite": (preceded("compare", NO_REWRITE), "compare"),
    "requests that are lost": (preceded("shift", NOBODY_BEHIND), "shift"),
    "a controller that is left": (replaced("remove", "deployment,service traefik", "service traefik"), "remove"),
    "other weights": (preceded("solution-1", HALF), "solution-1"),
}  # fmt: skip


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("mutations-ingress") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_cell_fails(lab, tmp_path, mutation):
    mutate, cell = MUTATIONS[mutation]
    assert failing_cell(LESSON, mutate, lab, tmp_path) == cell
