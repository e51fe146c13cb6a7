"""What upstream has and the lab does not implement is denied by its name; what the lab implements is not."""

import pytest

from calico_lab.local.apiserver.implemented import IMPLEMENTED
from calico_lab.local.custom_resources import DENIED_KINDS

FILTERS = "spec.rules[0].backendRefs[0].filters"
CONTAINER = "spec.template.spec.containers.0"

DENIED = [
    (
        "BackendTrafficPolicy",
        "spec.loadBalancer.zoneAware",
        {"preferLocal": {"force": {}}},
        "spec.loadBalancer.zoneAware",
    ),
    ("BackendTrafficPolicy", "spec.faultInjection", {"abort": {}}, "spec.faultInjection"),
    ("BackendTrafficPolicy", "spec.rateLimit", {"type": "Global"}, 'spec.rateLimit.type: "Global"'),
    ("BackendTrafficPolicy", "spec.healthCheck", {"active": {"type": "GRPC"}}, 'spec.healthCheck.active.type: "GRPC"'),
    ("HTTPRoute", "spec.rules.0.retry", {"backoff": "0s"}, 'spec.rules[0].retry.backoff: "0s"'),
    ("HTTPRoute", "spec.rules.0.retry", {"attempts": -1}, "spec.rules[0].retry.attempts: -1"),
    ("HTTPRoute", "spec.rules.0.filters", [{"type": "CORS", "cors": {}}], "spec.rules[0].filters[0].cors"),
    ("HTTPRoute", "spec.rules.0.backendRefs.0.filters", [{"type": "URLRewrite"}], f'{FILTERS}[0].type: "URLRewrite"'),
    ("Gateway", "spec.listeners.0.protocol", "UDP", 'spec.listeners[0].protocol: "UDP"'),
    ("Gateway", "spec.listeners.0.tls", {"options": {"a": "b"}}, "spec.listeners[0].tls.options"),
    ("Gateway", "spec.addresses", [{"value": "10.10.10.7"}], "spec.addresses"),
    ("GatewayAPI", "spec.gatewayDeployment", {"spec": {}}, "spec.gatewayDeployment"),
    ("IPPool", "spec.vxlanMode", "Always", 'spec.vxlanMode: "Always"'),
    ("IPPool", "spec.cidr", "fd00::/64", 'spec.cidr: "fd00::/64"'),
    ("BGPConfiguration", "spec.communities", [{"name": "a", "value": "1:2"}], "spec.communities"),
    ("BGPPeer", "spec.password", {"secretKeyRef": {"name": "a"}}, "spec.password"),
    ("BGPPeer", "spec.peerIP", "", "a BGPPeer without spec.peerIP"),
    ("Service", "spec.sessionAffinity", "ClientIP", 'spec.sessionAffinity: "ClientIP"'),
    ("Service", "spec.loadBalancerSourceRanges", ["10.0.0.0/8"], "spec.loadBalancerSourceRanges"),
    ("ServiceAccount", "automountServiceAccountToken", False, "automountServiceAccountToken: false"),
    ("Deployment", "spec.template.spec.hostNetwork", True, "spec.template.spec.hostNetwork"),
    ("Deployment", "spec.template.spec.affinity", {"podAntiAffinity": {}}, "spec.template.spec.affinity"),
    (
        "Deployment",
        "spec.template.spec.initContainers",
        [{"name": "a", "restartPolicy": "Always"}],
        "spec.template.spec.initContainers[0].restartPolicy",
    ),
    (
        "Deployment",
        f"{CONTAINER}.lifecycle",
        {"preStop": {"tcpSocket": {"port": 80}}},
        "spec.template.spec.containers[0].lifecycle.preStop.tcpSocket",
    ),
    (
        "Deployment",
        f"{CONTAINER}.livenessProbe",
        {"grpc": {"port": 80}},
        "spec.template.spec.containers[0].livenessProbe.grpc",
    ),
    (
        "Deployment",
        "spec.template.spec.volumes",
        [{"name": "a", "hostPath": {"path": "/etc"}}],
        "spec.template.spec.volumes[0].hostPath",
    ),
]


