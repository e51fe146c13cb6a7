from types import SimpleNamespace

import pytest

from calico_lab.cluster import Awaited
from calico_lab.errors import NotFound, WaitTimeout
from calico_lab.lessons import obstacles, waits
from calico_lab.views import progress

PENDING = {"type": "Programmed", "status": "False", "reason": "AddressNotAssigned", "message": "no address"}
TOO_FEW = {"type": "Warning", "reason": "FailedScheduling", "message": "no node"}


class FakeCluster:
    """One Gateway and one Deployment that are not ready, with one pod and its event."""

    def get(self, kind, name, namespace=None):
        if kind == "Gateway":
            return {"metadata": {"name": name}, "spec": {}, "status": {"conditions": [PENDING]}}
        if kind == "Deployment":
            labels = {"matchLabels": {"app": "backend"}}
            metadata = {"name": name, "generation": 1}
            return {"metadata": metadata, "spec": {"replicas": 4, "selector": labels}, "status": {}}
        raise NotFound("none")

    def list(self, kind, labels=""):
        waiting = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}
        status = {"phase": "Pending", "containerStatuses": [waiting]}
        return [{"metadata": {"name": "backend-1"}, "status": status}] if labels == "app=backend" else []

    def events(self, kind, name):
        return [TOO_FEW] if kind == "Pod" else []


class Recorded:
    """A bar that keeps what it is shown."""

    def __init__(self):
        self.shown = []

    def waited(self, seconds):
        self.shown.append("waited")

    def done(self, seconds):
        self.shown.append("done")

    def failed(self):
        self.shown.append("failed")


@pytest.fixture
def bar(monkeypatch):
    from contextlib import contextmanager

    recorded = Recorded()

    @contextmanager
    def show(description, limit):
        recorded.shown.append((description, limit))
        yield recorded

    monkeypatch.setattr(progress, "bar", show)
    return recorded


def test_a_wait_says_what_for_and_against_which_limit(bar):
    answers = iter([False, True])
    assert repr(waits.until(lambda: next(answers), "rain", remedy="", time_limit=5, poll_seconds=0)) == "rain"
    assert bar.shown == [("rain", 5), "waited", "done"]


def test_at_the_limit_it_says_what_stood_in_the_way(bar):
    with pytest.raises(WaitTimeout) as caught:
        waits.programmed(FakeCluster(), "load-balancing-gateway", time_limit=0)
    assert "not within 0 s: Gateway load-balancing-gateway is Programmed" in str(caught.value)
    assert "Programmed is False (AddressNotAssigned) no address" in str(caught.value)
    assert bar.shown[-1] == "failed"


def test_pods_in_the_way_are_told_with_their_warnings():
    told = obstacles.about(FakeCluster(), "Deployment", "backend").splitlines()
    assert "  - 1 of 4 pods exist" in told
    assert "  - Pod backend-1 is Pending and not ready: ImagePullBackOff" in told
    assert "  - Pod backend-1: FailedScheduling: no node" in told


def test_what_does_not_exist_is_told():
    assert obstacles.about(FakeCluster(), "HTTPRoute", "x") == "  - HTTPRoute x does not exist"


def test_in_a_pipe_nothing_is_shown(capsys):
    waits.until(lambda: True, "anything", remedy="")
    assert capsys.readouterr() == ("", "")


def test_the_widget_s_text_is_the_same_whatever_came_of_it(capsys, monkeypatch):
    displayed = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: displayed.append(data))
    slow, quick = progress.WidgetBar("rain", 60), progress.WidgetBar("rain", 60)
    slow.done(50)
    quick.done(1)
    assert [data["text/plain"] for data in displayed] == ["Wait for: rain (at most 60 s)"] * 2
    assert "after 1.0 s" in quick._text.value
    assert "after 50.0 s" in slow._text.value


def test_several_waits_are_told_as_one_against_the_guide_s():
    awaited = [Awaited("rain", {}, 1.0), Awaited("snow", {}, 2.5)]
    shown = waits.together(*awaited)
    assert repr(shown) == "✓ rain\n✓ snow"
    assert shown._repr_mimebundle_()["text/plain"] == repr(shown)
    assert "<b>3.5 s</b>, 56.5 s less than the guide's 60 s" in shown.said
    assert "less" not in waits.together(Awaited("rain", {}, 61.0)).said


def test_an_interrupted_wait_says_what_stood_in_the_way(bar):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(WaitTimeout, match="no longer waited for: the tide\n  - the moon"):
        waits.until(interrupted, "the tide", remedy="look", in_the_way=lambda: "  - the moon")
    assert bar.shown[-1] == "failed"


def test_the_bar_of_a_wait_that_an_error_ends_does_not_go_on(bar):
    def not_there():
        raise NotFound("none")

    with pytest.raises(NotFound):
        waits.until(not_there, "the tide", remedy="look")
    assert bar.shown[-1] == "failed"


class GrowingCluster:
    """A Gateway whose second Envoy appears between one look and the next, and is ready a look later."""

    kubeconfig = SimpleNamespace(namespace="default")

    def __init__(self):
        self.looks = 0

    def list(self, kind, namespace=None, *, labels="", all_namespaces=False):
        self.looks += 1
        ready = [True] if self.looks == 1 else [True, self.looks > 2]
        return [envoy(name, each) for name, each in zip(("old", "new"), ready, strict=False)]


def envoy(name, ready):
    arguments = ["--concurrency", "1"]
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "envoy", "args": arguments}]},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def test_an_envoy_is_counted_only_when_it_is_known_to_be_ready():
    cluster = GrowingCluster()
    waits.envoy_workers(cluster, "gateway", 2, shown=False)
    assert cluster.looks == 3
