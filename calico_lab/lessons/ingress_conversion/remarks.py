"""What became of each annotation, and of each field that is more than a host and a path."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of something.

    ``DIFFERS`` is converted, and not the same in every case; ``BY_HAND`` has an equivalent that is not written here,
    because the annotation alone does not tell enough of it, or because it is a matter of the whole Gateway.
    """

    CONVERTED = "converted"
    DIFFERS = "differs"
    BY_HAND = "by hand"
    LEFT = "no equivalent"

    @property
    def mark(self) -> str:
        """The sign before a remark: one for each outcome, told apart without colour."""
        return {Outcome.CONVERTED: "✓", Outcome.DIFFERS: "≈", Outcome.BY_HAND: "✎", Outcome.LEFT: "✗"}[self]


@dataclass(frozen=True)
class Told:
    """An outcome, and the sentence that says how or why, without its first capital and its full stop."""

    outcome: Outcome
    says: str


@dataclass(frozen=True)
class Remark:
    """What became of one thing that an Ingress says: ``subject`` is an annotation without its prefix, or a field."""

    ingress: str
    subject: str
    value: str
    outcome: Outcome
    says: str

    def __str__(self) -> str:
        return f"{self.outcome.mark} {self.ingress}  {self.subject}: {self.value}\n    {self.outcome}: {self.says}"


def converted(says: str) -> Told:
    """Return that something means the same afterwards."""
    return Told(Outcome.CONVERTED, says)


def differs(says: str) -> Told:
    """Return that something is converted, and what is not the same."""
    return Told(Outcome.DIFFERS, says)


def by_hand(what: str) -> Told:
    """Return what has to be written by hand in something's place."""
    return Told(Outcome.BY_HAND, what)


def left(why: str) -> Told:
    """Return that something has no equivalent, and why."""
    return Told(Outcome.LEFT, why)
