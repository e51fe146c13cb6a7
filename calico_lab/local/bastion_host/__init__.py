"""The bastion, the host outside the cluster that learners log in to over SSH; and the way onto the nodes.

:func:`prepare` writes the files that make a bastion of its host, :func:`prepare_node` those for a look at a node;
:func:`serve` answers SSH on all of them.
"""

from calico_lab.local.bastion_host.files import prepare, prepare_node
from calico_lab.local.bastion_host.server import serve

__all__ = ["prepare", "prepare_node", "serve"]
