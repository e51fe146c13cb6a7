"""The columns in which built-in kinds are printed: names, order and content are Kubernetes' own.

Source: https://github.com/kubernetes/kubernetes/tree/master/pkg/printers/internalversion. Columns of priority 1 are
shown by ``kubectl get -o wide`` only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from calico_lab.local.apiserver import pod_columns
from calico_lab.local.wire import JsonObject

NONE = "<none>"
UNSET = "<unset>"
UNKNOWN = "<unknown>"
MOST_ENTRIES = 3


@dataclass(frozen=True)
class Column:
    """A column of a table: what it is called, and what stands in it for an object."""

    name: str
    cell: Callable[[JsonObject], Any]
    priority: int = 0
    type: str = "string"
    format: str = ""

    def definition(self) -> JsonObject:
        """Return the column as a Table's columnDefinitions has it."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": "",
            "priority": self.priority,
        }


def human_duration(seconds: float) -> str:
    """Return a duration as kubectl writes ages: two units at most, coarser the longer it is."""
    total = int(seconds)
    if total < -1:
        return "<invalid>"
    if total < 120:
        return f"{max(total, 0)}s"
    minutes, hours, days = total // 60, total // 3600, total // 86400
    if minutes < 10:
        return _two(minutes, "m", total % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 8 * 365 else f"{days // 365}y"


def age_since(timestamp: str | None) -> str:
    """Return how long ago a timestamp of the API was."""
    try:
        then = datetime.fromisoformat(timestamp or "")
    except ValueError:
        return UNKNOWN
    if then.tzinfo is None:
        return UNKNOWN
    return human_duration((datetime.now(UTC) - then).total_seconds())


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def _of(*path: str, otherwise: Any = "") -> Callable[[JsonObject], Any]:
    def cell(item: JsonObject) -> Any:
        value: Any = item
        for name in path:
            value = (value or {}).get(name)
        return otherwise if value is None else value

    return cell


def _joined(values: Iterable[str]) -> str:
    return ",".join(values) or NONE


def _labels(labels: dict[str, str] | None) -> str:
    return _joined(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def _selector(item: JsonObject) -> str:
    selector = item["spec"].get("selector") or {}
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for entry in selector.get("matchExpressions") or ():
        key, operator, values = entry["key"], entry["operator"], ",".join(entry.get("values") or ())
        parts.append({"Exists": key, "DoesNotExist": f"!{key}"}.get(operator, f"{key} {operator.lower()} ({values})"))
    return _joined(parts)


def _containers(field: str) -> Callable[[JsonObject], str]:
    return lambda item: ",".join(c.get(field, "") for c in item["spec"]["template"]["spec"].get("containers") or ())


def _node_status(node: JsonObject) -> str:
    conditions = node.get("status", {}).get("conditions") or ()
    ready = next((entry["status"] for entry in conditions if entry["type"] == "Ready"), "")
    words = [{"True": "Ready", "": "Unknown"}.get(ready, "NotReady")]
    return ",".join(words + (["SchedulingDisabled"] if node.get("spec", {}).get("unschedulable") else []))


def _node_roles(node: JsonObject) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels") or {}
    return _joined(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix) and key != prefix))


def _node_address(kind: str) -> Callable[[JsonObject], str]:
    def cell(node: JsonObject) -> str:
        addresses = node.get("status", {}).get("addresses") or ()
        return next((entry["address"] for entry in addresses if entry["type"] == kind), NONE)

    return cell


def _node_info(name: str) -> Callable[[JsonObject], Any]:
    return _of("status", "nodeInfo", name, otherwise=UNKNOWN)


def _external_addresses(service: JsonObject) -> str:
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", NONE))
    addresses: list[str] = list(spec.get("externalIPs") or ())
    if spec.get("type") != "LoadBalancer":
        return _joined(addresses)
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    addresses += [entry.get("ip") or entry.get("hostname", "") for entry in ingress]
    return ",".join(addresses) or "<pending>"


