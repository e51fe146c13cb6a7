"""The first set-up, on a checkout and caches that are empty."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Figure

CHECKOUT = Path(__file__).parents[1]


def figures() -> Iterator[Figure]:
    """Time `make setup` in a fresh clone with empty caches, then once more."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "--quiet", CHECKOUT, clone], check=True)
        environment = os.environ | {
            name: str(Path(folder, name)) for name in ("XDG_CACHE_HOME", "UV_CACHE_DIR", "PIP_CACHE_DIR")
        }
        first, second = (make_setup(clone, environment) for _ in range(2))
    yield Figure("first set-up from empty caches", [first], "s", "60")
    yield Figure("second set-up", [second], "s", "2")


def make_setup(clone: Path, environment: dict[str, str]) -> float:
    """Run `make setup`; returns the seconds it took."""
    start = time.perf_counter()
    subprocess.run(["make", "--silent", "-C", clone, "setup"], env=environment, check=True, capture_output=True)
    return time.perf_counter() - start
