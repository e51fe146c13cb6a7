"""As a new user would: from `make lab` in a fresh clone to the first plot in JupyterLab."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Figure
from bench.setup import CHECKOUT
from tests.support.jupyter import Jupyter, opened, started
from tests.support.ports import free_port

NOTEBOOK = "02-round-robin.ipynb"
PLOT = "document.querySelector('.jp-OutputArea img[src^=\"data:image/png\"]')"
PATIENCE_SECONDS = 200.0


def figures() -> Iterator[Figure]:
    """Clone, set up, and time what comes then: lab, JupyterLab, browser, Run All, until the plot is drawn."""
    with tempfile.TemporaryDirectory() as folder:
        clone, home = Path(folder, "clone"), Path(folder, "home")
        home.mkdir()
        begun = time.perf_counter()
        subprocess.run(["git", "clone", "--quiet", CHECKOUT, clone], check=True)
        cloned = time.perf_counter() - begun
        make = ["make", "--silent", "-C", str(clone)]
        subprocess.run([*make, "setup"], check=True, capture_output=True)
        states = str(Path(folder, "state"))
        lab = [*make, "lab", f"OPTIONS=--no-browser --port={free_port()}"]
        try:
            begun = time.perf_counter()
            with started(lab, home, home / "calico-lab", XDG_STATE_HOME=states) as jupyter:
                asyncio.run(until_plotted(jupyter))
                plotted = time.perf_counter() - begun
        finally:
            down = [clone / ".venv/bin/calico-lab", "down"]
            subprocess.run(down, env={"HOME": str(home), "XDG_STATE_HOME": states}, check=True, capture_output=True)
    yield Figure("git clone and, set up, `make lab` to the first plot", [cloned + plotted], "s", "60")


async def until_plotted(jupyter: Jupyter) -> None:
    """Open the notebook, run all of it, and wait until its plot is seen."""
    async with opened(jupyter, NOTEBOOK) as notebook:
        await notebook.menu("Run", "Run All Cells")
        await notebook.page.until(f"{PLOT}?.naturalWidth > 600", PATIENCE_SECONDS)
