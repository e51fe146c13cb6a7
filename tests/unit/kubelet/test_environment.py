import pytest

from calico_lab.local.kubelet.environment import (
    ContainerConfigError,
    PodFacts,
    environment_of,
    expand,
    resource_value,
)

POD = {
    "metadata": {"name": "p", "namespace": "default", "uid": "u", "labels": {"app": "backend"}},
    "spec": {"nodeName": "worker1", "serviceAccountName": "backend"},
}
OBJECTS = {
    "settings": {"kind": "ConfigMap", "data": {"COLOUR": "blue"}, "binaryData": {"B": "AAE="}},
    "passwords": {"kind": "Secret", "data": {"ROOT": "c2VjcmV0"}},
}
FACTS = PodFacts(POD, "10.48.1.0", "10.0.1.31", OBJECTS.get, OBJECTS.get)
ALWAYS = {"PATH", "HOSTNAME", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "KUBERNETES_SERVICE_PORT_HTTPS"}


def environment(*variables, **container):
    return environment_of({"env": list(variables)} | container, FACTS)


def test_nothing_but_what_is_declared(monkeypatch):
    monkeypatch.setenv("OF_THE_LAB", "1")
    assert set(environment({"name": "A", "value": "1"})) == ALWAYS | {"A"}


def test_api_server_is_told():
    found = environment()
    assert (found["KUBERNETES_SERVICE_HOST"], found["KUBERNETES_SERVICE_PORT"]) == ("10.49.0.1", "443")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "p"),
        ("metadata.namespace", "default"),
        ("metadata.uid", "u"),
        ("metadata.labels['app']", "backend"),
        ("spec.nodeName", "worker1"),
        ("spec.serviceAccountName", "backend"),
        ("status.podIP", "10.48.1.0"),
        ("status.hostIP", "10.0.1.31"),
    ],
)
def test_fields(path, value):
    assert environment({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": path}}})["A"] == value


def test_keys_of_objects():
    found = environment(
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "COLOUR"}}},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "passwords", "key": "ROOT"}}},
    )
    assert (found["A"], found["B"]) == ("blue", "secret")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ({"name": "none", "key": "A"}, 'configmap "none" not found'),
        ({"name": "settings", "key": "A"}, "couldn't find key A in ConfigMap default/settings"),
    ],
)
def test_what_is_missing_is_named(reference, words):
    with pytest.raises(ContainerConfigError, match=words):
        environment({"name": "A", "valueFrom": {"configMapKeyRef": reference}})


def test_what_is_missing_may_be_optional():
    reference = {"name": "none", "key": "A", "optional": True}
    assert "A" not in environment({"name": "A", "valueFrom": {"configMapKeyRef": reference}})


def test_all_of_an_object():
    found = environment(envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "P_"}])
    assert (found["P_COLOUR"], found["P_B"]) == ("blue", "\0\1")


def test_field_that_cannot_be_is_refused():
    with pytest.raises(ContainerConfigError, match=r"unsupported fieldPath: spec\.nothing"):
        environment({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nothing"}}})


def test_other_sources_are_refused():
    with pytest.raises(ContainerConfigError, match="does not implement fileKeyRef"):
        environment({"name": "A", "valueFrom": {"fileKeyRef": {"path": "a"}}})


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.memory", "1Mi", "64"),
        ("limits.memory", "", "67108864"),
        ("limits.cpu", "1m", "1500"),
        ("limits.cpu", "", "2"),
        ("requests.cpu", "", "0"),
    ],
)
def test_resources(resource, divisor, value):
    container = {"name": "c", "resources": {"limits": {"memory": "64Mi", "cpu": "1.5"}}}
    assert resource_value({"resource": resource, "divisor": divisor}, container) == value


def test_a_limit_that_is_not_set_is_refused():
    with pytest.raises(ContainerConfigError, match=r"c has no limits\.cpu"):
        resource_value({"resource": "limits.cpu"}, {"name": "c"})


def test_values_refer_to_variables_before_them():
    found = environment({"name": "A", "value": "1"}, {"name": "B", "value": "$(A)-$(C)"}, {"name": "C", "value": "3"})
    assert found["B"] == "1-$(C)"


@pytest.mark.parametrize(
    ("text", "expected"), [("$(A)", "1"), ("$(B)", "$(B)"), ("$$(A)", "$(A)"), ("a$b", "a$b"), ("$(A)$(A)", "11")]
)
def test_references(text, expected):
    assert expand(text, {"A": "1"}) == expected
