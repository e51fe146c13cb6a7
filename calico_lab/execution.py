"""A notebook executed from top to bottom in a kernel of its own, with a progress bar on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calico_lab.errors import LabError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

CELL_SECONDS = 120


def execute(path: Path, environment: Mapping[str, str], console: Console) -> Any:
    """Return the executed notebook (nbformat 4); the file stays as it is.

    ``environment`` is the kernel's, by which it finds the lab as every client does. Raises ``LabError`` when a cell
    fails.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from traitlets.config import Config

    # mypy: nbformat's functions carry no types.
    document: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console) as progress:
        config = Config({"KernelManager": {"transport_encryption": "auto"}})
        folder = {"metadata": {"path": str(path.parent)}}
        client = NotebookClient(document, timeout=CELL_SECONDS, resources=folder, config=config, coalesce_streams=True)
        _show_progress(client, document, progress)
        try:
            client.execute(env=dict(environment))
        except CellExecutionError as error:
            raise LabError(f"a cell of {path.name} failed:\n{error}", remedy=f"jupyter lab {path}") from None
    return document


def _show_progress(client: Any, document: Any, progress: Progress) -> None:
    """Name in the progress bar the section of the cell that runs."""
    total = sum(cell.cell_type == "code" for cell in document.cells)
    task = progress.add_task("starting the kernel", total=total)

    def section(cell_index: int) -> str:
        lines = [cell.source for cell in document.cells[:cell_index] if cell.cell_type == "markdown"]
        return next((text.splitlines()[0].lstrip("# ") for text in reversed(lines) if text.startswith("#")), "")

    def started(cell: Any, cell_index: int) -> None:
        if cell.cell_type == "code":
            progress.update(task, description=section(cell_index))

    def executed(**_: Any) -> None:
        progress.advance(task)

    client.on_cell_start = started
    client.on_cell_executed = executed
