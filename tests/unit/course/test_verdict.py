import pytest

from calico_lab.lessons.checks.verdict import Verdict, Verdicts, done, first, not_yet, wrong

DONE, NOT_YET, WRONG = done("it is"), not_yet("soon", "it comes", hint="Wait."), wrong("bad", "it broke", hint="Look.")


def never() -> Verdict:
    raise AssertionError


@pytest.mark.parametrize("verdict", [WRONG, NOT_YET, DONE])
def test_the_first_verdict_counts_and_what_comes_after_is_not_asked(verdict):
    assert first(lambda: None, lambda: verdict, never) is verdict


def test_complaints_are_what_waiting_will_not_mend():
    assert Verdicts((DONE, NOT_YET, WRONG)).complaints.all == (WRONG,)


def test_no_complaint_is_said_in_words():
    none = Verdicts((DONE, NOT_YET)).complaints
    assert (repr(none), none._repr_html_()) == ("Nothing is wrong", "<p>Nothing is wrong.</p>")
