import pandas as pd
import pytest

from calico_lab.lessons.rollout import PodsSeen, Rollout
from calico_lab.tools import hey
from calico_lab.views.rollout_plot import RolloutPlot

REPLACED = (PodsSeen(0.1, 4, 0), PodsSeen(0.5, 3, 2), PodsSeen(0.9, 0, 4))


def answers(*statuses):
    rows = {column: [0.001] * len(statuses) for column in hey.CSV_COLUMNS}
    return pd.DataFrame(rows | {hey.STATUS: statuses, hey.OFFSET: [0.1 * number for number in range(len(statuses))]})


def test_all_requests_answered():
    rollout = Rollout(3, answers(200, 200, 200), REPLACED)
    assert (rollout.answered, rollout.lost) == (3, 0)
    assert repr(rollout) == "4 pods replaced by 4 under load: no request was lost"


@pytest.mark.parametrize("statuses", [(200, 503, 200), (200, 200)], ids=["an error of Envoy's", "no answer"])
def test_a_lost_request(statuses):
    rollout = Rollout(3, answers(*statuses), REPLACED)
    assert rollout.lost == 1
    assert repr(rollout) == "4 pods replaced by 4 under load: some requests were lost"


@pytest.mark.parametrize(
    "pods",
    [(PodsSeen(0, 4, 0), PodsSeen(1, 1, 4)), (PodsSeen(0, 4, 0), PodsSeen(1, 0, 3)), (PodsSeen(0, 0, 0),)],
    ids=["an old one is left", "a new one is missing", "there were none"],
)
def test_pods_that_were_not_all_replaced(pods):
    rollout = Rollout(1, answers(200), pods)
    assert not rollout.is_done
    assert repr(rollout).startswith("the pods were not all replaced")


@pytest.mark.parametrize("statuses", [(200, 200), (200, 503)])
def test_it_can_be_drawn(statuses):
    plot = RolloutPlot(Rollout(2, answers(*statuses), REPLACED))
    assert plot.png().startswith(b"\x89PNG")
    assert repr(plot) == repr(plot.rollout)


@pytest.mark.parametrize(
    ("statuses", "finding"),
    [
        ((200, 200), "All pods replaced, and none of 2 requests lost"),
        ((200, 503), "All pods replaced, and 1 of 2 requests lost"),
    ],
)
def test_its_title_is_what_was_found(statuses, finding):
    figure = RolloutPlot(Rollout(2, answers(*statuses), REPLACED)).figure()
    assert figure.axes[0].get_title(loc="left") == finding
