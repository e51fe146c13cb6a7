"""The Node object by which a kubelet presents its host."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from calico_lab.local import topology
from calico_lab.local.kubelet.images import IMAGES
from calico_lab.local.topology import Host
from calico_lab.local.wire import JsonObject

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_PODS = 110


def node(host: Host, now: str) -> JsonObject:
    """Return the Node of a host, Ready."""
    system, architecture = "linux", _ARCHITECTURES.get(platform.machine(), platform.machine())
    labels = {
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": system,
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": host.name,
        "kubernetes.io/os": system,
    }
    spec: JsonObject = {}
    if host.control_plane:
        labels[CONTROL_PLANE] = ""
        spec["taints"] = [{"key": CONTROL_PLANE, "effect": "NoSchedule"}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": host.name, "labels": labels},
        "spec": spec,
        "status": _status(host, architecture, now),
    }


def _status(host: Host, architecture: str, now: str) -> JsonObject:
    resources = {
        "cpu": str(len(os.sched_getaffinity(0))),
        "memory": f"{_memory_kilobytes()}Ki",
        "pods": str(_PODS),
    }
    return {
        "addresses": [
            {"type": "InternalIP", "address": str(host.address)},
            {"type": "Hostname", "address": host.name},
        ],
        "capacity": resources,
        "allocatable": resources,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "KubeletReady",
                "message": "kubelet is posting ready status",
                "lastHeartbeatTime": now,
                "lastTransitionTime": now,
            }
        ],
        "nodeInfo": {
            "architecture": architecture,
            "bootID": _text("/proc/sys/kernel/random/boot_id"),
            "containerRuntimeVersion": "calico-lab://0.1.0",
            "kernelVersion": platform.release(),
            "kubeProxyVersion": topology.KUBERNETES_VERSION,
            "kubeletVersion": topology.KUBERNETES_VERSION,
            "machineID": _text("/etc/machine-id"),
            "operatingSystem": "linux",
            "osImage": platform.freedesktop_os_release().get("PRETTY_NAME", "Linux"),
            "systemUUID": _text("/etc/machine-id"),
        },
        "images": [{"names": [name]} for name in IMAGES],
    }


def _memory_kilobytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
