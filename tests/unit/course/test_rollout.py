import pytest

from calico_lab import kubectl
from calico_lab.errors import WaitTimeout
from calico_lab.lessons import rollout, waits


def pod(name, ready=True, leaving=False):
    metadata = {"name": name} | ({"deletionTimestamp": "2026-11-25T00:00:00Z"} if leaving else {})
    return {"metadata": metadata, "status": {"conditions": [{"type": "Ready", "status": str(ready)}]}}


class Lab:
    """A cluster that shows one list of pods after the other, and the last of them for ever."""

    kubeconfig = None

    def __init__(self, *states):
        self.cluster = self
        self._states = list(states)

    def list(self, _kind, *, labels):
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    asked = []
    monkeypatch.setattr(kubectl, "run", lambda _kubeconfig, *arguments, **_options: asked.append(arguments))
    monkeypatch.setattr(waits, "TIME_LIMIT", 0.3)
    monkeypatch.setitem(waits.until.__kwdefaults__, "time_limit", 0.3)
    return asked


def test_kubectl_is_asked_and_the_new_pods_waited_for(asked):
    lab = Lab([pod("a"), pod("b")], [pod("a"), pod("c", ready=False)], [pod("c"), pod("d")])
    assert repr(rollout.replace(lab)) == "2 pods of the backend are new"
    assert asked == [("rollout", "restart", "deployment", "backend")]


def test_a_pod_that_was_leaving_before_is_not_to_be_replaced():
    rollout.replace(Lab([pod("a"), pod("x", leaving=True)], [pod("c")]))


@pytest.mark.parametrize(
    "after",
    [[pod("a"), pod("c")], [pod("c")], [pod("c"), pod("d", ready=False)], [pod("c"), pod("d"), pod("b", leaving=True)]],
    ids=["an old one stays", "one is missing", "one is not ready", "an old one has not gone"],
)
def test_pods_that_are_not_all_new(after):
    with pytest.raises(WaitTimeout, match="2 pods of the backend are new"):
        rollout.replace(Lab([pod("a"), pod("b")], after))
