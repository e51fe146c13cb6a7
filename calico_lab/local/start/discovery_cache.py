"""What kubectl remembers of a server: which resources it serves, kept for hours under the server's address.

A lab that begins anew at an address where another was serves other resources than that one did at its end. So what
kubectl has kept about the address is deleted, as ``kubectl api-resources --cached=false`` would replace it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def forget_discovery(port: int) -> None:
    """Delete what this user's kubectl remembers of the API server at ``port`` of the loopback address."""
    cache = os.environ.get("KUBECACHEDIR") or Path.home() / ".kube/cache"
    shutil.rmtree(Path(cache, "discovery", f"127.0.0.1_{port}"), ignore_errors=True)
