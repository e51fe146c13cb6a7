"""Where keys go, which of them move, and how that is told and drawn."""

import pytest

from calico_lab.lessons import hashing
from calico_lab.lessons.hashing import Moves, Placement
from calico_lab.views.keys_plot import KeysPlot

PODS = ["a", "b", "c", "d"]


@pytest.mark.parametrize("gone", PODS)
def test_the_simplest_hash_moves_most_keys(gone):
    moves = Moves(hashing.modulo(PODS), hashing.modulo([pod for pod in PODS if pod != gone]))
    assert moves.gone == {gone}
    assert len(moves.before.pods) == 600
    assert repr(moves) == (
        "600 keys: those of the pod that has gone moved\n"
        "of the keys whose pod is still there, most moved: more than 50%"
    )


def placed(text):
    return Placement({f"user-{number}": pod for number, pod in enumerate(text, 1)})


@pytest.mark.parametrize(
    ("before", "after", "needless", "said"),
    [
        ("abcd", "abcd", [], "4 keys: none of them moved"),
        ("aabb", "bbbb", [], "those of the pod that has gone moved"),
        ("a" + "b" * 20, "c" + "b" * 20, [], "hardly any moved: less than 10%"),
        ("aabbbb", "bcbbbc", ["user-6"], "some moved: 10% to 50%"),
        ("abab", "baab", ["user-1", "user-2"], "some moved: 10% to 50%"),
        ("abab", "baba", ["user-1", "user-2", "user-3", "user-4"], "most moved: more than 50%"),
    ],
)
def test_keys_that_had_to_move_are_told_from_those_that_had_not(before, after, needless, said):
    moves = Moves(placed(before), placed(after))
    assert moves.needless == needless
    assert said in repr(moves)


def test_a_policy_tells_what_is_hashed():
    def policy(**balancer):
        return {"spec": {"loadBalancer": balancer}}

    hashed = {"type": "Header", "header": {"name": "user"}}
    assert hashing.asked_for(policy(type="ConsistentHash", consistentHash=hashed)) == "header user"
    hashed = {"type": "Cookie", "cookie": {"name": "c"}}
    assert hashing.asked_for(policy(type="ConsistentHash", consistentHash=hashed)) == "cookie c"
    assert hashing.asked_for(policy(type="ConsistentHash", consistentHash={"type": "SourceIP"})) == "source IP"
    assert hashing.asked_for(policy(type="RoundRobin")) == ""
    assert hashing.asked_for({"spec": {}}) == ""


def test_a_disc_where_each_key_is_and_a_ring_where_it_was():
    plot = KeysPlot(Moves(placed("aabc"), placed("bcbb")))
    (axes,) = plot.figure().axes
    _lines, discs, rings = axes.collections
    assert [tuple(map(float, place)) for place in discs.get_offsets()] == [(1, 0), (2, 1), (1, 2), (1, 3)]
    assert [tuple(map(float, place)) for place in rings.get_offsets()] == [(0, 0), (0, 1), (2, 3)]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["pod 1 (gone)", "pod 2", "pod 3"]
    assert axes.get_title(loc="left") == "2 keys moved with their pod, and 1 other"


def test_the_first_keys_are_drawn_and_all_are_counted():
    plot = KeysPlot(Moves(hashing.modulo(PODS), hashing.modulo(PODS[1:])), rows=5)
    (axes,) = plot.figure().axes
    assert len(axes.get_yticklabels()) == 5
    assert axes.get_xlabel().startswith("the first 5 of 600 keys")
    assert KeysPlot(Moves(placed("ab"), placed("ab"))).figure().axes[0].get_title(loc="left") == "No key moved"
    assert KeysPlot(Moves(placed("ab"), placed("ba"))).figure().axes[0].get_title(loc="left") == "2 of 2 keys moved"
