import pytest

from calico_lab.local.controllers.rollout import Limits, limits_of, next_scale, template_hash


def deployment(replicas=4, surge="25%", unavailable="25%"):
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}


def replica_set(name, replicas, available):
    metadata = {"name": name, "creationTimestamp": name}
    return {"metadata": metadata, "spec": {"replicas": replicas}, "status": {"availableReplicas": available}}


def scaled(item, new, *old):
    return {each["metadata"]["name"]: replicas for each, replicas in next_scale(item, new, list(old))}


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (4, "25%", "25%", Limits(5, 3)),
        (10, "25%", "25%", Limits(13, 8)),
        (1, "25%", "25%", Limits(2, 1)),
        (4, 0, 0, Limits(4, 3)),
        (4, 2, 1, Limits(6, 3)),
        (2, 1, 5, Limits(3, 0)),
    ],
)
def test_surge_rounds_up_and_absence_down(replicas, surge, unavailable, expected):
    assert limits_of(deployment(replicas, surge, unavailable)) == expected


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ((0, 0), (4, 4), {"new": 1}),
        ((1, 0), (4, 4), {"old": 3}),
        ((1, 0), (3, 3), {"new": 2}),
        ((2, 0), (3, 3), {}),
        ((2, 2), (3, 3), {"old": 1}),
        ((4, 3), (1, 1), {"old": 0}),
        ((4, 4), (0, 0), {}),
        ((1, 0), (4, 2), {"old": 3}),
        ((6, 6), (0, 0), {"new": 4}),
    ],
)
def test_each_step_of_a_rolling_update(new, old, expected):
    assert scaled(deployment(), replica_set("new", *new), replica_set("old", *old)) == expected


def test_pods_that_are_broken_anyway_go_first():
    broken, working = replica_set("1-broken", 2, 0), replica_set("2-working", 3, 3)
    assert scaled(deployment(), replica_set("new", 0, 0), broken, working) == {"1-broken": 0}


def test_the_hash_depends_on_the_template_and_on_nothing_else():
    one, two = {"spec": {"a": 1, "b": 2}}, {"spec": {"b": 2, "a": 1}}
    assert template_hash(one) == template_hash(two)
    assert template_hash(one) != template_hash({"spec": {"a": 1, "b": 3}})
    assert template_hash(one) != template_hash(one, collisions=1)


def test_the_hash_forms_no_words():
    hashes = "".join(template_hash({"n": number}) for number in range(200))
    assert set(hashes) <= set("bcdf456789")
