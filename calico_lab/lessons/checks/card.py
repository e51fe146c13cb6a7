"""Verdicts as HTML: a card for one, a table for all, legible on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from calico_lab.lessons.checks.verdict import Evidence, Status, Verdict
from calico_lab.views import style

# Told apart by every kind of colour vision; the signs differ too.
COLOURS = {Status.DONE: style.GREEN, Status.NOT_YET: "#8a8a8a", Status.WRONG: style.ORANGE}
_SIGNS = {Status.DONE: "✓", Status.NOT_YET: "•", Status.WRONG: "✕"}
_WORDS = {Status.DONE: "done", Status.NOT_YET: "not yet", Status.WRONG: "wrong, because"}
# Half transparent greys and the page's own colour of text, so that one style serves both themes.
_FAINT = "background:rgba(128,128,128,.12)"
_CODE = f"font-family:monospace;font-size:.92em;{_FAINT};padding:.05em .35em;border-radius:3px"


def of_one(one: Verdict) -> str:
    """Return a card: the verdict, what was looked at, and the hint."""
    colour = COLOURS[one.status]
    parts = [
        f'<div style="border-left:4px solid {colour};{_FAINT};padding:.6em 1em;margin:.3em 0;'
        'border-radius:0 6px 6px 0;max-width:62em;line-height:1.5">',
        f"<div>{badge(one.status)} <b>{escape(one.step)}</b> "
        f'<span style="opacity:.75">{escape(_WORDS[one.status])}</span></div>',
        f'<div style="margin:.15em 0 .4em 1.9em">{escape(_capital(one.because))}.</div>',
    ]
    if one.evidence:
        rows = "".join(map(_evidence, one.evidence))
        parts.append(
            '<div style="margin-left:1.9em"><div style="opacity:.75;font-size:.9em">Looked at</div>'
            f'<table style="border-collapse:collapse;background:none;margin:0">{rows}</table></div>'
        )
    if one.hint:
        parts.append(f'<div style="margin:.5em 0 0 1.9em"><b>Hint</b> {escape(one.hint)}</div>')
    return "".join([*parts, "</div>"])


def of_all(all_of_them: Iterable[Verdict]) -> str:
    """Return a table: a row for each step."""
    rows = "".join(
        f'<tr style="background:none"><td style="{_CELL}">{badge(one.status)}</td>'
        f'<td style="{_CELL};white-space:nowrap"><b>{escape(one.step)}</b></td>'
        f'<td style="{_CELL};white-space:nowrap;opacity:.75">{escape(one.title)}</td>'
        f'<td style="{_CELL}"><span style="opacity:.75">{escape(_WORDS[one.status])}</span> '
        f"{escape(one.because)}</td></tr>"
        for one in all_of_them
    )
    return f'<table style="border-collapse:collapse;margin:.3em 0;line-height:1.5">{rows}</table>'


_CELL = "text-align:left;vertical-align:top;padding:.25em .7em;border-bottom:1px solid rgba(128,128,128,.25)"


def badge(status: Status) -> str:
    """Return the sign of a status in a disc of its colour."""
    return (
        f'<span role="img" aria-label="{status.value}" style="display:inline-block;width:1.4em;height:1.4em;'
        f"line-height:1.4em;text-align:center;border-radius:50%;background:{COLOURS[status]};"
        f'color:{style.ink_on(COLOURS[status])};font-weight:bold">{_SIGNS[status]}</span>'
    )


def _evidence(one: Evidence) -> str:
    cell = "text-align:left;vertical-align:top;padding:.15em 1em .15em 0"
    command = f'<span style="{_CODE}">{escape(one.command)}</span>' if one.command else ""
    return (
        f'<tr style="background:none"><td style="{cell}">{escape(one.what)}</td>'
        f'<td style="{cell};font-family:monospace;white-space:pre-wrap">{escape(one.seen)}</td>'
        f'<td style="{cell};opacity:.75">{command}</td></tr>'
    )


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
