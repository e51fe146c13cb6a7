import pandas as pd
import pytest

from calico_lab.lessons import fail_over
from calico_lab.lessons.fail_over import FailOver
from calico_lab.tools.envoy_admin import EnvoyCluster
from calico_lab.views.fail_over_plot import FailOverPlot


def seen(*sites: str) -> FailOver:
    rows = [(0.1 * number, site) for number, site in enumerate(sites)]
    return FailOver(pd.DataFrame(rows, columns=["second", "site"]), 0.15, 0.25)


def told(found: FailOver) -> dict[str, str]:
    return {line[:16].strip(): line[18:] for line in repr(found).splitlines()}


def test_over_and_back():
    assert told(seen("site", "apology", "site")) == {
        "at the beginning": "site",
        "meanwhile": "apology",
        "at the end": "site",
    }


def test_how_many_are_lost_is_counted_and_not_in_the_text():
    assert seen("site", "nobody", "nobody", "apology", "site").count("nobody") == 2
    assert repr(seen("site", "nobody", "apology", "site")) == repr(seen("site", "apology", "site"))


def test_nobody_steps_in():
    assert told(seen("site", "nobody", "site"))["meanwhile"] == "nobody else"


def test_it_does_not_come_back():
    assert told(seen("site", "apology", "apology"))["at the end"] == "apology"


def test_the_picture_counts_the_answers_of_each_site():
    plot = FailOverPlot(seen("site", "nobody", "apology", "site"))
    axes = plot.figure().axes[0]
    labels = {text.get_text() for text in axes.get_legend().get_texts()}
    assert labels == {"the site fails", "site: 2", "apology: 1", "not served: 1"}
    assert axes.get_title(loc="left") == "4 requests, 1 lost"
    assert plot.png().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("content", "priorities", "watched"),
    [
        ({}, [], False),
        ({"load_assignment": {"endpoints": [{}, {"priority": 1}]}}, [0, 1], False),
        ({"load_assignment": {"endpoints": [{}]}, "outlier_detection": {}}, [0], True),
        ({"health_checks": [{}]}, [], True),
    ],
)
def test_what_envoy_s_cluster_says(content, priorities, watched):
    cluster = EnvoyCluster("c", None, "least_request", (), content)
    assert fail_over.priorities(cluster) == priorities
    assert fail_over.is_watched(cluster) is watched
    assert fail_over.priorities(None) == []
    assert fail_over.is_watched(None) is False
