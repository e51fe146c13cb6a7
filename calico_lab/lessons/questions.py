"""The questions of the quizzes: one file for each notebook, in the folder ``quizzes``.

    - text: What is asked, with `code` between backquotes.
      choices:
        - text: One answer.
          because: Why it is right, or what is wrong with it.
          right: true            of one choice only; leave it out of the others

A file holds a list of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from calico_lab.errors import QuizError

_CHOICES = range(3, 5)


@dataclass(frozen=True)
class Choice:
    """One answer to choose, and why it is right or wrong."""

    text: str
    because: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question and its choices, of which one is right. Raises ``QuizError`` when it is not so."""

    text: str
    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        if len(self.choices) not in _CHOICES:
            raise QuizError(f"3 or 4 choices are needed, not {len(self.choices)}: {self.text}")
        if sum(choice.right for choice in self.choices) != 1:
            raise QuizError(f"exactly one choice must be right: {self.text}")
        if not all((self.text, *(part for choice in self.choices for part in (choice.text, choice.because)))):
            raise QuizError(f"a text, or a reason, is empty: {self.text}")

    @property
    def answer(self) -> Choice:
        """The choice that is right."""
        return next(choice for choice in self.choices if choice.right)


def names() -> list[str]:
    """Return the names of all quizzes."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _folder().iterdir() if entry.name.endswith(".yaml"))


def load(name: str) -> tuple[Question, ...]:
    """Read the questions of a quiz; raises ``QuizError`` when there is none of that name, or it is not well formed."""
    if name not in names():
        raise QuizError(f"there is no quiz {name!r}", remedy=f"name one of {', '.join(names())}")
    return parse((_folder() / f"{name}.yaml").read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Question, ...]:
    """Read questions; raises ``QuizError`` when the text is something else."""
    try:
        return tuple(_question(**item) for item in yaml.safe_load(text))
    except (TypeError, yaml.YAMLError) as error:
        raise QuizError(f"these are not questions: {' '.join(str(error).split())}") from None


def _question(text: str, choices: list[dict[str, Any]]) -> Question:
    return Question(text, tuple(Choice(**choice) for choice in choices))


def _folder() -> Any:
    return resources.files("calico_lab.lessons") / "quizzes"
