"""What of each kind the lab acts on. The rest is denied by its name: storing what is then ignored would be a lie.

``IMPLEMENTED`` is a table that later work only extends. A line is a path: the field and all that is below it are
implemented; with ``= PATTERN`` only values that match it whole are. ``[]`` stands for the items of a list. A kind
without an entry is implemented whole; ``metadata`` and ``status`` always are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from calico_lab.local.apiserver.field_problems import shown
from calico_lab.local.apiserver.implemented_gateway_kinds import GATEWAY_KINDS
from calico_lab.local.custom_resources import DENIED_KINDS, rules
from calico_lab.local.wire import JsonObject

_PROBE = """
exec
httpGet
tcpSocket
initialDelaySeconds
timeoutSeconds
periodSeconds
successThreshold
failureThreshold
"""
# What the kubelet and the scheduler do. ``resources`` decide a pod's quality of service class and nothing else;
# ``command`` and ``args`` reach the kubelet, which refuses those that an image's program doesn't take.
_CONTAINER = """
args
command
env[].name
env[].value
env[].valueFrom.configMapKeyRef
env[].valueFrom.fieldRef
env[].valueFrom.resourceFieldRef.divisor
env[].valueFrom.resourceFieldRef.resource = (limits|requests)\\.(cpu|memory)
env[].valueFrom.secretKeyRef
envFrom
image
imagePullPolicy
name
ports[].containerPort
ports[].name
ports[].protocol
resources.limits
resources.requests
stdin
stdinOnce
terminationMessagePath = /dev/termination-log
terminationMessagePolicy = File
tty
volumeMounts[].mountPath
volumeMounts[].name
volumeMounts[].readOnly
volumeMounts[].subPath
workingDir
"""
_HOOK = """
exec
httpGet
sleep
"""
_POD_SPEC = """
automountServiceAccountToken
containers[].lifecycle.postStart
containers[].lifecycle.preStop
containers[].livenessProbe
containers[].readinessProbe
containers[].startupProbe
dnsConfig
dnsPolicy = ClusterFirst|None
enableServiceLinks
hostname
nodeName
nodeSelector
preemptionPolicy = PreemptLowerPriority
priority = 0
restartPolicy
schedulerName
serviceAccount
serviceAccountName
subdomain
terminationGracePeriodSeconds
tolerations
volumes[].configMap
volumes[].downwardAPI.defaultMode
volumes[].downwardAPI.items[].fieldRef
volumes[].downwardAPI.items[].mode
volumes[].downwardAPI.items[].path
volumes[].emptyDir = {}
volumes[].name
volumes[].projected.defaultMode
volumes[].projected.sources[].configMap
volumes[].projected.sources[].downwardAPI.items[].fieldRef
volumes[].projected.sources[].downwardAPI.items[].path
volumes[].projected.sources[].secret
volumes[].projected.sources[].serviceAccountToken
volumes[].secret
"""
_SELECTED_TEMPLATE = """
spec.minReadySeconds
spec.replicas
spec.selector
spec.template.metadata
"""


def _below(prefix: str, lines: str) -> str:
    return "\n".join(f"{prefix}.{line}" for line in lines.split("\n") if line)


def _whole(line: str) -> str:
    """Return a line with all that is below it, where it is a probe or a hook."""
    if line.endswith("Probe"):
        return _below(line, _PROBE)
    return _below(line, _HOOK) if ".lifecycle." in line else line


_POD_LINES = "\n".join(
    [_below("containers[]", _CONTAINER), _below("initContainers[]", _CONTAINER), *map(_whole, _POD_SPEC.split("\n"))]
)

IMPLEMENTED = {
    ("", "ConfigMap"): """
binaryData
data
immutable
""",
    ("", "Namespace"): """
spec.finalizers
""",
    ("", "Pod"): _below("spec", _POD_LINES),
    ("", "Secret"): """
data
immutable
stringData
type
""",
    ("", "Service"): """
spec.allocateLoadBalancerNodePorts
spec.clusterIP
spec.clusterIPs
spec.externalIPs
spec.externalTrafficPolicy
spec.healthCheckNodePort
spec.internalTrafficPolicy
spec.ipFamilies[] = IPv4
spec.ipFamilyPolicy = SingleStack
spec.loadBalancerClass
spec.ports[].name
spec.ports[].nodePort
spec.ports[].port
spec.ports[].protocol = TCP|UDP
spec.ports[].targetPort
spec.publishNotReadyAddresses
spec.selector
spec.sessionAffinity = None
spec.type = ClusterIP|LoadBalancer|NodePort
""",
    ("", "ServiceAccount"): """
