"""A course on the Calico Ingress Gateway, and a local lab to take it in.

>>> import calico_lab
>>> lab = calico_lab.connect()
>>> lab.bastion.run("kubectl get nodes")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from calico_lab.lab import Lab, connect

__all__ = ["Lab", "connect"]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for, so that ``import calico_lab`` costs next to nothing."""
    if name in __all__:
        from calico_lab import lab

        return getattr(lab, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magics %%apply and %%bastion: what ``%load_ext calico_lab`` calls."""
    from calico_lab.views import magics

    magics.register(shell)
