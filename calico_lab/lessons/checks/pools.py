"""The step ip-pool: addresses for load balancers, and the range that the steps after it speak of."""

from __future__ import annotations

from ipaddress import ip_network

from calico_lab.lessons.checks.scene import JsonObject, Objects, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, not_yet, wrong

GUIDE_POOL = "loadbalancer-ip-pool"
GUIDE_RANGE = "10.10.10.0/26"
LOOK = "kubectl get ippools -o yaml"


def check(scene: Scene) -> Verdict:
    """Whether a pool gives addresses to load balancers by itself, out of the range that BGP is told to advertise."""
    pools = scene.objects("IPPool")
    candidates = [pool for pool in pools if _is_for_load_balancers(pool) or pool["metadata"]["name"] == GUIDE_POOL]
    if not candidates:
        return not_yet(
            "ip-pool-missing", "there is no IP pool for load balancers",
            Evidence("IP pools", _names(pools), "kubectl get ippools"),
            hint="A Service of type LoadBalancer gets its address from a pool that allows it. Which pools are there?",
        )  # fmt: skip
    verdicts = [_judge(scene, pool) for pool in candidates]
    return next(filter(None, verdicts), verdicts[0])


def _judge(scene: Scene, pool: JsonObject) -> Verdict:
    name, spec = pool["metadata"]["name"], pool["spec"]
    uses = ", ".join(spec.get("allowedUses") or ["Workload", "Tunnel (by default)"])
    seen = Evidence(
        f"IPPool {name}",
        f"{spec['cidr']}, allowedUses {uses}, {'disabled' if spec.get('disabled') else 'not disabled'}", LOOK,
    )  # fmt: skip
    if not _is_for_load_balancers(pool):
        return wrong(
            "ip-pool-not-for-load-balancers", f"the pool {name} does not give addresses to load balancers", seen,
            hint="A pool says what its addresses may be used for. Look at the field allowedUses.",
        )  # fmt: skip
    if spec.get("disabled"):
        return wrong(
            "ip-pool-disabled", f"the pool {name} is disabled and gives no addresses", seen,
            hint="A pool can be switched off without deleting it: which of its fields does that?",
        )  # fmt: skip
    if spec.get("assignmentMode") == "Manual":
        return wrong(
            "ip-pool-manual", f"the pool {name} gives addresses only to those who name it", seen,
            hint="The Gateway's Service does not ask for a pool by name. Look at the field assignmentMode.",
        )  # fmt: skip
    if spec["cidr"] != GUIDE_RANGE and advertised(scene) and not _covered(spec["cidr"], advertised(scene)):
        told = Evidence("BGP advertises", ", ".join(advertised(scene)), "kubectl get bgpconfiguration default -o yaml")
        return wrong(
            "ip-pool-other-range", f"the addresses of the pool {name} are not among those that BGP advertises",
            seen, told,
            hint="Compare the pool's cidr with the range that the nodes tell the bastion about, digit by digit.",
        )  # fmt: skip
    return done(f"the pool {name} gives addresses out of {spec['cidr']} to load balancers", seen)


def advertised(scene: Scene) -> list[str]:
    """Return the ranges that the cluster is told to advertise for load balancers."""
    configuration = scene.find("BGPConfiguration", "default") or {"spec": {}}
    return [entry["cidr"] for entry in configuration["spec"].get("serviceLoadBalancerIPs") or ()]


def load_balancer_range(scene: Scene) -> str:
    """Return the range that the learner's addresses come from: that of a pool which is advertised, or the guide's."""
    cidrs = [pool["spec"]["cidr"] for pool in scene.objects("IPPool") if _is_for_load_balancers(pool)]
    return next((cidr for cidr in cidrs if _covered(cidr, advertised(scene))), GUIDE_RANGE)


def _is_for_load_balancers(pool: JsonObject) -> bool:
    return "LoadBalancer" in (pool["spec"].get("allowedUses") or ())


def _covered(cidr: str, ranges: list[str]) -> bool:
    return any(is_within(cidr, each) for each in ranges)


def is_within(inner: str, outer: str) -> bool:
    """Whether every address of one range is also in the other; an address alone is a range of one."""
    small, large = ip_network(inner, strict=False), ip_network(outer, strict=False)
    return small.version == large.version and small.subnet_of(large)  # type: ignore[arg-type]


def _names(items: Objects) -> str:
    return ", ".join(item["metadata"]["name"] for item in items) or "none"
