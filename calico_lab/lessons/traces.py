"""What the guide's demo leaves in a cluster and outside of it, counted: what a clean-up has to bring to zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calico_lab.lessons.counts import BACKEND
from calico_lab.lessons.steps import DEMO, GATEWAY
from calico_lab.tools import envoy_admin, routes

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.cluster import JsonObject
    from calico_lab.lab import Lab

_MADE = ("Deployment", "Service", "ServiceAccount", "ConfigMap", "Pod")


def of_demo(lab: Lab, address: str) -> pd.DataFrame:
    """Count the traces of the demo whose Gateway has, or had, an address: one row for each sort, in ``count``.

    What Envoy Gateway makes for a Gateway is found by its labels, wherever this release of Calico puts it.
    """
    import pandas as pd

    cluster, namespace = lab.cluster, lab.cluster.kubeconfig.namespace
    owned = f"{envoy_admin.OWNER}-name={GATEWAY},{envoy_admin.OWNER}-namespace={namespace}"
    found = {"objects of the demo": [kind for kind, name in DEMO if cluster.exists(kind, name)]}
    found["pods of the backend"] = [_name(pod) for pod in cluster.list("Pod", labels=BACKEND)]
    for kind in _MADE:
        made = cluster.list(kind, labels=owned, all_namespaces=True)
        found[f"{kind}s made for the Gateway"] = [_name(item) for item in made]
    services = cluster.list("Service", all_namespaces=True)
    found["Services that have its address"] = [_name(service) for service in services if address in _given(service)]
    learned = routes.parse(lab.bastion.run(routes.COMMAND).output).index
    found["routes to its address on the bastion"] = [destination for destination in learned if destination == address]
    return pd.DataFrame({"count": {what: len(names) for what, names in found.items()}}).rename_axis("trace")


def _given(service: JsonObject) -> list[str]:
    """Return the addresses that a Service got from a load balancer."""
    return [each["ip"] for each in service["status"].get("loadBalancer", {}).get("ingress", []) if "ip" in each]


def _name(item: JsonObject) -> str:
    return str(item["metadata"]["name"])
