"""What a real cluster refuses of Kubernetes' own kinds, with its words: object, changed value, message."""

import pytest

CONTAINER = "spec.template.spec.containers.0"
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)

# Kind, path of the value to change, new value (None: removed), what the server says.
BUILT_IN = [
    ("Service", "spec.ports", None, "spec.ports: Required value"),
    (
        "Service",
        "spec.ports.0.port",
        70000,
        "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ),
    ("Service", "spec.ports.0.name", "HTTP", f'spec.ports[0].name: Invalid value: "HTTP": {LABEL}'),
    ("Service", "spec.ports.1", {"port": 1}, "spec.ports[1].name: Required value"),
    ("Service", "spec.ports.1", {"name": "http", "port": 1}, 'spec.ports[1].name: Duplicate value: "http"'),
    (
        "Service",
        "spec.ports.1",
        {"name": "other", "port": 3000},
        'spec.ports[1]: Duplicate value: {"port":3000,"protocol":"TCP"}',
    ),
    (
        "Service",
        "spec.type",
        "Loadbalancer",
        'spec.type: Unsupported value: "Loadbalancer": supported values: "ClusterIP", "ExternalName", "LoadBalancer", '
        '"NodePort"',
    ),
    (
        "Service",
        "spec.externalTrafficPolicy",
        "Local",
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ),
    ("Deployment", "spec.replicas", -1, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
    (
        "Deployment",
        "spec.template.metadata.labels.version",
        "v2",
        'spec.template.metadata.labels: Invalid value: {"app":"backend","version":"v2"}: `selector` does not match '
        "template `labels`",
    ),
    ("Deployment", "spec.selector", {}, "spec.selector: Invalid value: {}: empty selector is invalid for deployment"),
    ("Deployment", "spec.template.spec.containers", [], "spec.template.spec.containers: Required value"),
    ("Deployment", f"{CONTAINER}.image", None, "spec.template.spec.containers[0].image: Required value"),
    ("Deployment", f"{CONTAINER}.name", None, "spec.template.spec.containers[0].name: Required value"),
    (
        "Deployment",
        "spec.template.spec.containers.1",
        {"name": "backend", "image": "a"},
        'spec.template.spec.containers[1].name: Duplicate value: "backend"',
    ),
    (
        "Deployment",
        f"{CONTAINER}.imagePullPolicy",
        "Sometimes",
        'spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", '
        '"IfNotPresent", "Never"',
    ),
    (
        "Deployment",
        f"{CONTAINER}.ports.0.containerPort",
        0,
        "spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 0: must be between 1 and 65535, "
        "inclusive",
    ),
    (
        "Deployment",
        f"{CONTAINER}.env.0.valueFrom.fieldRef.fieldPath",
        "metadata.nom",
        'spec.template.spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.nom": error '
        "converting fieldPath: field label not supported: metadata.nom",
    ),
    (
        "Deployment",
        f"{CONTAINER}.volumeMounts",
        [{"name": "pages", "mountPath": "/pages"}],
        'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "pages"',
    ),
    (
        "Deployment",
        f"{CONTAINER}.readinessProbe",
        {"periodSeconds": 1},
        "spec.template.spec.containers[0].readinessProbe: Required value: must specify a handler type",
    ),
    (
        "Deployment",
        "spec.template.spec.restartPolicy",
        "Never",
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ),
    (
        "Deployment",
        "spec.strategy",
        {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}},
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ),
    (
        "Deployment",
        "spec.strategy",
        {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
    ),
]


@pytest.mark.parametrize(("kind", "path", "value", "message"), BUILT_IN)
def test_an_object_of_kubernetes_own_kinds(judge, guide, changed, kind, path, value, message):
    assert judge.refuse(changed(guide[kind], path, value)) == [message]


def test_a_deployment_without_a_selector(judge, guide, changed):
    assert judge.refuse(changed(guide["Deployment"], "spec.selector", None)) == [
        "spec.selector: Required value",
        'spec.template.metadata.labels: Invalid value: {"app":"backend","version":"v1"}: `selector` does not match '
        "template `labels`",
    ]


def test_a_deployments_selector_stays(judge, guide, changed):
    new = changed(guide["Deployment"], "spec.selector.matchLabels.version", None)
    message = 'spec.selector: Invalid value: {"matchLabels":{"app":"backend"}}: field is immutable'
    assert judge.refuse(new, old=guide["Deployment"]) == [message]


def test_a_running_pods_command_stays(judge):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    other = pod | {"spec": {"containers": [{"name": "a", "image": "c"}]}}
    assert judge.refuse(other, old=pod) == []
    other["spec"]["containers"][0]["args"] = ["--more"]
    (message,) = judge.refuse(other, old=pod)
    assert message.startswith(
        "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`"
    )


def test_an_immutable_config_map_stays(judge):
    old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {"a": "1"}, "immutable": True}
    assert judge.refuse(old | {"data": {"a": "2"}}, old=old) == [
        "data: Forbidden: field is immutable when `immutable` is set"
    ]


def test_a_definition_with_a_type_that_there_is_not(judge):
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "thing"}}}
    spec = {"group": "example.com", "names": {"kind": "A", "plural": "as"}, "scope": "Cluster", "versions": [version]}
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}
    assert judge.refuse(definition | {"metadata": {"name": "as.example.com"}}) == [
        'spec.versions[0].schema.openAPIV3Schema.type: Unsupported value: "thing": supported values: "array", '
        '"boolean", "integer", "number", "object", "string"'
    ]