automountServiceAccountToken = true
""",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): """
spec.conversion.strategy = None
spec.group
spec.names
spec.scope
spec.versions[].additionalPrinterColumns
spec.versions[].deprecated
spec.versions[].deprecationWarning
spec.versions[].name
spec.versions[].schema
spec.versions[].served
spec.versions[].storage
spec.versions[].subresources.status
""",
    ("apps", "Deployment"): _SELECTED_TEMPLATE
    + """
spec.paused
spec.progressDeadlineSeconds
spec.revisionHistoryLimit
spec.strategy
"""
    + _below("spec.template.spec", _POD_LINES),
    ("apps", "ReplicaSet"): _SELECTED_TEMPLATE + _below("spec.template.spec", _POD_LINES),
    ("networking.k8s.io", "Ingress"): """
spec.defaultBackend.service
spec.ingressClassName
spec.rules[].host
spec.rules[].http.paths[].backend.service
spec.rules[].http.paths[].path
spec.rules[].http.paths[].pathType
spec.tls
""",
    ("networking.k8s.io", "IngressClass"): """
spec.controller
""",
    ("rbac.authorization.k8s.io", "ClusterRole"): """
rules
""",
    ("operator.tigera.io", "GatewayAPI"): """
spec.crdManagement
""",
    ("projectcalico.org", "BGPConfiguration"): """
spec.asNumber
spec.bindMode
spec.listenPort
spec.logSeverityScreen
spec.nodeMeshMaxRestartTime
spec.nodeToNodeMeshEnabled
spec.serviceClusterIPs[].cidr = [^:]*
spec.serviceExternalIPs[].cidr = [^:]*
spec.serviceLoadBalancerIPs[].cidr = [^:]*
""",
    ("projectcalico.org", "BGPPeer"): """
spec.asNumber
spec.maxRestartTime
spec.node
spec.peerIP = (?!.*:.*:).*
""",
    # Pods get addresses from the blocks of their nodes, whatever the pools; a pool for workloads is one that load
    # balancer services don't use.
    ("projectcalico.org", "IPPool"): """
spec.allowedUses
spec.assignmentMode
spec.blockSize
spec.cidr = [^:]*
spec.disabled
spec.ipipMode = Never
spec.natOutgoing
spec.nodeSelector = all\\(\\)
spec.vxlanMode = Never
""",
    **GATEWAY_KINDS,
}

_Node = dict[str, Any] | re.Pattern[str] | None


def unsupported(group: str, kind: str, item: JsonObject) -> list[str]:
    """Return the fields of an object that the lab does not implement, with their values where those matter."""
    if (group, kind) in DENIED_KINDS:
        return [kind]
    tree = _TREES.get((group, kind))
    content = {key: value for key, value in item.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    found = [] if tree is None else list(_missing(tree, content, ""))
    if kind == "CustomResourceDefinition":
        found += _unknown_rules(content, "")
    if (group, kind) == ("projectcalico.org", "BGPPeer") and not (item.get("spec") or {}).get("peerIP"):
        found.append("a BGPPeer without spec.peerIP")
    return found


def _tree(lines: str) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for line in lines.split("\n"):
        path, equals, pattern = line.partition(" = ")
        if not path:
            continue
        *way, last = path.replace("[]", ".[]").split(".")
        node = root
        for step in way:
            node = node.setdefault(step, {})
        node[last] = re.compile(pattern) if equals else None
    return root


_TREES = {key: _tree(lines) for key, lines in IMPLEMENTED.items()}


def _missing(node: _Node, value: Any, path: str) -> Iterator[str]:
    if isinstance(node, re.Pattern):
        text = value if isinstance(value, str) else shown(value)
        if not node.fullmatch(text):
            yield f"{path}: {shown(value)}"
    elif isinstance(node, dict) and isinstance(value, list):
        for index, child in enumerate(value):
            yield from _missing(node.get("[]", {}), child, f"{path}[{index}]")
    elif isinstance(node, dict) and isinstance(value, dict):
        for key, child in value.items():
            where = f"{path}.{key}" if path else key
            if key in node:
                yield from _missing(node[key], child, where)
            elif child:
                # An empty value says the same as its absence.
                yield where


def _unknown_rules(value: Any, path: str) -> Iterator[str]:
    """Yield where a definition has a rule in CEL that the lab cannot decide."""
    if isinstance(value, dict):
        for index, rule in enumerate(value.get("x-kubernetes-validations") or ()):
            if rules.predicate(rule.get("rule", "")) is None:
                yield f"{path}.x-kubernetes-validations[{index}]"
        for key, child in value.items():
            yield from _unknown_rules(child, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _unknown_rules(child, f"{path}[{index}]")
