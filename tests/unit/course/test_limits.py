import pandas as pd
import pytest

from calico_lab.lessons.limits import Limit, Limited, asked_for
from calico_lab.views.limit_plot import LimitPlot

HOURLY, EACH_SECOND = Limit(2, 3600), Limit(2, 1)


def seen(limit: Limit, *statuses: int, pace: float = 0.1, latency: float = 0.01) -> Limited:
    offsets = [5 + pace * number for number in range(len(statuses))]
    answered = [offset + latency for offset in offsets]
    return Limited(limit, pd.DataFrame({"status": statuses, "offset": offsets, "answered": answered}))


def test_a_full_bucket_passes_and_no_more():
    found = seen(HOURLY, 200, 200, 429, 429)
    assert found.keeps_to_it
    assert repr(found) == "4 requests, 2 per hour: 2 passed, 2 got 429; as the limit wants"


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ((200, 200, 200, 429), "3 got 200, 1 got 429"),
        ((200, 429, 429, 429), "1 got 200, 3 got 429"),
        ((200, 200, 503, 429), "2 got 200, 1 got 429, 1 got 503"),
    ],
)
def test_too_many_too_few_and_other_answers(statuses, told):
    assert repr(seen(HOURLY, *statuses)) == f"4 requests, 2 per hour: {told}; not as the limit wants"


def test_as_many_more_pass_as_tokens_come():
    # At 0, 0.25 and so on: the third has a token at 0.5, the fourth at 1.
    assert seen(EACH_SECOND, 200, 200, 200, 429, 200, pace=0.25).keeps_to_it
    assert not seen(EACH_SECOND, 200, 200, 200, 200, 200, pace=0.15).keeps_to_it


def test_a_bucket_that_is_never_filled_again():
    assert not seen(EACH_SECOND, 200, 200, 429, 429, 429, pace=0.5).keeps_to_it
    assert seen(EACH_SECOND, 200, 200, 429, 429, 429, pace=0.1).keeps_to_it


def test_what_differs_from_run_to_run_is_not_in_the_text():
    one = seen(EACH_SECOND, 200, 200, 429, 200, 429, pace=0.5)
    other = seen(EACH_SECOND, 200, 200, 429, 200, 200, pace=0.5)
    assert repr(one) == repr(other)
    assert "5 requests, 2 per second: a full bucket of 2 passed, then as many as tokens came" in repr(one)


def test_each_envoy_has_a_bucket():
    two = Limit(2, 3600, envoys=2)
    assert str(two) == "2 per hour at each of 2 Envoys"
    assert seen(two, 200, 200, 200, 200, 429).keeps_to_it
    assert not seen(two, 200, 200, 429, 429, 429).keeps_to_it


def test_fewer_than_the_limit_all_pass():
    assert seen(HOURLY, 200).keeps_to_it


@pytest.mark.parametrize(
    ("rules", "limit"),
    [
        ([], None),
        ([{"clientSelectors": [{}], "limit": {"requests": 1, "unit": "Hour"}}], None),
        ([{"limit": {"requests": 2, "unit": "Hour"}}], HOURLY),
    ],
)
def test_what_a_policy_asks_for(rules, limit):
    assert asked_for({"spec": {"rateLimit": {"type": "Local", "local": {"rules": rules}}}}) == limit


def test_a_policy_that_limits_nothing():
    assert asked_for({"spec": {}}) is None


def test_the_picture_counts_them():
    axes = LimitPlot(seen(HOURLY, 200, 200, 429)).figure().axes[0]
    labels = {text.get_text() for text in axes.get_legend().get_texts()}
    assert axes.get_title(loc="left") == "3 requests, 2 passed"
    assert labels == {"429: 1", "passed: 2", "at the most: 2 per hour"}
    limit = next(line for line in axes.lines if str(line.get_label()).startswith("at the most"))
    assert limit.get_ydata()[0] == 2
