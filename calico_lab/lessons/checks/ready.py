"""The steps ready and address: what came of the Gateway, and the bastion's way to it."""

from __future__ import annotations

from ipaddress import ip_address

from calico_lab import conditions
from calico_lab.lessons.checks import backend, common, pools
from calico_lab.lessons.checks.scene import GATEWAY, ROUTE, JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, not_yet, wrong
from calico_lab.tools import envoy_admin

_LOOK = f"kubectl get gateway {GATEWAY}"
_ROUTES = "ip route"
_ENVOYS = "kubectl get pods -A -l app.kubernetes.io/name=envoy"


def check_ready(scene: Scene) -> Verdict:
    """Whether the Gateway is Programmed, and its Envoy knows as many endpoints as the backend has pods."""
    earlier = scene.unfinished("gateway-api", "backend", "gateway", "route", "policy")
    if earlier:
        return common.waits("ready", earlier)
    gateway = scene.find("Gateway", GATEWAY) or {}
    if not conditions.is_true(gateway, "Programmed"):
        return _not_programmed(scene, gateway)
    configuration = scene.envoy_configuration()
    if configuration is None:
        return done(f"the Gateway {GATEWAY} is Programmed", common.said(gateway))
    endpoints = {
        endpoint for cluster in configuration.clusters_from("HTTPRoute", ROUTE, scene.namespace)
        for endpoint in cluster.endpoints
    }  # fmt: skip
    pods = len(backend.pods(scene))
    seen = Evidence("endpoints that Envoy knows for the route", str(len(endpoints)), "localhost:19000/clusters")
    if len(endpoints) != pods:
        return not_yet(
            "ready-endpoints", f"Envoy knows {len(endpoints)} endpoints, and the backend has {pods} pods", seen,
            hint="Some seconds are normal. After that: kubectl get endpointslices",
        )  # fmt: skip
    return done(f"the Gateway {GATEWAY} is Programmed, and its Envoy knows {pods} pods", common.said(gateway), seen)


def _not_programmed(scene: Scene, gateway: JsonObject) -> Verdict:
    said = common.said(gateway)
    if not gateway["status"].get("addresses"):
        earlier = scene.unfinished("ip-pool")
        if earlier:
            return common.waits("ready", earlier, said)
        return not_yet(
            "ready-no-address", "the Gateway has no address so far", said,
            hint="Its Service asks for one from a pool for load balancers: kubectl get services -A",
        )  # fmt: skip
    pods = envoy_admin.pods_of_gateway(scene.lab.cluster, GATEWAY, scene.namespace)
    phases = [str((pod.get("status") or {}).get("phase", "Unknown")) for pod in pods]
    return not_yet(
        "ready-no-envoy", "no Envoy of the Gateway is ready", said,
        Evidence("Envoy's pods", ", ".join(sorted(phases)) or "none", _ENVOYS),
        hint="Envoy is a pod like any other: kubectl describe it, and look at its Deployment.",
    )  # fmt: skip


def address(scene: Scene) -> str:
    """Return the Gateway's address, or nothing."""
    gateway = scene.find("Gateway", GATEWAY) or {}
    addresses = (gateway.get("status") or {}).get("addresses") or [{}]
    return str(addresses[0].get("value", ""))


def check_address(scene: Scene) -> Verdict:
    """Whether the Gateway has an address, and the bastion a way to it that BGP has brought."""
    value = address(scene)
    if not value:
        return common.waits("address", scene.unfinished("ip-pool", "gateway", "ready") or ["gateway"])
    seen = Evidence(f"address of {GATEWAY}", value, _LOOK)
    earlier = scene.unfinished("ip-pool", "bgp", "import-filter", "ready")
    if earlier:
        return common.waits("address", earlier, seen)
    wanted = pools.load_balancer_range(scene)
    if _is_address(value) and not pools.is_within(value, wanted):
        return wrong(
            "address-outside", "the Gateway's address is not one of the pool's", seen,
            Evidence("the pool", wanted, pools.LOOK),
            hint="Which pools give addresses to load balancers, and which one is advertised?",
        )  # fmt: skip
    ways = [line for line in scene.bastion(_ROUTES).output.splitlines() if _leads_to(line, value)]
    if not ways:
        return not_yet(
            "address-no-way", "the bastion has no route to the address", seen,
            Evidence("routes on the bastion", f"none to {value}", f"{_ROUTES} get {value}   on the bastion"),
            hint="The sessions are up and the filter is right: what does sudo birdc show route say of the address?",
        )  # fmt: skip
    prefixes = sorted({line.split()[0] for line in ways})
    way = Evidence("routes on the bastion", "\n".join(prefixes), f"{_ROUTES} get {value}   on the bastion")
    return done(f"the Gateway's address is {value}, and the bastion has a way to it", seen, way)


def _leads_to(line: str, value: str) -> bool:
    """Whether a line of ``ip route`` is a route to an address, other than the default route."""
    prefix = line.split()[0] if line[:1].isdigit() else ""
    return bool(prefix) and _is_address(value) and pools.is_within(value, prefix)


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False  # a hostname, as some clouds give
    return True
