"""The step clean-up: nothing of the demo is left. What the guide's prerequisites made stays, on purpose."""

from __future__ import annotations

from calico_lab.lessons.checks.scene import BACKEND, GATEWAY, POLICY, ROUTE, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, not_yet, wrong
from calico_lab.tools import envoy_admin

# In the order in which the guide makes them.
_DEMO = (
    ("ServiceAccount", BACKEND),
    ("Service", BACKEND),
    ("Deployment", BACKEND),
    ("Gateway", GATEWAY),
    ("BackendTrafficPolicy", POLICY),
    ("HTTPRoute", ROUTE),
)
# So many of them stand after each of the guide's steps: who has these is on the way, and has not cleaned up badly.
_ON_THE_WAY = (3, 4, 6)
_LOOK = "kubectl get serviceaccounts,services,deployments,gateways,backendtrafficpolicies,httproutes"


def check(scene: Scene) -> Verdict:
    """Whether the six objects of the demo are gone, and the pods that they caused with them."""
    there = [(kind, name) for kind, name in _DEMO if scene.find(kind, name) is not None]
    seen = Evidence(
        f"the demo's objects in the namespace {scene.namespace}",
        "\n".join(f"{kind} {name}" for kind, name in there) or "none", _LOOK,
    )  # fmt: skip
    if there in [list(_DEMO[:count]) for count in _ON_THE_WAY]:
        return not_yet(
            "clean-up-not-begun", f"{len(there)} objects of the demo are there", seen,
            hint="The guide's last section deletes what its demo made, one command an object.",
        )  # fmt: skip
    if there:
        return wrong(
            "clean-up-left-over", f"{len(there)} of the demo's {len(_DEMO)} objects are left", seen,
            hint="The guide deletes six objects. Which of its commands is missing, or names another one?",
        )  # fmt: skip
    pods = [*scene.objects("Pod", labels=f"app={BACKEND}"), *_envoys(scene)]
    if pods:
        return not_yet(
            "clean-up-pods", f"{len(pods)} pods of the demo are still ending", seen,
            hint="A pod may take half a minute to end. If it stays: who owns it? kubectl get pods -A -o yaml",
        )  # fmt: skip
    return done("nothing of the demo is here", seen)


def _envoys(scene: Scene) -> list[dict[str, object]]:
    return envoy_admin.pods_of_gateway(scene.lab.cluster, GATEWAY, scene.namespace)
