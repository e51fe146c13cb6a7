"""Rules that span several fields of pods, Deployments and ReplicaSets.

Messages: https://github.com/kubernetes/kubernetes, packages ``pkg/apis/core/validation`` and
``pkg/apis/apps/validation``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from calico_lab.local.apiserver import field_problems as problem
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.wire import JsonObject

_POD_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_SUBSCRIPT = re.compile(r"metadata\.(annotations|labels)\['.*'\]")
_MUTABLE_BY_IMAGE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod_problems(item: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a pod."""
    if "spec" not in item:
        yield problem.required("spec.containers")
        return
    yield from _pod_spec(item["spec"], "spec")
    if old is not None and _without_mutable(item["spec"]) != _without_mutable(old["spec"]):
        yield problem.forbidden("spec", _MUTABLE_BY_IMAGE)


def deployment_problems(item: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a Deployment."""
    spec = item["spec"]
    strategy = spec["strategy"]
    if strategy["type"] == "Recreate" and "rollingUpdate" in strategy:
        detail = "may not be specified when strategy `type` is 'Recreate'"
        yield problem.forbidden("spec.strategy.rollingUpdate", detail)
    if strategy["type"] == "RollingUpdate":
        yield from _rolling_update(strategy["rollingUpdate"])
    yield from _selected_template(item, old, "deployment")
    if spec["progressDeadlineSeconds"] <= spec.get("minReadySeconds", 0):
        yield problem.invalid(
            "spec.progressDeadlineSeconds", spec["progressDeadlineSeconds"], "must be greater than minReadySeconds"
        )


def replica_set_problems(item: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with a ReplicaSet."""
    yield from _selected_template(item, old, "deployment")


def _rolling_update(rolling: JsonObject) -> Iterator[FieldProblem]:
    counts = []
    for name in ("maxUnavailable", "maxSurge"):
        value = rolling[name]
        path = f"spec.strategy.rollingUpdate.{name}"
        if isinstance(value, str) and not re.fullmatch(r"[0-9]+%", value):
            detail = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
            yield problem.invalid(path, value, detail + "regex used for validation is '[0-9]+%')")
            return
        number = int(str(value).rstrip("%"))
        if number < 0:
            yield problem.invalid(path, value, "must be greater than or equal to 0")
        if name == "maxUnavailable" and isinstance(value, str) and number > 100:
            yield problem.invalid(path, value, "must not be greater than 100%")
        counts.append(number)
    if counts == [0, 0]:
        detail = "may not be 0 when `maxSurge` is 0"
        yield problem.invalid("spec.strategy.rollingUpdate.maxUnavailable", rolling["maxUnavailable"], detail)


def _selected_template(item: JsonObject, old: JsonObject | None, kind: str) -> Iterator[FieldProblem]:
    spec = item["spec"]
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield problem.invalid("spec.selector", selector, f"empty selector is invalid for {kind}")
    elif not _selects(selector, labels):
        yield problem.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if old is not None and selector != old["spec"].get("selector"):
        yield problem.invalid("spec.selector", selector, "field is immutable")
    pod_spec = template.get("spec") or {}
    if not pod_spec:
        if "template" in spec:
            yield problem.required("spec.template.spec.containers")
        return
    yield from _pod_spec(pod_spec, "spec.template.spec")
    if pod_spec["restartPolicy"] != "Always":
        yield problem.not_supported("spec.template.spec.restartPolicy", pod_spec["restartPolicy"], ["Always"])


def _selects(selector: JsonObject | None, labels: JsonObject) -> bool:
    if selector is None:
        return False
    plain = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return plain and all(_matches(expression, labels) for expression in selector.get("matchExpressions") or ())


def _matches(expression: JsonObject, labels: JsonObject) -> bool:
    key, operator = expression.get("key", ""), expression.get("operator", "")
    listed = key in labels and labels[key] in (expression.get("values") or ())
    verdicts = {"In": listed, "NotIn": not listed, "Exists": key in labels, "DoesNotExist": key not in labels}
    return verdicts.get(operator, False)


def _pod_spec(spec: JsonObject, path: str) -> Iterator[FieldProblem]:
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield from _container(container, f"{path}.{field}[{index}]", volumes)


def _container(container: JsonObject, path: str, volumes: set[str | None]) -> Iterator[FieldProblem]:
    if not container.get("image"):
        yield problem.required(f"{path}.image")
    for index, variable in enumerate(container.get("env") or ()):
        yield from _variable(variable, f"{path}.env[{index}]")
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            yield problem.not_found(f"{path}.volumeMounts[{index}].name", mount.get("name", ""))
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            yield from _probe(container[name], f"{path}.{name}", name)


def _variable(variable: JsonObject, path: str) -> Iterator[FieldProblem]:
    source = variable.get("valueFrom")
    if source is None:
        return
    if variable.get("value"):
        yield problem.invalid(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
    if len(source) != 1:
        detail = "may not have more than one field specified at a time" if source else "must specify one of: "
        yield problem.invalid(f"{path}.valueFrom", "", detail)
    field = (source.get("fieldRef") or {}).get("fieldPath", "")
    if field in ("metadata.annotations", "metadata.labels"):
        yield problem.not_supported(f"{path}.valueFrom.fieldRef.fieldPath", field, _POD_FIELDS)
    elif field and field not in _POD_FIELDS and not _SUBSCRIPT.fullmatch(field):
        detail = f"error converting fieldPath: field label not supported: {field}"
        yield problem.invalid(f"{path}.valueFrom.fieldRef.fieldPath", field, detail)


def _probe(probe: JsonObject, path: str, name: str) -> Iterator[FieldProblem]:
    handlers = [key for key in ("exec", "grpc", "httpGet", "tcpSocket") if key in probe]
    if not handlers:
        yield problem.required(path, "must specify a handler type")
    for extra in handlers[1:]:
        yield problem.forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    if name != "readinessProbe" and probe["successThreshold"] != 1:
        yield problem.invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def _without_mutable(spec: JsonObject) -> JsonObject:
    """Return a pod's specification without what may change."""
    rest = {
        key: value
        for key, value in spec.items()
        if key not in ("activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations")
    }
    for field in ("initContainers", "containers"):
        if field in rest:
            rest[field] = [container | {"image": "", "imagePullPolicy": ""} for container in rest[field]]
    return rest
