import pandas as pd
import pytest

from calico_lab.lessons import resilience
from calico_lab.lessons.resilience import Outcome, Settings
from calico_lab.views.outcomes_plot import OutcomesPlot


def outcome(*statuses: int, sent: int = 0, tries: int = 0) -> Outcome:
    answers = pd.DataFrame({"status-code": statuses, "response-time": [0.01] * len(statuses)})
    return Outcome(sent or len(statuses), answers, tries)


def test_what_became_of_requests_is_counted():
    found = outcome(200, 200, 503, sent=4)
    assert (found.served, found.failed, found.slowest) == (2, 2, 0.01)
    assert repr(found) == "4 requests: 2 served, 1 got status 503, 1 got no answer"


def test_the_plot_tells_the_kinds_of_failure_and_draws_their_numbers():
    plot = OutcomesPlot({"as it is": outcome(200, 503, sent=3, tries=1), "retry": outcome(200, 200)})
    assert repr(plot) == (
        "as it is  3 requests, some got status 503 or no answer\nretry     2 requests, every one served"
    )
    axes = plot.figure().axes[0]
    assert axes.get_title(loc="left") == "At worst 2 not served, at last none"
    assert {"1 times", "0 times"} <= {text.get_text() for text in axes.texts}
    assert plot.png().startswith(b"\x89PNG")


def test_no_outcome_is_no_picture():
    with pytest.raises(ValueError, match="no outcome"):
        OutcomesPlot({})


def test_what_a_policy_leaves_out_is_what_envoy_gateway_puts_in():
    defaults = "cancelled, connect-failure, refused-stream, retriable-status-codes, unavailable"
    asked = resilience.asked_for({"retry": {}, "healthCheck": {"passive": {}}})
    assert asked == Settings(retries=2, on=defaults, failures=5, ejected=10)
    assert str(resilience.asked_for({})) == "nothing"


def test_envoy_s_defaults_are_nothing_that_was_asked_for():
    cluster = {
        "circuit_breakers": {"thresholds": [{"max_requests": 1024, "max_retries": 1024}]},
        "common_lb_config": {"healthy_panic_threshold": {}},
    }
    assert resilience.read({}, cluster) == Settings(panic=0)


def test_a_mood_that_the_pod_does_not_know():
    with pytest.raises(ValueError, match="well, broken, slow, gone"):
        resilience.mood(None, "sad")
