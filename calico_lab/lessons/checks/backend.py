"""The step backend: four pods of the echo server, and the Service that names them."""

from __future__ import annotations

from calico_lab.lessons.checks.scene import BACKEND, JsonObject, Objects, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

REPLICAS = 4
PORT = 3000
_KINDS = ("ServiceAccount", "Service", "Deployment")
_IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_PODS = "kubectl get pods -l app=backend"


def check(scene: Scene) -> Verdict:
    """Whether the Service names four pods that are ready, at the port that the route will ask for."""
    missing = [kind for kind in _KINDS if scene.find(kind, BACKEND) is None]
    if missing:
        return _missing(scene, missing)
    deployment, service = scene.find("Deployment", BACKEND), scene.find("Service", BACKEND)
    assert deployment is not None  # noqa: S101 found above
    assert service is not None  # noqa: S101
    return first(
        lambda: _deployment_wrong(scene, deployment),
        lambda: _service_wrong(deployment, service),
        lambda: _done(deployment, service),
    )


def pods(scene: Scene) -> Objects:
    """Return the pods that the Deployment's selector names, by name, without those that are ending."""
    deployment = scene.find("Deployment", BACKEND)
    if deployment is None:
        return []
    labels = ",".join(f"{key}={value}" for key, value in _selector(deployment).items())
    return [pod for pod in scene.objects("Pod", labels=labels) if "deletionTimestamp" not in pod["metadata"]]


def _missing(scene: Scene, missing: list[str]) -> Verdict:
    elsewhere = sorted({namespace for kind in missing for namespace in scene.other_namespaces(kind, BACKEND)})
    seen = Evidence(
        f"in the namespace {scene.namespace}", f"no {' and no '.join(missing)} named {BACKEND}",
        "kubectl get serviceaccounts,services,deployments",
    )  # fmt: skip
    if elsewhere:
        return not_yet(
            "backend-other-namespace", f"{', '.join(missing)} {BACKEND} is not in the namespace {scene.namespace}",
            seen, Evidence("namespaces that have one", ", ".join(elsewhere), "kubectl get deployments -A"),
            hint="A route looks for its Service in its own namespace. Where did yours go?",
        )  # fmt: skip
    if len(missing) == len(_KINDS):
        return not_yet(
            "backend-missing", f"there is no {BACKEND}", seen, hint="The guide's manifest makes three objects."
        )
    return not_yet(
        f"backend-no-{missing[0].lower()}", f"there is no {' and no '.join(missing)} named {BACKEND}", seen,
        hint="The guide's manifest has three documents, with a line of dashes between them. Did all of them arrive?",
    )  # fmt: skip


def _deployment_wrong(scene: Scene, deployment: JsonObject) -> Verdict | None:
    wanted, status = deployment["spec"].get("replicas", 1), deployment.get("status") or {}
    ready = status.get("readyReplicas", 0)
    seen = Evidence(
        f"Deployment {BACKEND}", f"{wanted} pods wanted, {ready} ready", f"kubectl get deployment {BACKEND}"
    )
    if wanted == 0:
        return wrong(
            "backend-scaled-to-0", "the Deployment is told to run no pods", seen,
            hint="Nothing is broken: how many pods does the Deployment want?",
        )  # fmt: skip
    broken = _pods_wrong(scene, seen)
    if broken is not None:
        return broken
    if wanted != REPLICAS:
        return wrong(
            "backend-other-replicas", f"the Deployment runs {wanted} pods, and the guide counts on {REPLICAS}",
            seen, hint="Compare spec.replicas with the guide, or with what you asked `kubectl scale` for.",
        )  # fmt: skip
    current = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    if not current or {ready, status.get("replicas", 0), status.get("updatedReplicas", 0)} != {wanted}:
        failures = [each for each in status.get("conditions") or () if each["type"] == "ReplicaFailure"]
        said = [Evidence("the Deployment says", each.get("message", ""), "kubectl get events") for each in failures]
        return not_yet(
            "backend-not-ready", f"{ready} of {wanted} pods are ready", seen, *said,
            hint=f"Wait some seconds. If it stays so: {_PODS}, and kubectl describe one that is not ready.",
        )  # fmt: skip
    return None


def _pods_wrong(scene: Scene, seen: Evidence) -> Verdict | None:
    waiting = [
        (status["name"], (status.get("state") or {}).get("waiting") or {})
        for pod in pods(scene)
        for status in (pod.get("status") or {}).get("containerStatuses") or ()
    ]
    reasons = sorted({state.get("reason", "") for _name, state in waiting})
    images = sorted({each["image"] for pod in pods(scene) for each in pod["spec"]["containers"]})
    if any(reason in _IMAGE_REASONS for reason in reasons):
        return wrong(
            "backend-image", "a pod's image cannot be had", Evidence("image", ", ".join(images), f"{_PODS} -o yaml"),
            seen, hint="The kubelet asks for exactly this image. Compare registry, name and tag with the guide's.",
        )  # fmt: skip
    if "CrashLoopBackOff" in reasons:
        return wrong(
            "backend-crashes", "a pod's program ends again and again", seen,
            Evidence("pods", "CrashLoopBackOff", _PODS),
            hint="What did the program say before it ended? kubectl logs --previous",
        )  # fmt: skip
    return None


def _service_wrong(deployment: JsonObject, service: JsonObject) -> Verdict | None:
    selector = service["spec"].get("selector") or {}
    template = deployment["spec"]["template"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not selector.items() <= labels.items() or not selector:
        return wrong(
            "backend-selector", "the Service's selector fits none of the Deployment's pods",
            Evidence("selector of the Service", _labels(selector), f"kubectl get service {BACKEND} -o yaml"),
            Evidence("labels of the pods", _labels(labels), f"{_PODS} --show-labels"),
            hint="A Service finds its pods by their labels, and every one of its selector must be on the pod.",
        )  # fmt: skip
    ports = service["spec"].get("ports") or []
    told = ", ".join(f"port {each['port']} to {each.get('targetPort', each['port'])}" for each in ports)
    seen = Evidence(f"Service {BACKEND}", told, f"kubectl get service {BACKEND} -o yaml")
    port = next((each for each in ports if each["port"] == PORT), None)
    if port is None:
        return wrong(
            "backend-port", "the Service does not have the port that the guide's route sends requests to", seen,
            hint="Which port do the route's backendRefs name?",
        )  # fmt: skip
    declared = [each for container in template["spec"]["containers"] for each in container.get("ports") or ()]
    names = {each.get("name"): each["containerPort"] for each in declared}
    target = port.get("targetPort", PORT)
    if declared and names.get(target, target) not in names.values():
        listens = ", ".join(str(each["containerPort"]) for each in declared)
        return wrong(
            "backend-target-port", "the Service sends to a port on which the pods do not listen", seen,
            Evidence("ports of the pods", listens, f"kubectl get deployment {BACKEND} -o yaml"),
            hint="A Service has two numbers for each port: the one it is asked at, and the one of the pods.",
        )  # fmt: skip
    return None


def _done(deployment: JsonObject, service: JsonObject) -> Verdict:
    ready = deployment["status"]["readyReplicas"]
    return done(
        f"the Service {BACKEND} names {ready} pods, all ready",
        Evidence(f"Deployment {BACKEND}", f"{ready} of {ready} pods are ready", f"kubectl get deployment {BACKEND}"),
        Evidence(
            "selector of the Service", _labels(service["spec"]["selector"]), f"kubectl describe service {BACKEND}"
        ),
    )


def _selector(deployment: JsonObject) -> dict[str, str]:
    return dict(deployment["spec"]["selector"].get("matchLabels") or {})


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "none"
