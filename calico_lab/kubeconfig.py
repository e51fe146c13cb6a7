"""Which cluster is meant, and what its kubeconfig says about it.

The first of these is taken, and never a later one in its place because it does not answer:

1. the argument of ``connect()``;
2. ``KUBECONFIG``, which kubectl obeys too: whoever sets it has made a choice;
3. the kubeconfig of the local lab named ``default``, where there is one;
4. ``~/.kube/config``.

The local lab stands before ``~/.kube/config`` because the mistake of taking the one for the other then costs nothing:
a lab can be thrown away, and the cluster of somebody's daily work cannot.

Format: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calico_lab.errors import NoClusterError

EXTENSION = "calico-lab"
# Both kubectl and the Python client keep on disk what they discover, by the server's address. A lab that is started
# again at the same address would inherit what its predecessor served. Beneath a file nothing is found or written.
NO_CACHE = Path(os.devnull, "none")


@dataclass(frozen=True)
class Kubeconfig:
    """One context of a kubeconfig. ``files`` is written as in ``KUBECONFIG``: one path, or several with colons.

    ``lab`` is what the cluster's extension announces, empty on a cluster that announces nothing: its ``name``, and
    ``ssh_config``, the SSH configuration by which its bastion is reached.
    """

    files: str
    context: str
    server: str
    namespace: str
    lab: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name to show: the lab's, or else the context's."""
        return self.lab.get("name") or self.context


def find(argument: str | Path | None = None, environment: Mapping[str, str] = os.environ) -> Kubeconfig:
    """Find and read the kubeconfig; raises ``NoClusterError`` when there is none or it names no cluster."""
    files = str(argument or environment.get("KUBECONFIG") or _default_file(environment))
    return read(files)


def _default_file(environment: Mapping[str, str]) -> Path:
    home = Path(environment.get("HOME") or Path.home())
    state = Path(environment.get("XDG_STATE_HOME") or home / ".local/state")
    candidates = (state / "calico-lab/default/kubeconfig", home / ".kube/config")
    for path in candidates:
        if path.exists():
            return path
    raise NoClusterError(
        f"no cluster: neither {candidates[0]} nor {candidates[1]} exists, and KUBECONFIG is not set",
        remedy="calico-lab up",
    )


def read(files: str) -> Kubeconfig:
    """Read the current context of ``files``; of two entries with one name the first counts, as for kubectl."""
    import yaml

    documents: list[Any] = []
    for file in filter(None, files.split(os.pathsep)):
        path = Path(file).expanduser()
        if path.exists():
            documents.append(yaml.safe_load(path.read_text()) or {})
    if not documents:
        raise NoClusterError(f"the kubeconfig {files} does not exist", remedy="calico-lab up")

    def entry(section: str, name: str, field: str) -> dict[str, Any]:
        named = (item for document in documents for item in document.get(section) or () if item["name"] == name)
        return next((item[field] for item in named), {})

    current = next((name for document in documents if (name := document.get("current-context"))), "")
    context = entry("contexts", current, "context")
    cluster = entry("clusters", context.get("cluster", ""), "cluster")
    if "server" not in cluster:
        raise NoClusterError(f"the kubeconfig {files} names no current cluster", remedy="kubectl config get-contexts")
    extensions = {item["name"]: item["extension"] for item in cluster.get("extensions") or ()}
    return Kubeconfig(
        files=files,
        context=current,
        server=cluster["server"],
        namespace=context.get("namespace") or "default",
        lab=extensions.get(EXTENSION, {}),
    )
