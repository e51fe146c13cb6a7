"""Three learners on one machine, each with a lab, a JupyterLab and a kernel of her own: nobody sees another."""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from support.jupyter import Jupyter, jupyterlab
from support.kernel import Kernel, kernel
from support.labs import RunningLab, calico_lab, running_lab

NAMES = ("anna", "bea", "cleo")
LOAD = "lab.bastion.run(f'hey -n 100 -c 10 -host \"www.example.com\" http://{address}/round')"
BEGIN = """
import calico_lab
from calico_lab.lessons import counts, waits
lab = calico_lab.connect()
begun = lab.begin("route")
address = lab.cluster.get("Gateway", "load-balancing-gateway")["status"]["addresses"][0]["value"]
answered = waits.answers(lab.bastion, address)
"""


@dataclass(frozen=True)
class Learner:
    lab: RunningLab
    jupyter: Jupyter
    kernel: Kernel

    def says(self, code: str) -> str:
        """What a cell of hers prints."""
        ((_stream, said),) = self.kernel.run(f"print({code})").shown
        return said.strip()


@pytest.fixture(scope="module")
def learners(tmp_path_factory):
    """All three, each after the guide's last step."""
    with ExitStack() as stack:
        found = []
        for name in NAMES:
            lab = stack.enter_context(running_lab(name))
            jupyter = stack.enter_context(jupyterlab(lab.name, tmp_path_factory.mktemp(name), keep=True))
            # The kernel gets what JupyterLab would give it.
            environment = Path(f"/proc/{jupyter.pid}/environ").read_bytes().decode().split("\0")
            kubeconfig = next(line for line in environment if line.startswith("KUBECONFIG=")).partition("=")[2]
            found.append(Learner(lab, jupyter, stack.enter_context(kernel(KUBECONFIG=kubeconfig))))
        at_once(found, BEGIN)
        yield found


def at_once(learners, code):
    """Run a cell in all kernels at the same time; nothing may go wrong in it."""
    begun = [(learner, learner.kernel.begin(code)) for learner in learners]
    for learner, cell in begun:
        ran = learner.kernel.end(cell)
        assert all(kind not in ("stderr", "LabError", "WaitTimeout", "NameError") for kind, _ in ran.shown), ran.shown


def test_each_has_her_own_lab_at_the_same_addresses(learners):
    assert [learner.says("lab.name") for learner in learners] == [learner.lab.name for learner in learners]
    assert len({learner.says("lab.kubeconfig.server") for learner in learners}) == len(learners)
    assert {learner.says("address") for learner in learners} == {"10.10.10.0"}


def test_one_learner_s_requests_and_changes_are_hers_alone(learners):
    anna, *others = learners
    anna.kernel.run(f"load = {LOAD}\nlab.bastion.run('kubectl scale deployment backend --replicas=2')")
    for learner in others:
        assert learner.says("counts.settled(lab.cluster)['requests'].sum()") == "0"
        assert learner.says("lab.cluster.get('Deployment', 'backend')['spec']['replicas']") == "4"
    anna.kernel.run("lab.begin('fresh')")
    for learner in others:
        assert learner.says("lab.check('route').status") == "done"


def test_all_send_at_once_and_each_counts_her_own(learners):
    at_once(learners, BEGIN)
    at_once(learners, f"load = {LOAD}")
    for learner in learners:
        assert (
            learner.says("sorted(counts.settled(lab.cluster)['requests'].astype(int).tolist())") == "[25, 25, 25, 25]"
        )


def test_nobody_sees_another_s_processes(learners):
    for learner in learners:
        seen = learner.lab.bastion("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout
        assert "bird" in seen
        assert not any(other.lab.name in seen for other in learners if other is not learner)


def test_nobody_s_credentials_open_another_s_cluster(learners):
    anna, bea, _ = learners
    server = bea.says("lab.kubeconfig.server")
    with pytest.raises(AssertionError, match=r"(?i)certificate|unauthorized|logged in"):
        anna.lab.kubectl("--server", server, "get", "pods")
    with pytest.raises(AssertionError, match=r"(?i)unauthorized|logged in"):
        anna.lab.kubectl("--server", server, "--insecure-skip-tls-verify", "get", "pods")


def test_nobody_s_token_opens_another_s_jupyterlab(learners):
    for learner in learners:
        for other in learners:
            token = learner.jupyter.url.rpartition("token=")[2]
            address = re.match(r"http://[^/]+", other.jupyter.url)[0]
            request = Request(f"{address}/api/contents", headers={"Authorization": f"token {token}"})
            if learner is other:
                assert urlopen(request, timeout=10).status == 200
            else:
                with pytest.raises(HTTPError, match="403"):
                    urlopen(request, timeout=10)


def test_one_lab_that_ends_leaves_the_others(learners):
    anna, *others = learners
    calico_lab("down", "--name", anna.lab.name)
    for learner in others:
        assert learner.says("lab.check('route').status") == "done"
