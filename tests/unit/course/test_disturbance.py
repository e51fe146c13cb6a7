import pandas as pd

from calico_lab.lessons.disturbance import Disturbance
from calico_lab.views.disturbance_plot import DisturbancePlot


def seen(*statuses: int, sent: int = 4) -> Disturbance:
    offsets = [0.1 * number for number in range(len(statuses))]
    return Disturbance(sent, pd.DataFrame({"offset": offsets, "status": statuses}), 0.1, 0.2)


def test_all_were_served():
    assert repr(seen(200, 200, 200, 200)) == "4 requests sent, and every one of them was served"


def test_some_got_an_error():
    assert repr(seen(200, 503, 503, 500)).endswith("not every one was served: some got status 500 or status 503")


def test_some_got_no_answer():
    assert repr(seen(200, 200, 200)).endswith("some got no answer")


def test_how_many_were_hit_is_not_in_the_text_because_it_differs_from_run_to_run():
    assert repr(seen(200, 503, 503, 503)) == repr(seen(200, 200, 200, 503))


def test_the_picture_counts_them():
    axes = DisturbancePlot(seen(200, 503, 200), "something").figure().axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert axes.get_title(loc="left") == "4 requests, 2 lost"
    assert {"something", "served: 2", "not served: 1"} == set(labels)
