"""What was made of objects, for as long as these are asked for: of a thousand, the one that is new is made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


class Kept(Generic[Item, Made]):
    """Remembers what ``make`` returned for the items of the last call.

    An item is the same if it is the same object: to compare its content would cost as much as making.
    """

    def __init__(self, make: Callable[[Item], Made]) -> None:
        self._make = make
        self._last: dict[int, tuple[Item, Made]] = {}

    def all(self, items: Iterable[Item]) -> list[Made]:
        """Return what is made of each item, in order; items of which this call has none are forgotten."""
        found: dict[int, tuple[Item, Made]] = {}
        result = []
        for item in items:
            pair = self._last.get(id(item)) or (item, self._make(item))
            # As long as the item is held here, no other object can have its id.
            found[id(item)] = pair
            result.append(pair[1])
        self._last = found
        return result
