import pytest

from calico_lab.lessons.evenness import judge
from calico_lab.views.spreads_plot import SpreadsPlot


def test_its_text_names_the_groups_and_no_count():
    plot = SpreadsPlot({"random": [judge([5, 1], 1), judge([2, 4], 1)], "in turn": [judge([3, 3], 1)]})
    assert repr(plot) == "Spreads of 2 groups: random (2 runs), in turn (1 run)"


def test_every_run_is_drawn_at_its_spread():
    figure = SpreadsPlot({"random": [judge([5, 1], 1), judge([1, 5], 1), judge([2, 4], 1)]}).figure()
    points = figure.axes[0].collections[0].get_offsets()
    assert [x for x, _y in points] == [2, 4, 4]
    assert len({tuple(point) for point in points}) == 3


@pytest.mark.parametrize("groups", [{}, {"empty": []}])
def test_nothing_to_draw(groups):
    with pytest.raises(ValueError, match="no run"):
        SpreadsPlot(groups)
