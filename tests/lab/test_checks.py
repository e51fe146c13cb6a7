"""Each fault that a learner makes is told by its own key at its own step: the table stands in ``test_checks.yaml``."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.eventually import wait_until
from support.labs import running_lab

import calico_lab
from calico_lab import errors, kubectl
from calico_lab.lab import Lab
from calico_lab.lessons import checks, waits
from calico_lab.lessons.checks import Verdicts

Row = dict[str, Any]
ROWS: list[Row] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())["rows"]
BY_NAME = {row["fault"]: row for row in ROWS}
PAIRS = [(row, BY_NAME[row["pair"]]) for row in ROWS if "pair" in row]
LOAD = "hey -n 100 -c 100 -host www.example.com http://ADDRESS/round"
KEEP = "sudo cp /etc/bird/bird.conf /tmp/kept"
# What is the same again is read again and not restarted: a BGP session takes seconds.
PUT_BACK = (
    "cmp -s /etc/bird/bird.conf /tmp/kept && sudo birdc configure > /dev/null && sudo birdc enable all > /dev/null"
    " || { sudo cp /tmp/kept /etc/bird/bird.conf; sudo systemctl restart bird; }; sudo apt install -y hey > /dev/null"
)


def without(faults: dict[str, str], steps: tuple[str, ...]) -> dict[str, str]:
    return {step: key for step, key in faults.items() if step not in steps}


class Learner:
    """Somebody who makes mistakes in a lab where all steps were taken, and mends them."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        folder = resources.files("calico_lab.lessons") / "manifests"
        texts = (file.read_text() for file in sorted(folder.iterdir(), key=str) if file.name.endswith(".yaml"))
        self.guide = {item["kind"]: item for text in texts for item in yaml.safe_load_all(text)}
        lab.cluster.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: elsewhere}\n")
        lab.bastion.run(KEEP)
        self.changed: list[str] = []
        self.beside: list[Row] = []
        self.mend()

    def make(self, row: Row) -> None:
        """Make the mistake of a row."""
        self._delete(*row.get("without", ()))
        self._apply_beside(*row.get("apply", ()))
        if "elsewhere" in row:
            self._apply_beside(changed(self.guide[row["elsewhere"]], {"metadata.namespace": "elsewhere"}))
        for kind, name in row.get("renamed", {}).items():
            self._apply_beside(changed(self.guide[kind], {"metadata.name": name}))
        self._delete(*row.get("anew", ()))
        for kind, fields in row.get("change", {}).items():
            self.changed.append(kind)
            self._apply(changed(self.guide[kind], fields))
        self._apply(*(self.guide[kind] for kind in row.get("again", ())))
        if "kubectl" in row:
            self.changed.append("Deployment")
            kubectl.run(self.lab.kubeconfig, *row["kubectl"].split(), time_limit=10)
        if "load_with" in row:
            self._scale(row["load_with"])
            self.wait_for({"backend": "backend-other-replicas"})
            waits.envoy_knows_pods(self.lab.cluster, "load-balancing-gateway", row["load_with"])
            self.run(LOAD)
            self._scale(4)
        if "again" in row:
            self.wait_for({row["step"]: "test-no-requests"} if row["step"] == "test" else self.faults())
        if "bastion" in row:
            self.changed.append("bastion")
            self.run(row["bastion"])

    def mend(self) -> None:
        """Put everything right, as after the last step of the guide."""
        for item in self.beside:
            meta = item["metadata"]
            self.lab.cluster.delete(item["kind"], meta["name"], meta.get("namespace"), missing_ok=True)
        if {"Deployment", "IPPool"} & set(self.changed):
            self._delete(*({"Deployment", "IPPool"} & set(self.changed)))
        if "bastion" in self.changed:
            self.run(PUT_BACK)
        self.changed, self.beside = [], []
        self._apply(*self.guide.values())
        if self.wait_for({}, {"test": "test-no-requests"}, but=("test",)):
            self.run(LOAD)
        self.wait_for({})

    def run(self, command: str) -> None:
        address = ""
        if "ADDRESS" in command:
            gateway = self.lab.cluster.wait("Gateway", "load-balancing-gateway", "Programmed").object
            address = gateway["status"]["addresses"][0]["value"]
            self.lab.bastion.run(f"timeout 10 bash -c 'until ip route | grep -q ^{address}; do sleep 0.05; done'")
        self.lab.bastion.run(command.replace("ADDRESS", address), check=False)

    def faults(self) -> dict[str, str]:
        return keys(self.lab.check())

    def wait_for(self, *wanted: dict[str, str], but: tuple[str, ...] = ()) -> bool:
        """Wait until the faults are as wanted, in one way or another; returns whether the step test is among them."""
        told = [without(each, but) for each in wanted]
        return "test" in wait_until(self.faults, lambda seen: without(seen, but) in told)

    def _delete(self, *kinds: str) -> None:
        for kind in kinds:
            self.lab.cluster.delete(kind, self.guide[kind]["metadata"]["name"], missing_ok=True)

    def _apply(self, *items: Row) -> None:
        if items:
            self.lab.cluster.apply(yaml.safe_dump_all(items))

    def _apply_beside(self, *items: Row) -> None:
        self.beside += items
        self._apply(*items)

    def _scale(self, pods: int) -> None:
        kubectl.run(self.lab.kubeconfig, "scale", "deployment/backend", f"--replicas={pods}", time_limit=10)


