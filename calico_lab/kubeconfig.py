"""Which cluster is meant, and what its kubeconfig says about it.

The first of these is taken, and never a later one in its place because it does not answer:

1. the argument of ``connect()``;
2. ``CALICO_LAB_KUBECONFIG``;
3. ``KUBECONFIG``, which kubectl obeys too: whoever sets it has made a choice;
4. the kubeconfig of the local lab named ``default``, where there is one;
5. ``~/.kube/config``.

The local lab stands before ``~/.kube/config`` because the mistake of taking the one for the other then costs nothing:
a lab can be thrown away, and the cluster of somebody's daily work cannot. Where a context is named and no file is, the
first of the last two is taken that has this context.

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

    ``namespace`` is the learner's; ``context_namespace`` is what the context itself says, when another was asked for.
    ``user`` is the name of the entry with the credentials. ``lab`` is what the cluster's extension announces, empty on
    a cluster that announces nothing: its ``name``, ``ssh_config``, the SSH configuration by which its bastion is
    reached, ``nodes``, those that it leads to as well, and ``reset``, the command that makes the lab fresh.
    """

    files: str
    context: str
    server: str
    namespace: str
    lab: Mapping[str, str]
    user: str = ""
    context_namespace: str = "default"

    @property
    def name(self) -> str:
        """The name to show: the lab's, or else the context's."""
        return self.lab.get("name") or self.context


def find(
    argument: str | Path | None = None,
    environment: Mapping[str, str] = os.environ,
    *,
    context: str | None = None,
    namespace: str | None = None,
) -> Kubeconfig:
    """Find and read the kubeconfig; raises ``NoClusterError`` when there is none or it names no cluster.

    ``context`` and ``namespace`` come before ``CALICO_LAB_CONTEXT`` and ``CALICO_LAB_NAMESPACE``, and these before what
    the kubeconfig says itself.
    """
    context = context or environment.get("CALICO_LAB_CONTEXT", "")
    namespace = namespace or environment.get("CALICO_LAB_NAMESPACE", "")
    named = argument or environment.get("CALICO_LAB_KUBECONFIG") or environment.get("KUBECONFIG")
    return read(str(named or _default_file(environment, context)), context, namespace)


def _default_file(environment: Mapping[str, str], context: str) -> Path:
    home = Path(environment.get("HOME") or Path.home())
    state = Path(environment.get("XDG_STATE_HOME") or home / ".local/state")
    candidates = (state / "calico-lab/default/kubeconfig", home / ".kube/config")
    there = [path for path in candidates if path.exists()]
    if not there:
        raise NoClusterError(
            f"no cluster: neither {candidates[0]} nor {candidates[1]} exists, and KUBECONFIG is not set",
            remedy="calico-lab up",
        )
    return next((path for path in there if context in _names(_documents(str(path)), "contexts")), there[0])


def read(files: str, context: str = "", namespace: str = "") -> Kubeconfig:
    """Read a context of ``files``, or else the current one; raises ``NoClusterError`` with what is wrong with them.

    Of two entries with one name the first counts, as for kubectl.
    """
    documents = _documents(files)
    if not documents:
        raise NoClusterError(f"the kubeconfig {files} does not exist", remedy="calico-lab up")
    name = context or next((str(current) for each in documents if (current := each.get("current-context"))), "")
    contexts = _names(documents, "contexts")
    if context and context not in contexts:
        listed = ", ".join(contexts) or "none"
        raise NoClusterError(
            f"the kubeconfig {files} has no context {context!r}; it has: {listed}",
            remedy="kubectl config get-contexts   and   export CALICO_LAB_CONTEXT=one of them",
        )
    found = _entry(documents, "contexts", name, "context")
    cluster = _entry(documents, "clusters", str(found.get("cluster", "")), "cluster")
    if "server" not in cluster:
        raise NoClusterError(f"the kubeconfig {files} names no current cluster", remedy="kubectl config get-contexts")
    extensions = _entry([cluster], "extensions", EXTENSION, "extension")
    own = str(found.get("namespace") or "default")
    return Kubeconfig(
        files=files,
        context=name,
        server=str(cluster["server"]),
        namespace=namespace or own,
        lab=extensions,
        user=str(found.get("user", "")),
        context_namespace=own,
    )


def _documents(files: str) -> list[dict[str, Any]]:
    """Return what stands in those of the files that exist; raises ``NoClusterError`` for what is no kubeconfig."""
    import yaml

    documents: list[dict[str, Any]] = []
    for path in (Path(file).expanduser() for file in files.split(os.pathsep) if file):
        try:
            document = yaml.safe_load(path.read_text()) or {}
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise NoClusterError(f"the kubeconfig {path} cannot be read: {error}", remedy=_view(path)) from None
        if not isinstance(document, dict):
            raise NoClusterError(f"{path} is no kubeconfig: it is not a mapping", remedy=_view(path))
        documents.append(document)
    return documents


def _view(path: Path) -> str:
    return f"kubectl config view --kubeconfig={path}"


def _entries(documents: list[dict[str, Any]], section: str) -> list[dict[str, Any]]:
    """Return the entries of a section of all documents; what is no entry is left out."""
    lists = (document.get(section) for document in documents)
    return [item for each in lists if isinstance(each, list) for item in each if isinstance(item, dict)]


def _names(documents: list[dict[str, Any]], section: str) -> list[str]:
    return [str(item.get("name")) for item in _entries(documents, section)]


def _entry(documents: list[dict[str, Any]], section: str, name: str, field: str) -> dict[str, Any]:
    """Return a field of the first entry of this name, or nothing at all."""
    named = (item.get(field) for item in _entries(documents, section) if item.get("name") == name)
    found = next(named, None)
    return found if isinstance(found, dict) else {}
