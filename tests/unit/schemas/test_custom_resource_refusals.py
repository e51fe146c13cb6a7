"""What a real cluster refuses of custom resources, with its words: object, changed value, message."""

import pytest

UNCHECKED = (
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the "
    "existing errors to complete validation"
)
MATCH = "spec.rules.0.matches.0"

# Kind, path of the value to change, new value (None: removed), what the server says.
BLOCKING = [
    ("Gateway", "spec.gatewayClassName", None, "spec.gatewayClassName: Required value"),
    ("Gateway", "spec.listeners.0.name", None, "spec.listeners[0].name: Required value"),
    ("Gateway", "spec", None, "spec: Required value"),
    (
        "Gateway",
        "spec.listeners.0.port",
        "80",
        'spec.listeners[0].port: Invalid value: "string": spec.listeners[0].port in body must be of type integer: '
        '"string"',
    ),
    (
        "Gateway",
        "spec.listeners.0.allowedRoutes.namespaces.from",
        "None",
        'spec.listeners[0].allowedRoutes.namespaces.from: Unsupported value: "None": supported values: "All", '
        '"Selector", "Same"',
    ),
    (
        "HTTPRoute",
        f"{MATCH}.path.type",
        "Prefix",
        'spec.rules[0].matches[0].path.type: Unsupported value: "Prefix": supported values: "Exact", "PathPrefix", '
        '"RegularExpression"',
    ),
    (
        "HTTPRoute",
        f"{MATCH}.path.value",
        "/" + 1024 * "a",
        "spec.rules[0].matches[0].path.value: Too long: may not be more than 1024 bytes",
    ),
    ("HTTPRoute", "spec.rules", 17 * [{}], "spec.rules: Too many: 17: must have at most 16 items"),
    ("HTTPRoute", "spec.rules.0.backendRefs.0.name", None, "spec.rules[0].backendRefs[0].name: Required value"),
    (
        "BackendTrafficPolicy",
        "spec.loadBalancer.type",
        "roundRobin",
        'spec.loadBalancer.type: Unsupported value: "roundRobin": supported values: "ConsistentHash", "LeastRequest", '
        '"Random", "RoundRobin"',
    ),
    (
        "GatewayAPI",
        "spec.crdManagement",
        "Never",
        'spec.crdManagement: Unsupported value: "Never": supported values: "Reconcile", "PreferExisting"',
    ),
]


@pytest.mark.parametrize(("kind", "path", "value", "message"), BLOCKING)
def test_a_custom_resource_of_the_wrong_shape(judge, guide, changed, kind, path, value, message):
    assert judge.refuse(changed(guide[kind], path, value)) == [message, UNCHECKED]


