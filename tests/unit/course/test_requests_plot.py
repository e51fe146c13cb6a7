import pytest

from calico_lab.lessons.evenness import judge
from calico_lab.views.requests_plot import RequestsPlot


def test_its_text_states_its_data():
    plot = RequestsPlot(judge([25, 25, 25, 25], 1))
    assert repr(plot) == "100 requests over 4 pods: 25 25 25 25; spread 0 <= bound 1"


def test_its_text_states_that_a_bound_is_broken():
    assert repr(RequestsPlot(judge([30, 20], 2))).endswith("30 20; spread 10 > bound 2")


@pytest.mark.parametrize("counts", [[25, 25, 25, 25], [100, 0], [0, 0], [7]])
def test_it_is_a_picture(counts):
    picture, size = RequestsPlot(judge(counts, 1))._repr_png_()
    assert picture.startswith(b"\x89PNG")
    assert size == {"width": 768, "height": 364}


def test_different_counts_are_different_pictures():
    assert RequestsPlot(judge([3, 3], 1)).png() != RequestsPlot(judge([3, 2], 1)).png()
