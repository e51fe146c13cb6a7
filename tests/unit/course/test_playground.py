import pytest

from calico_lab.errors import StepError
from calico_lab.lessons import experiment
from calico_lab.lessons.experiment import Seen, Settings
from calico_lab.views.playground import LABELS, Playground


@pytest.fixture
def playground(monkeypatch):
    monkeypatch.setattr(experiment, "set_up", lambda lab, settings: "10.10.10.0")
    return Playground(lab=None)


def test_settings_that_cannot_be_tried_are_refused():
    for wrong in (
        {"replicas": 0},
        {"requests": 5000},
        {"workers": 9},
        {"policy": "Best"},
        {"requests": 3, "concurrency": 4},
    ):
        with pytest.raises(StepError):
            Settings(**wrong)


def test_manifests_carry_the_settings():
    text = "---\n".join(experiment._manifests(Settings(replicas=3, workers=2, policy="Random")))
    for wanted in ("replicas: 3", "concurrency: 2", "type: Random", "kind: EnvoyProxy, name: workers"):
        assert wanted in text


def test_what_was_seen_is_judged_against_the_workers():
    assert Seen(Settings(replicas=2, workers=1), (1, 1, 1, 2)).evenness.is_even is False
    assert Seen(Settings(replicas=2, workers=2), (1, 1, 1, 2)).evenness.is_even


def test_fields_come_in_order_each_with_its_label(playground):
    assert [field.description for field in playground.fields.values()] == list(LABELS.values())


def test_a_run_draws_and_says_what_came_of_it(playground, monkeypatch):
    def run(lab, settings, address, show):
        assert playground.button.disabled
        assert playground.start() is None
        return Seen(settings, (1, 2, 3, 4) * 25)

    monkeypatch.setattr(experiment, "run", run)
    playground.widget.children[0].children[0].children[-1].click()
    wait_for(playground)
    assert "25 25 25 25" in playground.status.value
    assert bytes(playground.bars.value).startswith(b"\x89PNG")
    assert bytes(playground.strip.value).startswith(b"\x89PNG")


@pytest.mark.parametrize("error", [StepError("no <route>"), RuntimeError("no <route>")])
def test_an_error_is_text_and_run_can_be_pressed_again(playground, monkeypatch, error):
    def run(*_):
        raise error

    monkeypatch.setattr(experiment, "run", run)
    playground.start().join(60)
    assert "no &lt;route&gt;" in playground.status.value
    assert not playground.button.disabled


def test_its_text_is_fixed(playground):
    assert repr(playground) == playground._repr_mimebundle_()["text/plain"]
    assert "playground().run(" in repr(playground)


def wait_for(playground):
    import time

    deadline = time.monotonic() + 60
    while playground.button.disabled and time.monotonic() < deadline:
        time.sleep(0.01)
