"""Questions to answer at the end of a notebook: at once with a reason, or folded away where there are no widgets."""

from __future__ import annotations

import html
import re
from functools import cached_property
from typing import Any

from calico_lab.lessons import questions
from calico_lab.lessons.questions import Choice, Question
from calico_lab.views import style
from calico_lab.views.progress import WIDGET

_LETTERS = "abcd"
_CHOOSE = "Choose an answer."
# Green and orange of Okabe and Ito, on light pages and dark ones. Words and signs tell it without colour.
_COLOURS = {True: style.GREEN, False: style.ORANGE}
# Long choices break into lines, where a radio button of the widgets cuts them off.
_STYLE = (
    "<style>.calico-lab-quiz .widget-radio{width:auto;height:auto}"
    ".calico-lab-quiz .widget-radio-box{width:100%;max-width:62em;margin:0}"
    ".calico-lab-quiz .widget-radio-box label{height:auto;white-space:normal;line-height:1.5;margin:0;"
    "padding:.15em .2em;display:flex;flex-direction:row-reverse;justify-content:flex-end;align-items:center;gap:.3em;"
    "font-size:var(--jp-content-font-size1,14px)}"
    ".calico-lab-quiz .widget-radio-box input{width:auto;flex:none;margin:0 .3em}"
    ".calico-lab-quiz .widget-html-content{font-size:var(--jp-content-font-size1,14px);line-height:1.5}</style>"
)


class Quiz:
    """The questions of one notebook, by its name. Raises ``QuizError`` when there are none."""

    def __init__(self, name: str) -> None:
        self.questions = questions.load(name)

    def __repr__(self) -> str:
        return "\n\n".join(_plain(number, question) for number, question in enumerate(self.questions, 1))

    def _repr_html_(self) -> str:
        asked = "".join(_folded(number, question) for number, question in enumerate(self.questions, 1))
        return f'<div style="max-width:62em;line-height:1.5">{asked}</div>'

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = self.widget._repr_mimebundle_()[WIDGET]
        return {"text/plain": repr(self), "text/html": self._repr_html_(), WIDGET: view}

    @cached_property
    def widget(self) -> Any:
        """The questions as a widget: each a group of radio buttons, with what there is to say of the chosen one."""
        import ipywidgets

        parts = [ipywidgets.HTML(_STYLE), *(asked.widget for asked in self.asked), self.score]
        quiz = ipywidgets.VBox(parts)
        quiz.add_class("calico-lab-quiz")
        for asked in self.asked:
            asked.buttons.observe(lambda _change: self._count(), names="index")
        self._count()
        return quiz

    @cached_property
    def asked(self) -> list[Asked]:
        """The questions as they stand in the widget."""
        return [Asked(number, question) for number, question in enumerate(self.questions, 1)]

    @cached_property
    def score(self) -> Any:
        """How many are answered rightly at the moment."""
        import ipywidgets

        return ipywidgets.HTML()

    def _count(self) -> None:
        right = sum(asked.chosen is not None and asked.chosen.right for asked in self.asked)
        self.score.value = f"<b>{right} of {len(self.asked)}</b> answered rightly."


class Asked:
    """One question in the widget. Another answer can be chosen at any time."""

    def __init__(self, number: int, question: Question) -> None:
        import ipywidgets

        self.question = question
        texts = [choice.text.replace("`", "") for choice in question.choices]  # labels are text, never HTML
        # By their numbers: two choices may read alike without their backquotes.
        options = [(text, place) for place, text in enumerate(texts)]
        self.buttons = ipywidgets.RadioButtons(options=options, value=None, layout=ipywidgets.Layout(width="100%"))
        self.reply = ipywidgets.HTML(_spoken(_CHOOSE))
        heading = ipywidgets.HTML(_asking(number, question))
        self.widget = ipywidgets.VBox([heading, self.buttons, self.reply])
        self.buttons.observe(lambda _change: self._reply(), names="index")

    @property
    def chosen(self) -> Choice | None:
        """The choice that is chosen, if any."""
        return None if self.buttons.index is None else self.question.choices[self.buttons.index]

    def _reply(self) -> None:
        chosen = self.chosen
        self.reply.value = _spoken(_said(chosen) if chosen else _CHOOSE)


def _asking(number: int, question: Question) -> str:
    return f'<div style="margin:1em 0 .3em"><b>{number}. {_marked_up(question.text)}</b></div>'


def _said(choice: Choice, letter: str = "") -> str:
    verdict = "✓ Right." if choice.right else "✗ Not so."
    return (
        f'<div style="border-left:4px solid {_COLOURS[choice.right]};padding:.1em .8em;margin:.3em 0 .3em .2em">'
        f"{letter}<b>{verdict}</b> {_marked_up(choice.because)}</div>"
    )


def _spoken(words: str) -> str:
    return f'<div role="status" aria-live="polite">{words}</div>'


def _plain(number: int, question: Question) -> str:
    choices = (f"   {letter}) {choice.text}" for letter, choice in zip(_LETTERS, question.choices, strict=False))
    return "\n".join((f"{number}. {question.text}", *choices))


def _folded(number: int, question: Question) -> str:
    """Return a question as HTML in which letters are text, and styles stand where they are used.

    Of a notebook that it does not trust JupyterLab shows no more than that.
    """
    lettered = list(zip(_LETTERS, question.choices, strict=False))
    choices = "".join(f'<div style="margin-left:1.2em">{a}) {_marked_up(choice.text)}</div>' for a, choice in lettered)
    reasons = "".join(_said(choice, f"{letter}) ") for letter, choice in lettered)
    return (
        f"{_asking(number, question)}{choices}"
        f'<details style="margin:.3em 0 1.2em 1.2em"><summary style="cursor:pointer">Show the answer</summary>'
        f"{reasons}</details>"
    )


def _marked_up(text: str) -> str:
    """Return text as HTML, with what stands between backquotes as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