CUSTOM = [
    (
        "Gateway",
        "spec.listeners.0.port",
        0,
        "spec.listeners[0].port: Invalid value: 0: spec.listeners[0].port in body should be greater than or equal to 1",
    ),
    (
        "Gateway",
        "spec.listeners.0.port",
        65536,
        "spec.listeners[0].port: Invalid value: 65536: spec.listeners[0].port in body should be less than or equal to "
        "65535",
    ),
    (
        "Gateway",
        "spec.listeners",
        [],
        "spec.listeners: Invalid value: 0: spec.listeners in body should have at least 1 items",
    ),
    (
        "Gateway",
        "spec.listeners.1",
        {"name": "other", "protocol": "HTTP", "port": 80},
        "spec.listeners: Invalid value: Combination of port, protocol and hostname must be unique for each listener",
    ),
    (
        "Gateway",
        "spec.listeners.0.tls",
        {"certificateRefs": [{"name": "certificate"}]},
        "spec.listeners: Invalid value: tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
    ),
    (
        "HTTPRoute",
        "spec.hostnames.0",
        "WWW.example.com",
        'spec.hostnames[0]: Invalid value: "WWW.example.com": spec.hostnames[0] in body should match '
        r"'^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'",
    ),
    (
        "HTTPRoute",
        "spec.rules.0.backendRefs.0.port",
        None,
        "spec.rules[0].backendRefs[0]: Invalid value: Must have port for Service reference",
    ),
    (
        "HTTPRoute",
        f"{MATCH}.path.value",
        "round",
        "spec.rules[0].matches[0].path: Invalid value: value must be an absolute path and start with '/' when type one "
        "of ['Exact', 'PathPrefix']",
    ),
    (
        "HTTPRoute",
        f"{MATCH}.path.value",
        "/a//b",
        "spec.rules[0].matches[0].path: Invalid value: must not contain '//' when type one of ['Exact', 'PathPrefix']",
    ),
    (
        "HTTPRoute",
        f"{MATCH}.path.value",
        "/a/..",
        "spec.rules[0].matches[0].path: Invalid value: must not end with '/..' when type one of "
        "['Exact', 'PathPrefix']",
    ),
    (
        "HTTPRoute",
        "spec.parentRefs.1",
        {"name": "load-balancing-gateway"},
        "spec.parentRefs: Invalid value: sectionName or port must be unique when parentRefs includes 2 or more "
        "references to the same parent",
    ),
    (
        "HTTPRoute",
        "spec.rules.0.filters",
        [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}],
        "spec.rules[0]: Invalid value: RequestRedirect filter must not be used together with backendRefs",
    ),
    (
        "HTTPRoute",
        "spec.rules.0.filters",
        2 * [{"type": "URLRewrite", "urlRewrite": {"hostname": "a.example.com"}}],
        "spec.rules[0].filters: Invalid value: URLRewrite filter cannot be repeated",
    ),
    (
        "HTTPRoute",
        "spec.rules.0.timeouts",
        {"request": "1s", "backendRequest": "1m"},
        "spec.rules[0].timeouts: Invalid value: backendRequest timeout cannot be longer than request timeout",
    ),
    (
        "BackendTrafficPolicy",
        "spec.targetRefs",
        None,
        "spec: Invalid value: either targetRef or targetRefs must be used",
    ),
    (
        "BackendTrafficPolicy",
        "spec.targetRefs.0.kind",
        "Service",
        "spec: Invalid value: this policy can only have a targetRefs[*].kind of "
        "Gateway/HTTPRoute/GRPCRoute/TCPRoute/UDPRoute/TLSRoute",
    ),
    (
        "BackendTrafficPolicy",
        "spec.targetRefs.0.sectionName",
        "http",
        "spec: Invalid value: this policy does not yet support the sectionName field",
    ),
    (
        "BackendTrafficPolicy",
        "spec.loadBalancer.type",
        "ConsistentHash",
        "spec.loadBalancer: Invalid value: If LoadBalancer type is consistentHash, consistentHash field needs to be "
        "set.",
    ),
    (
        "BackendTrafficPolicy",
        "spec.loadBalancer",
        {"type": "Random", "slowStart": {"window": "60s"}},
        "spec.loadBalancer: Invalid value: Currently SlowStart is only supported for RoundRobin and LeastRequest load "
        "balancers.",
    ),
]


@pytest.mark.parametrize(("kind", "path", "value", "message"), CUSTOM)
def test_a_custom_resource_that_breaks_a_rule(judge, guide, changed, kind, path, value, message):
    assert judge.refuse(changed(guide[kind], path, value)) == [message]


def test_a_classs_controller_stays(judge):
    spec = {"controllerName": "example.com/one"}
    old = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {}, "spec": spec}
    new = old | {"spec": {"controllerName": "example.com/two"}}
    assert judge.refuse(new, old=old) == ['spec.controllerName: Invalid value: "example.com/two": Value is immutable']


def test_a_list_with_a_key_holds_it_once(judge, guide, changed):
    route = changed(guide["HTTPRoute"], f"{MATCH}.headers", 2 * [{"name": "color", "value": "red"}])
    assert judge.refuse(route) == ['spec.rules[0].matches[0].headers[1]: Duplicate value: {"name":"color"}']
