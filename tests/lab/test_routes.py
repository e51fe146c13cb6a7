"""What routes do, by requests and answers through a running gateway: the table stands in ``routes.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support.gateway_lab import (
    Case,
    Reached,
    applied,
    ask,
    assert_loaded,
    backend,
    differences,
    lab_with_gateway,
    manifest,
    pod_of,
    told,
    until,
)
from support.labs import RunningLab

CASES: list[Case] = yaml.safe_load(Path(__file__).with_name("routes.yaml").read_text())["cases"]
NAMESPACES = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("open", "closed")]


@pytest.fixture(scope="module")
def reached() -> Iterator[tuple[RunningLab, Reached]]:
    backends = [*backend("v1"), *backend("v2"), *backend("v3"), *backend("far", "open"), *backend("far", "closed")]
    with lab_with_gateway("routes", *NAMESPACES, *backends) as found:
        yield found


@pytest.fixture
def lab(reached: tuple[RunningLab, Reached]) -> RunningLab:
    return reached[0]


@pytest.fixture
def gateway(reached: tuple[RunningLab, Reached]) -> Reached:
    return reached[1]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["case"]) for case in CASES])
def test_a_route(lab: RunningLab, gateway: Reached, case: Case):
    objects = [manifest(name, route) for name, route in case["routes"].items()] + case.get("objects", [])
    with applied(lab, objects):
        for condition in case.get("told", []):
            until(lambda condition=condition: told(lab, objects, condition[0], condition[1]), condition[2:])
        for request in case["requests"]:
            until(lambda request=request: differences(ask(gateway, request), request), {})
            for _ in range(request.get("times", 1) - 1):
                assert differences(ask(gateway, request), request) == {}
        for app, lines in case.get("logged", {}).items():
            for path, least in lines.items():
                assert asked(lab, app, path) >= least
        for app, paths in case.get("unlogged", {}).items():
            assert [path for path in paths if asked(lab, app, path)] == []
        assert_loaded(lab)


def asked(lab: RunningLab, app: str, path: str) -> int:
    """Return how often an app's pods have been asked for a path."""
    return lab.kubectl("logs", "-l", f"app={app}", "--tail=-1").count(f"made to {path} ")


@pytest.mark.parametrize("kind", ["Cookie", "Header"])
def test_a_session_stays_with_its_pod(lab: RunningLab, gateway: Reached, kind: str):
    lab.kubectl("scale", "deployment/v1", "--replicas=3")
    lab.kubectl("rollout", "status", "deployment/v1")
    rule = {"sessionPersistence": {"type": kind, "sessionName": "kept"}, "backendRefs": [{"name": "v1", "port": 80}]}
    field = "set-cookie" if kind == "Cookie" else "kept"
    with applied(lab, [manifest("session", [rule])]):
        until(lambda: field in ask(gateway, {"ask": "/"})["headers"], True)
        assert len({pod_of(gateway) for _ in range(12)}) > 1  # by chance, one: 1 in 100,000 runs
        value = ask(gateway, {"ask": "/"})["headers"][field].partition(";")[0]
        session = f"-H {'cookie' if kind == 'Cookie' else 'kept'}:{value}"
        assert len({pod_of(gateway, session) for _ in range(12)}) == 1


def test_a_header_s_value_that_envoy_would_take_for_a_command_is_denied(lab: RunningLab):
    header = {"set": [{"name": "percent", "value": "100%"}]}
    rules = [{"filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": header}]}]
    with pytest.raises(AssertionError, match=r"value: .*100%"):
        lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest("percent", rules)))
