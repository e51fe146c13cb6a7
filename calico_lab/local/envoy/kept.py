"""What was made of models, for as long as these are asked for: of a thousand, the one that has changed is made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """A model with a name; what is made of two equal ones is the same."""

    @property
    def name(self) -> str:
        """The name, by which a model is found again."""


Model = TypeVar("Model", bound=Named)
Made = TypeVar("Made")


class Kept(Generic[Model, Made]):
    """Remembers what ``make`` returned for the models of the last call."""

    def __init__(self, make: Callable[[Model], Made]) -> None:
        self._make = make
        self._last: dict[str, tuple[Model, Made]] = {}

    def all(self, models: Iterable[Model]) -> list[Made]:
        """Return what is made of each model, in order; those that this call does not have are forgotten."""
        pairs = [self._pair(model) for model in models]
        self._last = {model.name: (model, made) for model, made in pairs}
        return [made for _, made in pairs]

    def _pair(self, model: Model) -> tuple[Model, Made]:
        known = self._last.get(model.name)
        if known is not None and (known[0] is model or known[0] == model):
            return model, known[1]
        return model, self._make(model)
