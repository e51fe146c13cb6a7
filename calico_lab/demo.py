"""`calico-lab demo`: the round-robin notebook executed from top to bottom, and what came of it.

Like the command line, this knows both layers: it starts a lab, then takes the course in it as a learner would.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calico_lab import course_notebooks, execution
from calico_lab.errors import LabError

if TYPE_CHECKING:
    from rich.console import Console

    from calico_lab.lessons.evenness import Evenness

NOTEBOOK = "02-round-robin.ipynb"
GATEWAY = "load-balancing-gateway"
LOAD = 'hey -n 100 -c 100 -host "www.example.com" http://{}/round'
PLOT_ID = "plot"


def run(name: str, folder: Path) -> bool:
    """Start the lab ``name``, execute the notebook in it, and show the requests per pod.

    Writes the executed notebook, its HTML page and its plot into ``folder``. Returns whether the requests were
    spread evenly; raises ``LabError`` when a cell of the notebook fails.
    """
    from rich.console import Console

    console = Console()
    _start(name, console)
    executed = execution.execute(course_notebooks.source() / NOTEBOOK, os.environ, console)
    paths = _write(executed, folder)
    verdict = _measure()
    console.print(_table(verdict), str(verdict), "", sep="\n")
    for what, path in paths.items():
        console.print(f"{what:9} {path}", soft_wrap=True, highlight=False)
    console.print("\nNext: [bold]make lab[/bold] opens the notebooks, with this lab running.", highlight=False)
    return verdict.is_even


def _start(name: str, console: Console) -> None:
    from calico_lab.local.start import lifecycle

    with console.status("starting the local lab"):
        started = lifecycle.up(name, lambda _step: None)
    if not started.running:
        raise LabError(f"the lab {name!r} did not start: {started.problem}", remedy="calico-lab status")
    # The notebook's kernel is a process of its own: it finds the lab as every client does.
    os.environ["KUBECONFIG"] = str(started.kubeconfig)
    console.print(f"the lab {started.name!r} is up: " + ", ".join(started.hosts), highlight=False)


def _write(executed: Any, folder: Path) -> dict[str, Path]:
    import base64

    import nbformat
    from nbconvert import HTMLExporter

    folder.mkdir(parents=True, exist_ok=True)
    paths = {
        "notebook:": folder / NOTEBOOK,
        "page:": (folder / NOTEBOOK).with_suffix(".html"),
        "plot:": folder / "requests-per-pod.png",
    }
    nbformat.write(executed, paths["notebook:"])  # type: ignore[no-untyped-call]
    page, _resources = HTMLExporter().from_notebook_node(executed)  # type: ignore[no-untyped-call]
    paths["page:"].write_text(page)
    (cell,) = (cell for cell in executed.cells if cell.get("id") == PLOT_ID)
    paths["plot:"].write_bytes(base64.b64decode(cell.outputs[-1].data["image/png"]))
    return {what: path.resolve() for what, path in paths.items()}


def _measure() -> Evenness:
    """Send the guide's hundred requests once more and count what they added: what is shown is live."""
    from calico_lab.lab import connect
    from calico_lab.lessons import counts, evenness, steps

    lab = connect()
    address = steps.gateway_address(lab)
    before = counts.requests_per_pod(lab.cluster)
    lab.bastion.run(LOAD.format(address))
    added = counts.requests_per_pod(lab.cluster) - before
    return evenness.judge(added["requests"], counts.rotors(lab.cluster, GATEWAY))


def _table(verdict: Evenness) -> Any:
    from rich.table import Table

    table = Table("pod", title="100 requests")
    table.add_column("requests", justify="right")
    for number, count in enumerate(verdict.counts, start=1):
        table.add_row(f"pod {number}", str(count))
    return table
