"""What a learner expects of a route, request by request, beside what the gateway answered.

A request is a path with options of curl before it. An expectation is the Deployment that answers, or the status of an
answer that no pod gave, such as ``404``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calico_lab.bastion import Bastion
from calico_lab.lessons import side_by_side
from calico_lab.lessons.side_by_side import Answer


@dataclass(frozen=True, repr=False)
class Predictions:
    """Requests, what was expected of each, and who answered."""

    expected: Mapping[str, str]
    answered: Mapping[str, str]

    @property
    def wrong(self) -> list[str]:
        """The requests that went elsewhere than expected."""
        return [request for request, name in self.expected.items() if self.answered[request] != name]

    @property
    def right(self) -> bool:
        """Whether every request went where it was expected to go, and there was one."""
        return bool(self.expected) and not self.wrong

    def __repr__(self) -> str:
        met = len(self.expected) - len(self.wrong)
        lines = [f"{met} of {len(self.expected)} requests went where you expected"]
        for request in self.wrong:
            lines.append(f"  {request}: {self.answered[request]}, not {self.expected[request]}")
        return "\n".join(lines)


def test(bastion: Bastion, address: str, host: str, expected: Mapping[str, str]) -> Predictions:
    """Send each request once, and lay the answers beside what was expected.

    Raises ``PrerequisiteError`` when the bastion has no curl.
    """
    answers = side_by_side.ask(bastion, [(address, host, request) for request in expected])
    return Predictions(dict(expected), dict(zip(expected, map(answered_by, answers), strict=True)))


def answered_by(answer: Answer) -> str:
    """Return the Deployment that answered, or else the status, or ``no answer``."""
    if answer.status == 0:
        return "no answer"
    return answer.deployment or str(answer.status)
