from types import SimpleNamespace

import pytest

from calico_lab.errors import NotFound, WaitTimeout
from calico_lab.lessons import stage, waits
from calico_lab.lessons.envoy_pieces import Made, Piece


@pytest.mark.parametrize(
    ("pod", "version"), [("backend-765694d47f-7plj9", "v1"), ("backend-v2-5f6c-x", "v2"), ("", "nobody")]
)
def test_a_pod_s_name_tells_its_version(pod, version):
    assert stage.version_of(pod) == version


def lab_that_tells(*told):
    """Envoy tells of an object what is given, one after the other, and the last of it for ever."""
    answers = iter(told)
    latest = []

    def envoy(kind, name):
        latest[:] = [next(answers, *latest)]
        if isinstance(latest[0], Exception):
            raise latest[0]
        return SimpleNamespace(made=latest[0])

    return SimpleNamespace(envoy=envoy)


def made(*pieces):
    return Made("HTTPRoute", "it", "default", pieces, "not yet")


def test_what_is_in_force_is_what_envoy_has():
    lab = lab_that_tells(
        NotFound("no"), made(), made(Piece("route", "it", "over 4", {})), made(Piece("route", "it", "over 6", {}))
    )
    assert stage.in_force(lab, "HTTPRoute", "it", "over 6").description == "HTTPRoute it is in force: over 6"


@pytest.mark.parametrize("told", [made(), made(Piece("route", "it", "over 4", {})), NotFound("over 6 is not there")])
def test_what_envoy_does_not_have_is_not_in_force(monkeypatch, told):
    monkeypatch.setitem(waits.until.__kwdefaults__, "time_limit", 0.3)
    with pytest.raises(WaitTimeout, match="in force: over 6"):
        stage.in_force(lab_that_tells(told), "HTTPRoute", "it", "over 6")
