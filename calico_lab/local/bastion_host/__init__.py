"""The bastion: the host outside the cluster that learners log in to over SSH.

:func:`prepare` writes the files that make a bastion of its host; :func:`serve` answers SSH there.
"""

from calico_lab.local.bastion_host.files import prepare
from calico_lab.local.bastion_host.server import serve

__all__ = ["prepare", "serve"]
