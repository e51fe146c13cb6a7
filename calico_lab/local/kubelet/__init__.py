"""The kubelet: runs pods as programs of this machine, each in network and mount namespaces of its own.

The programs under ``images`` are modules of this package too, and start for every pod: what is not theirs is imported
only when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calico_lab.local.kubelet.kubelet import Kubelet

__all__ = ["Kubelet"]


def __getattr__(name: str) -> type[Kubelet]:
    if name != "Kubelet":
        raise AttributeError(name)
    from calico_lab.local.kubelet.kubelet import Kubelet

    return Kubelet
