"""How a pod's programs look up names: /etc/resolv.conf as Kubernetes writes it.

https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
"""

from __future__ import annotations

from pathlib import Path

from calico_lab.local import topology
from calico_lab.local.wire import JsonObject

_DOMAIN = "cluster.local"
_NAME_SERVICES = "passwd: files\ngroup: files\nhosts: files dns\n"


def host_name(pod: JsonObject) -> str:
    """Return the host name of a pod: its own, or what its spec says; 63 characters at most."""
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63]


def names(pod: JsonObject) -> list[str]:
    """Return the names that a pod's address has in its /etc/hosts; with a ``subdomain`` the full one comes first."""
    subdomain, short = pod["spec"].get("subdomain"), host_name(pod)
    return [f"{short}.{subdomain}.{pod['metadata']['namespace']}.svc.{_DOMAIN}"] * bool(subdomain) + [short]


def resolv_conf(pod: JsonObject) -> str:
    """Return the text of a pod's resolv.conf: the cluster's name server, and what the pod's dnsConfig adds."""
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    servers, searches, options = [], [], {}
    if spec.get("dnsPolicy", "ClusterFirst") == "ClusterFirst":
        servers = [str(topology.DNS_SERVICE)]
        searches = [f"{namespace}.svc.{_DOMAIN}", f"svc.{_DOMAIN}", _DOMAIN]
        options = {"ndots": "5"}
    added = spec.get("dnsConfig") or {}
    servers += added.get("nameservers") or []
    searches += added.get("searches") or []
    options |= {option["name"]: option.get("value") or "" for option in added.get("options") or []}
    lines = [f"search {' '.join(dict.fromkeys(searches))}"] if searches else []
    lines += [f"nameserver {server}" for server in dict.fromkeys(servers)]
    if options:
        lines.append("options " + " ".join(f"{name}:{value}" if value else name for name, value in options.items()))
    return "".join(f"{line}\n" for line in lines)


def write(pod: JsonObject) -> None:
    """Write the files; to be called in the pod's mount namespace."""
    Path("/etc/resolv.conf").write_text(resolv_conf(pod))
    Path("/etc/nsswitch.conf").write_text(_NAME_SERVICES)
