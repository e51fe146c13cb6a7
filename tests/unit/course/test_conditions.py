import pytest

from calico_lab import conditions


def condition(status, kind="Accepted", **more):
    return {"type": kind, "status": status, "reason": "Because", **more}


def item(*found, generation=1, **holders):
    return {"metadata": {"generation": generation}, "status": {"conditions": list(found), **holders}}


def test_true_is_true():
    assert conditions.is_true(item(condition("False", "Other"), condition("True")), "Accepted")


@pytest.mark.parametrize("status", ["False", "Unknown"])
def test_anything_else_is_not(status):
    assert not conditions.is_true(item(condition(status)), "Accepted")


def test_no_condition_is_not_true():
    assert not conditions.is_true({"metadata": {}}, "Accepted")


def test_a_condition_about_an_older_version_of_the_object_does_not_count():
    assert not conditions.is_true(item(condition("True", observedGeneration=1), generation=2), "Accepted")
    assert conditions.is_true(item(condition("True", observedGeneration=2), generation=2), "Accepted")


@pytest.mark.parametrize("holder", ["parents", "ancestors"])
def test_every_parent_must_accept(holder):
    accepts, refuses = {"conditions": [condition("True")]}, {"conditions": [condition("False")]}
    assert conditions.is_true(item(**{holder: [accepts]}), "Accepted")
    assert not conditions.is_true(item(**{holder: [accepts, refuses]}), "Accepted")


def test_a_summary_names_reason_and_message():
    assert conditions.summary(item(condition("False", message="No class"))) == "Accepted=False (Because) No class"
