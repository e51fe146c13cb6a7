import re

import pytest

from calico_lab.errors import QuizError
from calico_lab.lessons import questions
from calico_lab.views.progress import WIDGET
from calico_lab.views.quiz import Quiz

ONE = """
- text: Is `a<b` so?
  choices:
    - {text: "yes <i>", because: "b & c", right: true}
    - {text: "no", because: "<script>"}
    - {text: "perhaps", because: "`a` is there"}
"""


@pytest.fixture
def quiz(monkeypatch):
    monkeypatch.setattr(questions, "load", lambda name: questions.parse(ONE))
    return Quiz("any")


@pytest.mark.parametrize("name", questions.names())
def test_every_quiz_can_be_asked(name):
    asked = questions.load(name)
    assert 3 <= len(asked) <= 6
    # The place of the right answer must not give it away.
    assert len({question.choices.index(question.answer) for question in asked}) > 1
    for question in asked:
        texts = [choice.text for choice in question.choices]
        assert len(set(texts)) == len(texts)
        assert all(choice.because[-1] in ".?!" for choice in question.choices)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (", right: true", ""),
        ('"no", because: "<script>"', '"no", because: "x", right: true'),
        ('because: "b & c", ', ""),
        ('because: "b & c"', 'because: ""'),
        ('    - {text: "no", because: "<script>"}\n', ""),
        ("text: Is", "txet: Is"),
        ("- text", "text"),
        ("{text", "[text"),
    ],
)
def test_questions_that_are_not_well_formed_are_refused(old, new):
    assert old in ONE
    with pytest.raises(QuizError):
        questions.parse(ONE.replace(old, new))


def test_an_unknown_quiz_is_refused_with_those_there_are():
    with pytest.raises(QuizError, match="02-round-robin"):
        Quiz("no-such-quiz")


def test_a_right_answer_is_told_with_its_reason(quiz):
    asked = choose(quiz, 0)
    assert "✓ Right." in asked.reply.value
    assert "b &amp; c" in asked.reply.value
    assert "1 of 1" in quiz.score.value


def test_a_wrong_answer_is_told_with_its_reason_and_can_be_mended(quiz):
    asked = choose(quiz, 2)
    assert "✗ Not so." in asked.reply.value
    assert "<code>a</code> is there" in asked.reply.value
    assert "0 of 1" in quiz.score.value
    choose(quiz, 0)
    assert "✓ Right." in asked.reply.value
    assert "1 of 1" in quiz.score.value


def test_nothing_is_chosen_at_first(quiz):
    assert quiz.widget
    assert quiz.asked[0].chosen is None
    assert "Right" not in quiz.asked[0].reply.value


def test_html_escapes_and_folds_the_answer_away(quiz):
    page = quiz._repr_html_()
    assert "Is <code>a&lt;b</code> so?" in page
    assert "yes &lt;i&gt;" in page
    assert "<script>" not in page
    open_to_all = re.sub(r"<details.*?</details>", "", page, flags=re.DOTALL)
    assert "Right." not in open_to_all
    assert "&lt;script&gt;" not in open_to_all


def test_plain_text_asks_and_does_not_answer(quiz):
    assert repr(quiz) == "1. Is `a<b` so?\n   a) yes <i>\n   b) no\n   c) perhaps"


def test_all_three_come_in_one_bundle_and_two_are_the_same_in_every_run(quiz):
    bundle = quiz._repr_mimebundle_()
    assert bundle.keys() == {"text/plain", "text/html", WIDGET}
    again = Quiz("any")._repr_mimebundle_()
    assert [bundle[kind] == again[kind] for kind in ("text/plain", "text/html")] == [True, True]


def choose(quiz, place):
    assert quiz.widget
    asked = quiz.asked[0]
    asked.buttons.index = place
    return asked
