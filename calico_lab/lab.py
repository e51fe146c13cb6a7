"""The one object that a notebook holds: a cluster, and a bastion from which to look at it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from calico_lab import kubeconfig as kubeconfigs
from calico_lab.bastion import Bastion
from calico_lab.cluster import Cluster
from calico_lab.kubeconfig import Kubeconfig


class Lab:
    """``lab.cluster`` speaks with the API server, ``lab.bastion`` runs commands on the bastion."""

    def __init__(self, kubeconfig: Kubeconfig) -> None:
        self.kubeconfig = kubeconfig
        self.cluster = Cluster(kubeconfig)

    @property
    def name(self) -> str:
        """The lab's name, or that of the kubeconfig's context."""
        return self.kubeconfig.name

    @property
    def may_change_shared_things(self) -> bool:
        """Whether this cluster announces itself as a lab of the learner's own, with nothing in it to be careful of."""
        return bool(self.kubeconfig.lab)

    @cached_property
    def bastion(self) -> Bastion:
        """The bastion; raises ``NoBastionError`` when nothing says where it is."""
        announced = self.kubeconfig.lab.get("ssh_config")
        return Bastion.find(Path(announced) if announced else None)

    def __repr__(self) -> str:
        # A lab's name is not in it, so that a notebook's output is the same in every lab.
        where = "a lab of your own" if self.kubeconfig.lab else f"the cluster {self.name!r}"
        return f"Connected to {where}: Kubernetes {self._version}"

    @cached_property
    def _version(self) -> str:
        return self.cluster.version()


def connect(kubeconfig: str | Path | None = None) -> Lab:
    """Connect to a cluster and return the lab around it.

    Which cluster: ``kubeconfig``, or ``KUBECONFIG``, or the local lab, or ``~/.kube/config``; see
    :mod:`calico_lab.kubeconfig`. Raises ``NoClusterError`` when there is none or it does not answer.
    """
    lab = Lab(kubeconfigs.find(kubeconfig))
    lab._version  # noqa: B018 asked once, so that a cluster that is not there is noticed here
    return lab
