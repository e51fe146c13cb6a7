"""What the decoder says, in the words of Go's."""

import pytest

UNMARSHAL = "cannot be handled as a {kind}: json: cannot unmarshal"

WRONG_TYPES = [
    ("Deployment", "spec.replicas", "4", "string into Go struct field DeploymentSpec.spec.replicas of type int32"),
    (
        "Deployment",
        "spec.template.spec.containers.0.image",
        1,
        "number into Go struct field Container.spec.template.spec.containers.image of type string",
    ),
    (
        "Deployment",
        "spec.template.spec.containers",
        "backend",
        "string into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
    ),
    (
        "Deployment",
        "spec.template",
        [],
        "array into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec",
    ),
    (
        "Service",
        "spec.ports.0.port",
        2**40,
        f"number {2**40} into Go struct field ServicePort.spec.ports.port of type int32",
    ),
    ("Service", "spec.selector", [], "array into Go struct field ServiceSpec.spec.selector of type map[string]string"),
    ("Service", "metadata.labels.app", 5, "number into Go struct field ObjectMeta.metadata.labels of type string"),
    ("IPPool", "spec.natOutgoing", "true", "string into Go struct field IPPoolSpec.spec.natOutgoing of type bool"),
]


@pytest.mark.parametrize(("kind", "path", "value", "message"), WRONG_TYPES)
def test_a_value_of_the_wrong_type(judge, guide, changed, kind, path, value, message):
    version = guide[kind]["apiVersion"].rpartition("/")[2]
    expected = f'{kind} in version "{version}" {UNMARSHAL.format(kind=kind)} {message}'
    assert judge.decode(changed(guide[kind], path, value))[0].replace("labels.app", "labels") == expected


def test_a_custom_resources_metadata_is_decoded(judge, guide, changed):
    (message,) = judge.decode(changed(guide["HTTPRoute"], "metadata.labels", []))
    assert message.endswith("array into Go struct field ObjectMeta.metadata.labels of type map[string]string")


@pytest.mark.parametrize(
    ("kind", "path", "field"),
    [
        ("Deployment", "spec.replica", "spec.replica"),
        ("Deployment", "spec.template.spec.containers.0.imge", "spec.template.spec.containers[0].imge"),
        ("Service", "metadata.label", "metadata.label"),
        ("HTTPRoute", "spec.rules.0.backendRefs.0.ports", "spec.rules[0].backendRefs[0].ports"),
        ("HTTPRoute", "metadata.label", "metadata.label"),
        ("IPPool", "spec.CIDR", "spec.CIDR"),
        ("GatewayAPI", "specs", "specs"),
    ],
)
def test_a_field_that_the_kind_does_not_have(judge, guide, changed, kind, path, field):
    assert judge.decode(changed(guide[kind], path, "x")) == [f'unknown field "{field}"']


def test_a_secret_is_base64(judge):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": {"password": "abc!"}}
    assert judge.decode(secret)[0].endswith("cannot be handled as a Secret: illegal base64 data at input byte 3")


@pytest.mark.parametrize("value", [{}, True, 0.5])
def test_a_number_or_a_percentage(judge, guide, changed, value):
    (message,) = judge.decode(changed(guide["Deployment"], "spec.strategy.rollingUpdate.maxSurge", value))
    assert "into Go value of type int32" in message


def test_a_quantity(judge, guide, changed):
    resources = {"limits": {"memory": "1 GB"}}
    (message,) = judge.decode(changed(guide["Deployment"], "spec.template.spec.containers.0.resources", resources))
    assert "quantities must match the regular expression" in message


def test_a_duration(judge, guide, changed):
    (message,) = judge.decode(changed(guide["BGPConfiguration"], "spec.nodeMeshMaxRestartTime", "soon"))
    assert message.endswith('time: invalid duration "soon"')