def changed(item: Row, fields: dict[str, Any]) -> Row:
    """Return an object with other values in fields such as ``spec.listeners.0.port``; None takes a field away."""
    result = copy.deepcopy(item)
    for path, value in fields.items():
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        holder: Any = result
        for part in parents:
            holder = holder[part]
        holder[last] = value
        if value is None:
            del holder[last]
    return result


def keys(verdicts: Verdicts) -> dict[str, str]:
    """Return what is the matter at which step, without those that only wait for others and the demo that is there."""
    return {
        verdict.step: verdict.key
        for verdict in verdicts
        if verdict.key and not verdict.key.endswith("-waits") and verdict.step != "clean-up"
    }


def expected(*rows: Row) -> dict[str, str]:
    told = [{row["step"]: row["key"], **row.get("also", {})} for row in rows]
    return {step: key for each in told for step, key in each.items() if step != "clean-up"}


@pytest.fixture(scope="module")
def learner() -> Iterator[Learner]:
    with running_lab("checks") as running:
        lab = calico_lab.connect(running.kubeconfig)
        lab.begin("route")
        yield Learner(lab)


@pytest.fixture
def mistaken(learner: Learner) -> Iterator[Learner]:
    """A learner whose mistakes are mended afterwards, and after whom all is well again."""
    yield learner
    learner.mend()


@pytest.mark.parametrize("row", [pytest.param(row, id=row["fault"]) for row in ROWS])
def test_a_fault_is_told_at_its_step_and_nowhere_else(mistaken: Learner, row: Row):
    mistaken.make(row)
    mistaken.wait_for(expected(row))
    verdict = mistaken.lab.check(row["step"])
    assert (verdict.key, verdict.status.value) == (row["key"], row.get("status", "wrong"))
    assert row["evidence"] in "\n".join(f"{one.what}\n{one.seen}" for one in verdict.evidence)
    assert re.search(row["hint"], verdict.hint)
    assert str(row["secret"]) not in verdict.hint


@pytest.mark.parametrize("pair", [pytest.param(pair, id=" + ".join(row["fault"] for row in pair)) for pair in PAIRS])
def test_two_faults_are_told_each_at_its_own_step(mistaken: Learner, pair: tuple[Row, Row]):
    for row in sorted(pair, key=lambda row: row["step"] == "policy"):
        mistaken.make(row)
    mistaken.wait_for(expected(*pair))


def test_nothing_is_the_matter_with_a_lab_that_is_right(learner: Learner):
    verdicts = learner.lab.check()
    assert [verdict.step for verdict in verdicts if not verdict] == ["clean-up"]
    assert all(verdict.evidence and not verdict.hint for verdict in verdicts if verdict)


def test_checks_change_nothing(learner: Learner):
    before = versions(learner.lab)
    learner.lab.check()
    assert versions(learner.lab) == before


def versions(lab: Lab) -> dict[str, str]:
    kinds = (
        "IPPool",
        "BGPConfiguration",
        "BGPPeer",
        "GatewayAPI",
        "Gateway",
        "HTTPRoute",
        "Service",
        "Deployment",
        "Pod",
    )
    found = {
        item["metadata"]["uid"]: item["metadata"]["resourceVersion"]
        for kind in kinds
        for item in lab.cluster.list(kind)
    }
    return found | {"bird.conf": lab.bastion.run("stat -c %Y /etc/bird/bird.conf").output}


def test_a_verdict_is_the_same_text_each_time(learner: Learner):
    assert repr(learner.lab.check()) == repr(learner.lab.check())
    assert [repr(one) for one in learner.lab.check()] == [repr(one) for one in learner.lab.check()]


def test_a_step_that_the_guide_does_not_have(learner: Learner):
    with pytest.raises(errors.StepError, match="'coffee'"):
        learner.lab.check("coffee")


def test_the_table_is_whole():
    assert len(BY_NAME) == len(ROWS) >= 40
    assert {row["step"] for row in ROWS} == set(checks.STEPS) - {"ready", "address"}
    assert len(PAIRS) >= 10
