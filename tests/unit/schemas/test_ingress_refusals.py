"""What a real cluster refuses of Ingresses, IngressClasses, roles and bindings, with its words."""

import pytest
import yaml

INGRESS = yaml.safe_load("""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, annotations: {}}
spec:
  ingressClassName: nginx
  tls: [{hosts: [shop.example.com], secretName: shop}]
  rules:
    - host: shop.example.com
      http:
        paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]
""")
CLASS = yaml.safe_load("""
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
""")
ROLE = yaml.safe_load("""
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
""")
BINDING = yaml.safe_load("""
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: default, namespace: default}, {kind: User, name: ann}]
""")
EXAMPLES = (INGRESS, CLASS, ROLE, BINDING)
PATH = "spec.rules.0.http.paths.0"
WHERE = "spec.rules[0].http.paths[0]"
SERVICE = f"{PATH}.backend.service"

# The object, path of the value to change, new value (None: removed), how the server's words begin.
REFUSED = [
    (INGRESS, "spec.rules", [], "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"),
    (INGRESS, "spec.rules.0.host", "10.0.0.1", 'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name,'),
    (INGRESS, "spec.rules.0.host", "Shop", 'spec.rules[0].host: Invalid value: "Shop": a lowercase RFC 1123 subdomain'),
    (INGRESS, "spec.rules.0.host", "a.*.com", 'spec.rules[0].host: Invalid value: "a.*.com": a wildcard DNS-1123'),
    (INGRESS, "spec.tls.0.hosts.0", "*", 'spec.tls[0].hosts[0]: Invalid value: "*": a wildcard DNS-1123 subdomain'),
    (INGRESS, "spec.ingressClassName", "N", 'spec.ingressClassName: Invalid value: "N": a lowercase RFC 1123 subdom'),
    (INGRESS, "spec.rules.0.http.paths", [], "spec.rules[0].http.paths: Required value"),
    (INGRESS, f"{PATH}.pathType", None, f"{WHERE}.pathType: Required value: pathType must be specified"),
    (INGRESS, f"{PATH}.pathType", "Regex", f'{WHERE}.pathType: Unsupported value: "Regex": supported values: "Exact'),
    (INGRESS, f"{PATH}.path", "shop", f'{WHERE}.path: Invalid value: "shop": must be an absolute path'),
    (INGRESS, f"{PATH}.path", "/a//b", f"{WHERE}.path: Invalid value: \"/a//b\": must not contain '//'"),
    (INGRESS, f"{PATH}.path", "/a/..", f"{WHERE}.path: Invalid value: \"/a/..\": cannot end with '/..'"),
    (INGRESS, f"{PATH}.backend", {}, f'{WHERE}.backend: Invalid value: "": resource or service backend is required'),
    (INGRESS, f"{SERVICE}.port", {}, f"{WHERE}.backend.service: Required value: port name or number is required"),
    (INGRESS, f"{SERVICE}.port.name", "http", f'{WHERE}.backend.service: Invalid value: "": cannot set both port na'),
    (INGRESS, f"{SERVICE}.port.number", 70000, f"{WHERE}.backend.service.port.number: Invalid value: 70000: must be"),
    (INGRESS, f"{SERVICE}.name", "1", f'{WHERE}.backend.service.name: Invalid value: "1": a DNS-1035 label must'),
    (
        INGRESS, "metadata.annotations", {"kubernetes.io/ingress.class": "x"},
        'metadata.annotations.kubernetes.io/ingress.class: Invalid value: "x": can not be set when the class field is',
    ),
    (CLASS, "spec.controller", None, "spec.controller: Required value"),
    (CLASS, "spec.controller", "nginx", 'spec.controller: Invalid value: "nginx": must be a domain-prefixed path'),
    (CLASS, "spec.controller", "a/" + 250 * "b", "spec.controller: Too long: may not be more than 250 bytes"),
    (ROLE, "rules.0.verbs", None, "rules[0].verbs: Required value: verbs must contain at least one value"),
    (ROLE, "rules.0.apiGroups", [], "rules[0].apiGroups: Required value: resource rules must supply at least one api"),
    (ROLE, "rules.0.resources", [], "rules[0].resources: Required value: resource rules must supply at least one"),
    (
        ROLE, "rules.0", {"nonResourceURLs": ["/x"], "verbs": ["get"]},
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    ),
    (BINDING, "roleRef.kind", "Rule", 'roleRef.kind: Unsupported value: "Rule": supported values: "Role", "ClusterR'),
    (BINDING, "roleRef.apiGroup", "x", 'roleRef.apiGroup: Unsupported value: "x": supported values: "rbac.auth'),
    (BINDING, "roleRef.name", None, "roleRef.name: Required value"),
    (BINDING, "subjects.0.namespace", None, "subjects[0].namespace: Required value"),
    (BINDING, "subjects.0.kind", "Pod", 'subjects[0].kind: Unsupported value: "Pod": supported values: "ServiceAcco'),
]  # fmt: skip


@pytest.mark.parametrize("item", EXAMPLES, ids=lambda item: item["kind"])
def test_what_is_right_is_taken(judge, item):
    assert (judge.decode(item), judge.refuse(item), judge.unsupported(item)) == ([], [], [])


@pytest.mark.parametrize(("item", "path", "value", "message"), REFUSED)
def test_what_is_wrong_is_refused(judge, changed, item, path, value, message):
    (told,) = judge.refuse(changed(item, path, value))
    assert told.startswith(message)


@pytest.mark.parametrize(
    ("item", "path", "value", "message"),
    [
        (CLASS, "spec.controller", "a/b", 'spec.controller: Invalid value: "a/b": field is immutable'),
        (BINDING, "roleRef.name", "other", "roleRef: Invalid value: "),
    ],
)
def test_what_stays_stays(judge, changed, item, path, value, message):
    (told,) = judge.refuse(changed(item, path, value), old=item)
    assert told.startswith(message)


@pytest.mark.parametrize(
    ("item", "path", "value", "named"),
    [
        (INGRESS, f"{PATH}.backend", {"resource": {"kind": "Bucket", "name": "b"}}, f"{WHERE}.backend.resource"),
        (CLASS, "spec.parameters", {"kind": "P", "name": "p"}, "spec.parameters"),
        (ROLE | {"kind": "ClusterRole"}, "aggregationRule", {"clusterRoleSelectors": [{}]}, "aggregationRule"),
    ],
)
def test_what_the_lab_does_not_act_on_is_named(judge, changed, item, path, value, named):
    assert judge.unsupported(changed(item, path, value)) == [named]