def _service_ports(service: JsonObject) -> str:
    def text(port: JsonObject) -> str:
        node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
        return f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}"

    return _joined(text(port) for port in service["spec"].get("ports") or ())


def _first_entries(values: list[str]) -> str:
    more = f" + {len(values) - MOST_ENTRIES} more..." if len(values) > MOST_ENTRIES else ""
    return ",".join(values[:MOST_ENTRIES]) + more if values else UNSET


def _slice_ports(item: JsonObject) -> str:
    ports = item.get("ports") or ()
    return _first_entries([str(port["port"]) if port.get("port") else port.get("name") or "*" for port in ports])


def _slice_endpoints(item: JsonObject) -> str:
    return _first_entries([address for endpoint in item.get("endpoints") or () for address in endpoint["addresses"]])


def _ingress_hosts(ingress: JsonObject) -> str:
    hosts = [rule["host"] for rule in ingress["spec"].get("rules") or () if rule.get("host")]
    return _first_entries(hosts) if hosts else "*"


def _ingress_class(ingress: JsonObject) -> str:
    annotations = ingress["metadata"].get("annotations") or {}
    return str(ingress["spec"].get("ingressClassName") or annotations.get("kubernetes.io/ingress.class") or NONE)


def _ingress_addresses(ingress: JsonObject) -> str:
    entries = ingress.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    return ",".join(entry.get("ip") or entry.get("hostname", "") for entry in entries)


def _bound_role(binding: JsonObject) -> str:
    return f"{binding['roleRef']['kind']}/{binding['roleRef']['name']}"


def _subjects(kind: str) -> Callable[[JsonObject], str]:
    def cell(binding: JsonObject) -> str:
        found = [subject for subject in binding.get("subjects") or () if subject["kind"] == kind]
        return ", ".join(
            f"{subject['namespace']}/{subject['name']}" if kind == "ServiceAccount" else subject["name"]
            for subject in found
        )

    return cell


def _entries(*names: str) -> Callable[[JsonObject], int]:
    return lambda item: sum(len(item.get(name) or ()) for name in names)


