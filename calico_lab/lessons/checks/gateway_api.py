"""The step gateway-api: the operator has brought the Gateway API, its controller and a class."""

from __future__ import annotations

from calico_lab import conditions
from calico_lab.lessons.checks.scene import Objects, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, not_yet, wrong

CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"
# https://github.com/tigera/operator, api/v1/gatewayapi_types.go
_NAMES = ("default", "tigera-secure")
_CONTROLLER_LABELS = "control-plane=envoy-gateway"
_LOOK = "kubectl get gatewayapi,gatewayclass -o yaml"


def check(scene: Scene) -> Verdict:
    """Whether a GatewayAPI resource has brought a class that is Accepted, and a controller that is ready."""
    if not scene.serves("GatewayAPI"):
        return wrong(
            "gateway-api-no-operator", "this cluster has no Tigera operator that knows the resource GatewayAPI",
            Evidence("operator.tigera.io/v1", "no GatewayAPI", "kubectl api-resources --api-group=operator.tigera.io"),
            hint="Which version of Calico runs here? See the guide's supported versions.",
        )  # fmt: skip
    enabled = scene.objects("GatewayAPI")
    names = [item["metadata"]["name"] for item in enabled]
    seen = Evidence("GatewayAPI", ", ".join(names) or "none", _LOOK)
    if not enabled:
        return not_yet(
            "gateway-api-missing", "the Gateway API is not enabled", seen,
            hint="The operator waits for one resource that asks for it.",
        )  # fmt: skip
    if len(enabled) > 1:
        return wrong(
            "gateway-api-twice", f"there are {len(enabled)} GatewayAPI resources, and the operator takes one", seen,
            hint="One of them is too many.",
        )  # fmt: skip
    if names[0] not in _NAMES:
        return wrong(
            "gateway-api-other-name", f"the operator ignores a GatewayAPI named {names[0]}", seen,
            hint="The operator looks for this resource under fixed names. Compare with the guide.",
        )  # fmt: skip
    return _check_class(scene, seen)


def classes(scene: Scene) -> Objects:
    """Return the classes that Envoy Gateway serves, whatever their names are."""
    return [item for item in scene.objects("GatewayClass") if item["spec"].get("controllerName") == CONTROLLER]


def _check_class(scene: Scene, enabled: Evidence) -> Verdict:
    found = classes(scene)
    seen = Evidence("GatewayClasses", _states(found), "kubectl get gatewayclass")
    if not found:
        return not_yet(
            "gateway-api-no-class", "the operator has not made a GatewayClass so far", enabled, seen,
            hint="What does the operator say of its work? kubectl get tigerastatus, or its events.",
        )  # fmt: skip
    if not any(conditions.is_true(item, "Accepted") for item in found):
        return not_yet(
            "gateway-api-class-not-accepted", "no GatewayClass is Accepted", enabled, seen,
            hint="A class is accepted by the controller that it names. Does that controller run?",
        )  # fmt: skip
    deployments = scene.objects("Deployment", labels=_CONTROLLER_LABELS, everywhere=True)
    running = [item for item in deployments if (item.get("status") or {}).get("readyReplicas")]
    if deployments and not running:
        name, namespace = (deployments[0]["metadata"][field] for field in ("name", "namespace"))
        return wrong(
            "gateway-api-controller-down", f"the controller {name} has no pod that is ready",
            Evidence(f"Deployment {name}", "0 pods are ready", f"kubectl -n {namespace} get deployments,pods"), seen,
            hint="Without its controller, nobody turns a Gateway into a running Envoy, and no condition changes.",
        )  # fmt: skip
    accepted = next(item["metadata"]["name"] for item in found if conditions.is_true(item, "Accepted"))
    return done(f"the Gateway API is enabled, with the class {accepted}", enabled, seen)


def _states(found: Objects) -> str:
    states = (
        f"{item['metadata']['name']} {'Accepted' if conditions.is_true(item, 'Accepted') else 'not Accepted'}"
        for item in found
    )
    return ", ".join(states) or "none"
