"""A shell on a node of the cluster, to look at its routes and at its address translation.

Only a lab of one's own has that, and its kubeconfig says so: the ``calico-lab`` extension lists the nodes that its SSH
configuration leads to. On any other cluster the way to a node is up to those who run it.
"""

from __future__ import annotations

from pathlib import Path

from calico_lab.errors import LabError
from calico_lab.host import Host
from calico_lab.kubeconfig import Kubeconfig


def find(kubeconfig: Kubeconfig, name: str) -> Host:
    """Return the node ``name``, to run commands on as root.

    Raises ``LabError`` when there is no such node, and on a cluster that opens no shells on its nodes: with what to do
    there instead (https://kubernetes.io/docs/tasks/debug/debug-cluster/kubectl-node-debug/).
    """
    names = kubeconfig.lab.get("nodes", "").split()
    if not names:
        raise LabError(
            f"the cluster {kubeconfig.name!r} does not announce a shell on its nodes",
            remedy=f"kubectl debug node/{name} -it --profile=sysadmin --image=busybox -- chroot /host",
        )
    if name not in names:
        raise LabError(f"the lab has no node {name!r}", remedy=f"name one of {', '.join(names)}")
    from calico_lab.ssh import SshConnection, look_up

    return Host(SshConnection(look_up(name, Path(kubeconfig.lab["ssh_config"]), must_exist=True)), name)
