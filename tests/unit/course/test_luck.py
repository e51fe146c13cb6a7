import itertools
from collections import Counter

import pytest

from calico_lab.lessons import luck
from calico_lab.lessons.evenness import judge
from calico_lab.lessons.rotation import Rotation

SMALL = [(requests, pods) for pods in (1, 2, 3, 4) for requests in range(pods, 8)]


def counted(requests, pods, holds):
    """The share of all sequences of which something holds: what the formulas must come to."""
    sequences = list(itertools.product(range(1, pods + 1), repeat=requests))
    return sum(holds(sequence) for sequence in sequences) / len(sequences)


@pytest.mark.parametrize("bound", [0, 1, 2, 4])
@pytest.mark.parametrize(("requests", "pods"), SMALL)
def test_the_chance_of_even_counts_is_that_of_counting_all_sequences(requests, pods, bound):
    def spread(sequence):
        counts = Counter(sequence)
        return max(counts[pod] for pod in range(1, pods + 1)) - min(counts[pod] for pod in range(1, pods + 1))

    expected = counted(requests, pods, lambda sequence: spread(sequence) <= bound)
    assert luck.chance_of_even(requests, pods, bound) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("requests", "pods"), SMALL)
def test_the_chance_of_turns_is_that_of_counting_all_sequences(requests, pods):
    expected = counted(requests, pods, lambda sequence: Rotation(sequence, pods).in_turn)
    assert luck.chance_in_turn(requests, pods) == pytest.approx(expected, abs=1e-12)


def test_it_agrees_with_the_verdict_on_the_guide_s_hundred_requests():
    assert luck.chance_of_even(100, 4) == pytest.approx(judge([25] * 4, 1).chance)


def test_any_counts_are_even_with_a_bound_as_large_as_the_requests():
    assert luck.chance_of_even(100, 4, bound=100) == pytest.approx(1)


@pytest.mark.parametrize("pods", [4, 6, 8])
def test_the_requests_needed_are_enough_and_a_round_less_is_not(pods):
    needed = luck.requests_needed(pods)
    assert luck.chance_of_even(needed, pods) < 1e-6 <= luck.chance_of_even(needed - pods, pods)


def test_more_workers_need_more_requests():
    assert luck.requests_needed(8, bound=1) < luck.requests_needed(8, bound=2)


def test_the_table_has_chances_in_words():
    table = luck.table([40, 200], [4, 8])
    assert table.loc[200].to_dict() == {"4 pods": "1 in 2,800", "8 pods": "1 in 17,600,000"}


@pytest.mark.parametrize("arguments", [(0, 4), (4, 0), (4, 4, -1)])
def test_nothing_is_neither_even_nor_uneven(arguments):
    with pytest.raises(ValueError, match="at least one request"):
        luck.chance_of_even(*arguments)


def test_less_than_a_round_is_not_in_turn():
    with pytest.raises(ValueError, match="less than one round"):
        luck.chance_in_turn(3, 4)


@pytest.mark.parametrize(("pods", "chance"), [(1, 1e-6), (4, 0), (4, 1)])
def test_what_no_number_of_requests_can_bring(pods, chance):
    with pytest.raises(ValueError, match="two pods at least"):
        luck.requests_needed(pods, chance=chance)