def _last_seen(event: JsonObject) -> str:
    series = event.get("series") or {}
    return age_since(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime"))


def _first_seen(event: JsonObject) -> str:
    return age_since(event.get("firstTimestamp") or event.get("eventTime"))


def _event_object(event: JsonObject) -> str:
    involved = event.get("involvedObject") or {}
    return f"{involved.get('kind', '').lower()}/{involved.get('name', '')}"


def _event_source(event: JsonObject) -> str:
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    return ", ".join(part for part in (component, source.get("host") or "") if part)


NAME = Column("Name", _of("metadata", "name"), format="name")
AGE = Column("Age", lambda item: age_since(item["metadata"].get("creationTimestamp")))
CREATED_AT = Column("Created At", _of("metadata", "creationTimestamp"), type="date")
NAME_AND_AGE = (NAME, AGE)
NAME_AND_CREATION = (NAME, CREATED_AT)

_BINDING = (
    NAME,
    Column("Role", _bound_role),
    AGE,
    Column("Users", _subjects("User"), 1),
    Column("Groups", _subjects("Group"), 1),
    Column("ServiceAccounts", _subjects("ServiceAccount"), 1),
)
_TEMPLATE = (
    Column("Containers", _containers("name"), 1),
    Column("Images", _containers("image"), 1),
    Column("Selector", _selector, 1),
)

BUILT_IN: dict[tuple[str, str], tuple[Column, ...]] = {
    ("", "Namespace"): (NAME, Column("Status", _of("status", "phase")), AGE),
    ("", "Node"): (
        NAME,
        Column("Status", _node_status),
        Column("Roles", _node_roles),
        AGE,
        Column("Version", _node_info("kubeletVersion")),
        Column("Internal-IP", _node_address("InternalIP"), 1),
        Column("External-IP", _node_address("ExternalIP"), 1),
        Column("OS-Image", _node_info("osImage"), 1),
        Column("Kernel-Version", _node_info("kernelVersion"), 1),
        Column("Container-Runtime", _node_info("containerRuntimeVersion"), 1),
    ),
    ("", "Pod"): (
        NAME,
        Column("Ready", pod_columns.ready),
        Column("Status", pod_columns.status),
        Column("Restarts", lambda pod: pod_columns.restarts(pod, age_since)),
        AGE,
        Column("IP", lambda pod: pod.get("status", {}).get("podIP") or NONE, 1),
        Column("Node", lambda pod: pod["spec"].get("nodeName") or NONE, 1),
        Column("Nominated Node", lambda pod: pod.get("status", {}).get("nominatedNodeName") or NONE, 1),
        Column("Readiness Gates", pod_columns.readiness_gates, 1),
    ),
    ("", "Service"): (
        NAME,
        Column("Type", _of("spec", "type")),
        Column("Cluster-IP", lambda service: service["spec"].get("clusterIP") or NONE),
        Column("External-IP", _external_addresses),
        Column("Port(s)", _service_ports),
        AGE,
        Column("Selector", lambda service: _labels(service["spec"].get("selector")), 1),
    ),
    ("", "ConfigMap"): (NAME, Column("Data", _entries("data", "binaryData"), type="integer"), AGE),
    ("", "Secret"): (NAME, Column("Type", _of("type")), Column("Data", _entries("data"), type="integer"), AGE),
    ("", "Event"): (
        Column("Last Seen", _last_seen),
        Column("Type", _of("type")),
        Column("Reason", _of("reason")),
        Column("Object", _event_object),
        Column("Subobject", _of("involvedObject", "fieldPath"), 1),
        Column("Source", _event_source, 1),
        Column("Message", lambda event: (event.get("message") or "").strip()),
        Column("First Seen", _first_seen, 1),
        Column("Count", lambda event: (event.get("series") or event).get("count") or 1, 1, "integer"),
        Column("Name", _of("metadata", "name"), 1),
    ),
    ("apps", "Deployment"): (
        NAME,
        Column("Ready", lambda d: f"{_of('status', 'readyReplicas', otherwise=0)(d)}/{d['spec'].get('replicas', 1)}"),
        Column("Up-to-date", _of("status", "updatedReplicas", otherwise=0), type="integer"),
        Column("Available", _of("status", "availableReplicas", otherwise=0), type="integer"),
        AGE,
        *_TEMPLATE,
    ),
    ("apps", "ReplicaSet"): (
        NAME,
        Column("Desired", _of("spec", "replicas", otherwise=1), type="integer"),
        Column("Current", _of("status", "replicas", otherwise=0), type="integer"),
        Column("Ready", _of("status", "readyReplicas", otherwise=0), type="integer"),
        AGE,
        *_TEMPLATE,
    ),
    ("discovery.k8s.io", "EndpointSlice"): (
        NAME,
        Column("AddressType", _of("addressType")),
        Column("Ports", _slice_ports),
        Column("Endpoints", _slice_endpoints),
        AGE,
    ),
    ("coordination.k8s.io", "Lease"): (NAME, Column("Holder", _of("spec", "holderIdentity")), AGE),
    ("networking.k8s.io", "Ingress"): (
        NAME,
        Column("Class", _ingress_class),
        Column("Hosts", _ingress_hosts),
        Column("Address", _ingress_addresses),
        Column("Ports", lambda ingress: "80, 443" if ingress["spec"].get("tls") else "80"),
        AGE,
    ),
    ("networking.k8s.io", "IngressClass"): (
        NAME,
        Column("Controller", _of("spec", "controller")),
        Column("Parameters", lambda _: NONE),
        AGE,
    ),
    ("rbac.authorization.k8s.io", "ClusterRole"): NAME_AND_CREATION,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _BINDING,
    ("rbac.authorization.k8s.io", "Role"): NAME_AND_CREATION,
    ("rbac.authorization.k8s.io", "RoleBinding"): _BINDING,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): NAME_AND_CREATION,
}