@pytest.mark.parametrize(("kind", "path", "value", "denied"), DENIED)
def test_a_field_is_denied_by_its_name(judge, guide, changed, kind, path, value, denied):
    assert denied in judge.unsupported(changed(guide[kind], path, value))


ALLOWED = [
    ("Deployment", f"{CONTAINER}.readinessProbe", {"httpGet": {"port": 3000}}),
    ("Deployment", f"{CONTAINER}.resources", {"limits": {"memory": "64Mi"}}),
    ("Deployment", "spec.template.spec.nodeSelector", {"kubernetes.io/hostname": "worker1"}),
    ("Deployment", "spec.template.spec.hostNetwork", False),
    ("Deployment", "spec.template.spec.volumes", [{"name": "a"}, {"name": "b", "configMap": {"name": "c"}}]),
    ("HTTPRoute", "spec.rules.0.matches.0.headers", [{"name": "color", "value": "red"}]),
    ("HTTPRoute", "spec.rules.0.backendRefs.0.weight", 0),
    ("HTTPRoute", "spec.rules.0.filters", []),
    ("HTTPRoute", "spec.rules.0.retry", {"attempts": 0, "backoff": "100ms", "codes": [500]}),
    ("HTTPRoute", "spec.rules.0.sessionPersistence", {"type": "Header", "idleTimeout": "1h"}),
    ("Gateway", "spec.listeners.0.protocol", "SCTP"),
    (
        "Gateway",
        "spec.listeners.0",
        {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": []}},
    ),
    ("BackendTrafficPolicy", "spec.loadBalancer.type", "Random"),
    ("Service", "spec.type", "LoadBalancer"),
    ("GatewayAPI", "spec.crdManagement", "Reconcile"),
]


@pytest.mark.parametrize(("kind", "path", "value"), ALLOWED)
def test_what_the_lab_implements_passes(judge, guide, changed, kind, path, value):
    assert judge.unsupported(changed(guide[kind], path, value)) == []


def test_a_session_of_a_grpc_route_is_denied(judge):
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GRPCRoute", "metadata": {}}
    spec = {"rules": [{"sessionPersistence": {"sessionName": "s"}}]}
    assert judge.unsupported(route | {"spec": spec}) == ["spec.rules[0].sessionPersistence"]


@pytest.mark.parametrize(("group", "kind"), sorted(DENIED_KINDS))
def test_a_kind_known_by_name_alone_is_denied(judge, group, kind):
    assert judge.unsupported({"apiVersion": f"{group}/v1alpha2", "kind": kind, "metadata": {}}) == [kind]


def test_every_implemented_path_is_one_of_its_kinds_fields(judge):
    wrong = [
        f"{kind}: {path}"
        for (group, kind), lines in IMPLEMENTED.items()
        for path in (line.partition(" = ")[0] for line in lines.split("\n") if line)
        if not _has(_schema(judge, group, kind), path)
    ]
    assert wrong == []


def _schema(judge, group, kind):
    for version in ("v1", "v1alpha1", "v1alpha2", "v3"):
        found = judge.schema_of({"apiVersion": f"{group}/{version}".lstrip("/"), "kind": kind})[-1]
        if found:
            return found
    raise LookupError(kind)


def _has(schema, path):
    for step in path.replace("[]", ".[]").split("."):
        properties = schema.get("properties") or {}
        schema = schema.get("items") if step == "[]" else properties.get(step, schema.get("additionalProperties"))
        if schema is None:
            return False
    return True


def test_a_rule_in_cel_that_the_lab_cannot_decide_is_denied(judge):
    schema = {"type": "object", "x-kubernetes-validations": [{"rule": "self.a < self.b"}]}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {}}
    assert judge.unsupported(definition | {"spec": {"versions": [version]}}) == [
        "spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations[0]"
    ]
