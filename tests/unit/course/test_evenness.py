import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calico_lab.lessons.evenness import judge

rotors = st.integers(1, 16)
pods = st.integers(1, 12)


@given(st.data(), rotors, pods)
def test_round_robin_is_even_however_many_workers_it_has(data, rotors, pods):
    """The bound is exact: no split of the requests over the workers, and no start of their rotors, breaks it."""
    counts = [0] * pods
    for _rotor in range(rotors):
        start, requests = data.draw(st.integers(0, pods - 1)), data.draw(st.integers(1, 60))
        for turn in range(requests):
            counts[(start + turn) % pods] += 1
    assert judge(counts, rotors).is_even


@given(rotors, pods.filter(lambda pods: pods > 1))
def test_the_bound_is_reached(rotors, pods):
    """With every rotor one ahead at the same pod, max - min is W: a smaller bound would be wrong."""
    counts = [10 * rotors + rotors, *[10 * rotors] * (pods - 1)]
    assert judge(counts, rotors).spread == rotors
    assert not judge([counts[0] + 1, *counts[1:]], rotors).is_even


def test_a_pod_that_gets_nothing_is_noticed():
    assert not judge([34, 33, 33, 0], 1).is_even


def test_no_requests_are_not_even():
    nothing = judge([0, 0, 0, 0], 1)
    assert not nothing.is_even
    assert repr(nothing) == "Not even: no pod got a request"


@pytest.mark.parametrize(("counts", "rotors"), [([], 1), ([25, 25], 0)])
def test_without_pods_or_rotors_there_is_no_verdict(counts, rotors):
    with pytest.raises(ValueError, match="at least one"):
        judge(counts, rotors)


def test_the_chance_of_four_times_25():
    """100! / (25!**4 * 4**100), the exact probability."""
    assert judge([25, 25, 25, 25], 1).chance == pytest.approx(0.00100328, rel=1e-5)


def test_the_chance_of_26_25_24_25():
    """The chi-square distribution with 3 degrees of freedom at 0.08: about 0.006."""
    assert judge([26, 25, 24, 25], 2).chance == pytest.approx(0.00587, rel=1e-2)


def test_random_counts_do_not_look_unlikely():
    draw = random.Random(5).choices(range(4), k=1000)
    assert judge([draw.count(pod) for pod in range(4)], 1).chance > 0.05


def test_jain_s_index_calls_random_fair_too():
    assert judge([25, 25, 25, 25], 1).jain_index == 1
    assert judge([100, 0, 0, 0], 1).jain_index == 0.25
    assert judge([31, 20, 27, 22], 1).jain_index > 0.95


def test_its_text_states_verdict_counts_and_bound():
    text = repr(judge([26, 25, 24, 25], 2))
    assert text.splitlines()[:2] == [
        "Even: 100 requests over 4 pods: 26 25 24 25",
        "spread (max - min) 2 <= bound 2 (2 Envoy workers)",
    ]
