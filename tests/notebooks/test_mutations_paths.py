"""What is wrong with the lab or the library shows in 06 and 07: at this very cell, and not only somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.labs import RunningLab, running_lab
from support.mutated_notebooks import failing_cell, preceded, replaced

pytestmark = pytest.mark.timeout(300)

BROKEN, PATH = "06-when-things-break", "07-the-path-of-a-request"

ALWAYS_DONE = """
from calico_lab.lessons import checks
from calico_lab.lessons.checks.verdict import Verdict, Status
checks._judge = lambda scene, name: Verdict(Status.DONE, "", "all is well", step=name)
"""
CONSTANT_COUNTS = """
import pandas as pd
counts.requests_per_pod = lambda *_: pd.DataFrame({"requests": [25] * 4})
"""
DROP_THE_SESSION = """
from calico_lab.lessons import bgp_session
session = path.read(lab).learned_from
bgp_session.drop(lab, session)
"""
POLICY_RANDOM = """
lab.bastion.run("kubectl patch btp round-robin-policy --type=merge -p '{\\"spec\\":{\\"loadBalancer\\":{\\"type\\":\\"Random\\"}}}'")
waits.until(lambda: path.read(lab).policy == "random", "Envoy draws at random", remedy="", shown=False)
"""  # noqa: E501
NOBODY = """
from calico_lab.tools import nft
nft.follow = lambda text, address, port: nft.Translation(f"{address}:{port}", (), ())
"""

NO_SERVICE = """
lab.cluster.delete("Service", "backend")
waits.until(lambda: not path.read(lab).pods, "Envoy knows no pod", remedy="", shown=False)
"""
VIEW = "view = PathView"
SCALE_TO_0 = "%kubectl scale deployment backend --replicas=0"
SCALED = 'print("deployment.apps/backend scaled")'

# The stories of the first notebook do not build on one another. Those before the one in question are left out.
STORIES = (
    ("kill-pod", "kill-books"),
    ("scale-to-0", "scale-back"),
    ("drop-session", "session-ends", "enable-session"),
    ("misspell", "silent-policy", "mend-target"),
)

# What is wrong, the notebook, and the cell that must be the first to fail.
MUTATIONS = {
    "a pod that is not deleted": (
        BROKEN, preceded("kill-pod", "lab.cluster.delete = lambda *_: None"), "kill-books",
    ),
    "requests are lost": (BROKEN, preceded("kill-pod", NO_SERVICE), "kill-pod"),
    "Envoy's counters as constants": (
        BROKEN, preceded("kill-books", "envoy_admin.parse_stats = lambda _: pd.Series([7])\nimport pandas as pd"),
        "kill-books",
    ),
    "counts as constants": (BROKEN, preceded("scale-to-0", CONSTANT_COUNTS), "scale-back"),
    "a lab that ignores scale to 0": (
        BROKEN, replaced("scale-to-0", SCALE_TO_0, SCALED), "scale-to-0",
    ),
    "a check that always says done": (BROKEN, preceded("healthy-check", ALWAYS_DONE), "scale-to-0"),
    "a lab that does not scale back": (BROKEN, replaced("scale-back", "--replicas=4", "--replicas=3"), "scale-back"),
    "a session that is not dropped": (
        BROKEN, preceded("drop-session", "bgp_session.drop = lambda *_: None"), "drop-session",
    ),
    "a session that does not come back": (
        BROKEN, preceded("enable-session", "bgp_session.restore = lambda *_: None"), "enable-session",
    ),
    "a target that is spelt right": (BROKEN, replaced("misspell", "round-robbin", "round-robin"), "misspell"),
    "a class that exists": (
        BROKEN, replaced("misspell", "tigera-gateway-clas\n", "tigera-gateway-class\n"), "silent-policy",
    ),
    "the session with Envoy's node is down": (
        PATH, replaced("picture-of-the-path", VIEW, f"{DROP_THE_SESSION}\n{VIEW}"), "picture-of-the-path",
    ),
    "the node translates to nobody": (
        PATH, replaced("picture-of-the-path", VIEW, f"{NOBODY}\n{VIEW}"), "picture-of-the-path",
    ),
    "the policy is Random": (
        PATH, replaced("picture-of-the-path", VIEW, f"{POLICY_RANDOM}\n{VIEW}"), "picture-of-the-path",
    ),
    "the client as a constant": (
        PATH, preceded("one-request", "echo.client_of = lambda *_: '10.0.1.10'"), "one-request",
    ),
    "no X-Forwarded-For of Envoy's": (
        PATH, preceded("one-request", "witnesses.who_is = lambda _lab, _address: 'Envoy'"), "one-request",
    ),
    "the gateway in place of the plain Service": (
        PATH, replaced("compare", '"plain Service": plain', '"plain Service": address'), "compare",
    ),
    "the plain Service in place of the gateway": (
        PATH, replaced("compare", '"gateway": address', '"gateway": plain'), "compare",
    ),
    "counts of the path as constants": (PATH, preceded("compare", CONSTANT_COUNTS), "compare"),
}  # fmt: skip


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("path-mutations") as lab:
        yield lab


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_cell_that_should_see_it_fails(lab, tmp_path, mutation):
    notebook, mutate, cell = MUTATIONS[mutation]
    assert failing_cell(notebook, mutate, lab, tmp_path, without=cells_before(cell)) == cell


def cells_before(cell: str) -> list[str]:
    """Return the cells of the stories that come before the one with this cell."""
    number = next((number for number, story in enumerate(STORIES) if cell in story), 0)
    return [each for story in STORIES[:number] for each in story]
