"""Whatever a client sends, the server has an answer: no object makes a rule fail."""

import copy
import random

import pytest

VALUES = [
    None,
    True,
    0,
    -1,
    2**70,
    0.5,
    "",
    "x",
    "\n",
    "10.0.0.0/8",
    [],
    [[]],
    [None],
    ["x"],
    {},
    {"x": 1},
    [{"name": "x"}],
]


def _places(value, path=()):
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from _places(child, (*path, key))


def _mutated(item, chance):
    item = copy.deepcopy(item)
    for _ in range(chance.randint(1, 3)):
        *way, last = chance.choice([path for path in _places(item) if path[0] not in ("apiVersion", "kind")])
        place = item
        for step in way:
            place = place[step]
        place[last] = copy.deepcopy(chance.choice(VALUES))
    return item


@pytest.mark.parametrize("completed", [False, True])
def test_no_mutation_of_the_guides_objects_goes_unanswered(judge, guide, completed):
    chance = random.Random(20261124)
    originals = [judge.complete(item) if completed else item for item in guide.values()]
    for _ in range(1000):
        original = chance.choice(originals)
        item = _mutated(original, chance)
        if any("cannot be handled" in message for message in judge.decode(item)):
            continue
        if isinstance(item.get("metadata"), dict):
            judge.unsupported(item)
            judge.refuse(item)
            judge.refuse(item, old=original)
