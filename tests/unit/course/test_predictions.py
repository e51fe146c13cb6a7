"""Predictions are compared request by request, and drawn as they are told."""

import pytest

from calico_lab.lessons.predictions import Predictions, answered_by
from calico_lab.lessons.side_by_side import Answer
from calico_lab.views.predictions_plot import PredictionsPlot


def test_what_went_elsewhere_is_named():
    found = Predictions({"/": "v1", "/a": "v2"}, {"/": "v1", "/a": "404"})
    assert not found.right
    assert found.wrong == ["/a"]
    assert repr(found) == "1 of 2 requests went where you expected\n  /a: 404, not v2"


def test_nothing_expected_is_not_right():
    assert not Predictions({}, {}).right
    assert Predictions({"/": "v1"}, {"/": "v1"}).right


@pytest.mark.parametrize(
    ("answer", "name"), [(Answer(200, "v1"), "v1"), (Answer(404), "404"), (Answer(0), "no answer")]
)
def test_who_answered(answer, name):
    assert answered_by(answer) == name


def test_a_dot_for_each_answer_and_a_ring_for_each_guess():
    plot = PredictionsPlot(Predictions({"/": "v1", "/a": "v2"}, {"/": "v1", "/a": "404"}))
    (axes,) = plot.figure().axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["v1", "v2", "404"]
    places = [tuple(map(float, dots.get_offsets()[0])) for dots in axes.collections]
    assert places == [(0, 0), (0, 0), (2, 1), (1, 1)]
