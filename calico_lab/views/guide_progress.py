"""How far the guide has been taken: read from the lab itself, so that no restart of a kernel forgets it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from calico_lab.lessons import checks
from calico_lab.lessons.checks import Status, Verdict, Verdicts, card

if TYPE_CHECKING:
    from calico_lab.lab import Lab

CLEAN_UP = "clean-up"
# The guide's sections, each with the first of its steps; the last one undoes the second.
SECTIONS = {"Before you begin": "ip-pool", "Demo": "backend", "Clean-up": CLEAN_UP}


@dataclass(frozen=True, repr=False)
class GuideProgress:
    """The steps of the guide, those that are done told apart; text, or a bar."""

    verdicts: Verdicts

    @classmethod
    def of(cls, lab: Lab) -> GuideProgress:
        """Look at every step, as ``lab.check()`` does."""
        return cls(checks.check_all(lab))

    @property
    def steps(self) -> list[Verdict]:
        """The verdicts on the steps that build the demo; to clean it up is none of them."""
        return [verdict for verdict in self.verdicts if verdict.step != CLEAN_UP]

    @property
    def done(self) -> int:
        """How many of them are done."""
        return sum(map(bool, self.steps))

    @property
    def next(self) -> Verdict | None:
        """The verdict on the first step that is not done."""
        return next((verdict for verdict in self.steps if not verdict), None)

    def sections(self) -> dict[str, list[Verdict]]:
        """Return the verdicts by the guide's sections, in its order."""
        begin = {step: name for name, step in SECTIONS.items()}
        found: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            section = begin.get(verdict.step) or list(found)[-1]
            found.setdefault(section, []).append(verdict)
        return found

    def __repr__(self) -> str:
        lines = [self._summary]
        for section, verdicts in self.sections().items():
            lines.append(f"{section:16}  " + "  ".join(f"{one.status.mark} {one.step}" for one in verdicts))
        if self.next is not None:
            lines.append(f"Next: {self.next.sentence}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = "".join(_section(name, verdicts) for name, verdicts in self.sections().items())
        following = "" if self.next is None else f"<div><b>Next</b> {escape(self.next.sentence)}</div>"
        return (
            f'<div style="max-width:62em;line-height:1.5"><div><b>{self._summary}</b></div>'
            f'<div style="display:flex;flex-wrap:wrap;gap:.4em 1.2em;margin:.4em 0">{parts}</div>{following}</div>'
        )

    @property
    def _summary(self) -> str:
        return f"{self.done} of {len(self.steps)} steps of the guide are done"


def _section(name: str, verdicts: Iterable[Verdict]) -> str:
    steps = "".join(map(_step, verdicts))
    return f'<div><div style="opacity:.75">{name}</div><div style="display:flex;gap:3px">{steps}</div></div>'


def _step(verdict: Verdict) -> str:
    """Return a part of the bar: its status by colour, line and sign, its name below."""
    colour = card.COLOURS[verdict.status]
    edge = "solid" if verdict.status is Status.DONE else "dashed"
    title = escape(verdict.sentence, quote=True)
    return (
        f'<div title="{title}" style="min-width:4.2em;text-align:center;font-size:.92em">'
        f'<div style="border-bottom:5px {edge} {colour};padding-bottom:.2em">{card.badge(verdict.status)}</div>'
        f"{escape(verdict.step)}</div>"
    )
