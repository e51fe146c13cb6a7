"""What a check answers: done, not yet, or wrong because, with what was looked at and a hint.

A verdict's ``key`` names what is the matter, the same in every run and whatever the sentences say: tables of faults
compare by it. It is empty when the step is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class Status(StrEnum):
    """How far a step has come. ``WRONG``: something is there, and it will not become right by waiting."""

    DONE = "done"
    NOT_YET = "not yet"
    WRONG = "wrong"

    @property
    def mark(self) -> str:
        """The sign before a verdict: one for each status, told apart without colour."""
        return {Status.DONE: "✓", Status.NOT_YET: "·", Status.WRONG: "✗"}[self]


@dataclass(frozen=True)
class Evidence:
    """One thing that was looked at: what it is, what was seen, and the command that shows it to you too."""

    what: str
    seen: str
    command: str = ""


@dataclass(frozen=True, repr=False)
class Verdict:
    """The answer for one step of the guide. ``because`` is a sentence without its first capital and its full stop."""

    status: Status
    key: str
    because: str
    evidence: tuple[Evidence, ...] = ()
    hint: str = ""
    step: str = ""
    title: str = ""

    def __bool__(self) -> bool:
        return self.status is Status.DONE

    @property
    def sentence(self) -> str:
        """The verdict in one line, such as ``gateway: wrong, because the class ... does not exist``."""
        joint = ", because " if self.status is Status.WRONG else ": "
        return f"{self.step}: {self.status.value}{joint}{self.because}"

    def __repr__(self) -> str:
        lines = [f"{self.status.mark} {self.sentence}"]
        for one in self.evidence:
            first, *rest = f"{one.what}: {one.seen}".splitlines() if "\n" not in one.seen else _hanging(one)
            lines += [f"    looked at  {first}", *(f"               {line}" for line in rest)]
        if self.hint:
            lines.append(f"    hint       {self.hint}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from calico_lab.lessons.checks import card

        return card.of_one(self)


def _hanging(evidence: Evidence) -> list[str]:
    return [f"{evidence.what}:", *(f"  {line}" for line in evidence.seen.splitlines())]


NOTHING = "Nothing is wrong"


@dataclass(frozen=True, repr=False)
class Verdicts:
    """The verdicts on all steps, in the order of the guide."""

    all: tuple[Verdict, ...]

    def __bool__(self) -> bool:
        return builtin_all(self.all)

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, step: str) -> Verdict:
        return {verdict.step: verdict for verdict in self.all}[step]

    @property
    def complaints(self) -> Verdicts:
        """Those of the verdicts that say wrong: what will not become right by waiting."""
        return Verdicts(tuple(verdict for verdict in self.all if verdict.status is Status.WRONG))

    def frame(self) -> pd.DataFrame:
        """Return a table: a row for each step, with its ``status``, ``key`` and ``sentence``."""
        import pandas as pd

        rows = [(verdict.status.value, verdict.key, verdict.sentence) for verdict in self.all]
        index = pd.Index([verdict.step for verdict in self.all], name="step")
        return pd.DataFrame(rows, columns=["status", "key", "sentence"], index=index)

    def __repr__(self) -> str:
        return "\n".join(f"{verdict.status.mark} {verdict.sentence}" for verdict in self.all) or NOTHING

    def _repr_html_(self) -> str:
        from calico_lab.lessons.checks import card

        return card.of_all(self.all) if self.all else f"<p>{NOTHING}.</p>"


builtin_all = all


def first(*questions: Callable[[], Verdict | None]) -> Verdict:
    """Return the first verdict that there is; what comes after it is not asked. The last question has one.

    Not ``or``: a verdict that a step is not done counts as false.
    """
    return next(verdict for question in questions if (verdict := question()) is not None)


def done(because: str, *evidence: Evidence) -> Verdict:
    """Return the verdict that nothing is the matter."""
    return Verdict(Status.DONE, "", because, evidence)


def not_yet(key: str, because: str, *evidence: Evidence, hint: str) -> Verdict:
    """Return the verdict that the step is still to be taken, or has not come to its end."""
    return Verdict(Status.NOT_YET, key, because, evidence, hint)


def wrong(key: str, because: str, *evidence: Evidence, hint: str) -> Verdict:
    """Return the verdict that the step was taken in another way than the guide's, and will not work."""
    return Verdict(Status.WRONG, key, because, evidence, hint)
