"""Execute notebooks in place, in a fresh local lab, and store what they show, free of what differs from run to run.

    .venv/bin/python scripts/execute_notebooks.py notebooks/*.ipynb          in a lab made for it
    .venv/bin/python scripts/execute_notebooks.py --lab NAME notebooks/...   in that lab, which is kept
    .venv/bin/python scripts/execute_notebooks.py --check notebooks/*.ipynb  only say what is not as it would be stored

Each notebook runs in a kernel of its own. Taken out: execution times, versions of kernel and language, the state and
numbers of widgets. A notebook of which a cell fails is left as it was.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CALICO_LAB = str(Path(sys.executable).with_name("calico-lab"))
CELL_SECONDS = 120
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = {"tags", "jupyter", "slideshow", "editable", "deletable"}
# A number that differs in every run; beside it stands the text that is shown where there are no widgets.
WIDGET = "application/vnd.jupyter.widget-view+json"


def main() -> int:
    """Execute or check what the command line names; returns 0 when all of it is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--lab", metavar="NAME", help="a lab to execute them in; it is left running")
    parser.add_argument("--check", action="store_true", help="execute nothing")
    arguments = parser.parse_args()
    if arguments.check:
        found = [problem for path in arguments.notebooks for problem in problems(path)]
        sys.stdout.writelines(f"{problem}\n" for problem in found)
        return 1 if found else 0
    with _lab(arguments.lab) as kubeconfig:
        os.environ["KUBECONFIG"] = kubeconfig
        done = [_execute(path) for path in arguments.notebooks]
        return 0 if all(done) else 1


def problems(path: Path) -> list[str]:
    """Return in what a stored notebook is not as this script would store it."""
    text = path.read_text()
    document = json.loads(text)
    found = [f"{path}: metadata: {key}" for key in sorted(document["metadata"].keys() - METADATA.keys())]
    for number, cell in enumerate(document["cells"], start=1):
        where = f"{path}: cell {number} ({cell.get('id', 'no id')})"
        found += [f"{where}: metadata {key}" for key in sorted(cell["metadata"].keys() - CELL_METADATA)]
        if cell["cell_type"] == "code" and cell.get("execution_count") is None:
            found.append(f"{where}: not executed")
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                found.append(f"{where}: failed with {output['ename']}")
            if WIDGET in output.get("data", {}):
                found.append(f"{where}: the number of a widget")
    if not found and text != _text(_normal(_read(path))):
        found.append(f"{path}: not in the form that this script writes")
    return found


def _execute(path: Path) -> bool:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from traitlets.config import Config

    document = _read(path)
    config = Config({"KernelManager": {"transport_encryption": "auto"}})
    client = NotebookClient(
        document,
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
        config=config,
    )
    begun = time.monotonic()
    try:
        client.execute()
    except CellExecutionError as error:
        sys.stderr.write(f"{path}: a cell failed\n{error}\n")
        return False
    path.write_text(_text(_normal(document)))
    sys.stdout.write(f"{path}: {time.monotonic() - begun:.1f} s\n")
    return True


def _normal(document: Any) -> Any:
    """Take out of a notebook what differs from run to run and machine to machine."""
    document.metadata = METADATA
    for cell in document.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in CELL_METADATA}
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
    return document


def _read(path: Path) -> Any:
    import nbformat

    return nbformat.read(path, as_version=4)


def _text(document: Any) -> str:
    import nbformat

    return nbformat.writes(document) + "\n"


@contextmanager
def _lab(name: str | None) -> Iterator[str]:
    """Yield the kubeconfig of a running lab; one without a name of its own is taken down at the end."""
    chosen = name or f"notebooks-{os.getpid()}"
    try:
        up = subprocess.run([CALICO_LAB, "up", "--name", chosen, "--json"], check=True, capture_output=True, text=True)
        yield json.loads(up.stdout)["kubeconfig"]
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"the lab {chosen!r} did not start:\n{error.stdout}{error.stderr}") from None
    finally:
        if not name:
            subprocess.run([CALICO_LAB, "down", "--name", chosen], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
