"""Two versions of the backend behind one route, and the weights by which requests are shifted from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from calico_lab.lessons import shares, stage, waits
from calico_lab.lessons.shares import Shares
from calico_lab.lessons.steps import GATEWAY, manifest
from calico_lab.tools import envoy_admin

if TYPE_CHECKING:
    from calico_lab.cluster import Awaited
    from calico_lab.lab import Lab

ROUTE = "canary"
HOST = "www.example.com"
# The Service of each version. A route's backendRefs need not stand in this order.
SERVICES = {"v1": "backend", "v2": "backend-v2"}


def asked_for(lab: Lab) -> dict[str, int]:
    """Return the weight of each version that the first rule of the route asks for; 0 for one that it leaves out."""
    rules = lab.cluster.get("HTTPRoute", ROUTE)["spec"].get("rules") or [{}]
    weights = {each["name"]: each.get("weight", 1) for each in rules[0].get("backendRefs") or ()}
    return {version: weights.get(service, 0) for version, service in SERVICES.items()}


def in_envoy(lab: Lab) -> list[int]:
    """Return the weights, but for 0, that Envoy has for the first rule of the route, in the order of its backendRefs.

    As a rule the versions are localities of one cluster, of which each worker takes turns by weight. Where backendRefs
    have filters of their own, each has a cluster of its own, one of which is drawn for each request by weight
    (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/traffic_splitting).
    """
    (envoy, *_) = envoy_admin.of_gateway(lab.cluster, GATEWAY)
    namespace = lab.cluster.get("HTTPRoute", ROUTE)["metadata"]["namespace"]
    rule, configuration = f"httproute/{namespace}/{ROUTE}/rule/0", envoy.configuration()
    for route in configuration.routes:
        if route.name.startswith(f"{rule}/") and (drawn := route.content.get("route", {}).get("weighted_clusters")):
            return [each.get("weight", 0) for each in drawn["clusters"]]
    return [
        locality.get("load_balancing_weight", 0)
        for cluster in configuration.clusters
        if cluster.name == rule
        for locality in cluster.localities
    ]


def in_force(lab: Lab) -> Awaited:
    """Wait until Envoy works by the weights that the route asks for."""
    rule = lab.cluster.get("HTTPRoute", ROUTE)["spec"]["rules"][0]
    wanted = [weight for each in rule["backendRefs"] if (weight := each.get("weight", 1))]
    said = ", ".join(f"{version} {weight}" for version, weight in asked_for(lab).items())
    remedy = f"calico-lab envoy httproute {ROUTE}"
    return waits.until(lambda: in_envoy(lab) == wanted, f"Envoy works by {said}", remedy=remedy)


def shift(lab: Lab, v2: int) -> Awaited:
    """Give version 2 a share of the requests, in percent, and version 1 the rest; wait until it is so.

    The rest of the route stays as it is; where there is none, it is made.
    """
    if lab.cluster.exists("HTTPRoute", ROUTE):
        route: dict[str, Any] = lab.cluster.get("HTTPRoute", ROUTE)
        route = {key: route[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": ROUTE}}
    else:
        route = yaml.safe_load(manifest("canary/route"))
    weights = {SERVICES["v1"]: 100 - v2, SERVICES["v2"]: v2}
    route["spec"]["rules"][0]["backendRefs"] = [
        {"name": service, "port": 3000, "weight": weight} for service, weight in weights.items()
    ]
    lab.cluster.apply(yaml.safe_dump(route))
    return in_force(lab)


def send(lab: Lab, address: str, requests: int, *, concurrency: int = 20) -> Shares:
    """Send requests to the gateway from the bastion, and judge by the pods' logs how the versions shared them."""
    load = f'hey -n {requests} -c {concurrency} -host "{HOST}" http://{address}/'
    return shares.judge(stage.by_version(lab, lambda: lab.bastion.run(load)), asked_for(lab))
