"""The course's notebooks: where they are, a copy that is the learner's own, and JupyterLab on it.

Like the command line, this knows both layers: it starts a lab, and opens the course in it.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from calico_lab.errors import LabError

if TYPE_CHECKING:
    from calico_lab.lessons.catching_up import CodeCell

FOLDER, STAGE = "calico-lab-notebooks", "calico-lab-stage"
_PACKAGE = Path(__file__).parent


def source() -> Path:
    """Return the folder of the notebooks: in the installed package, or in the checkout that it is run from."""
    for folder in (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks"):
        if any(folder.glob("*.ipynb")):
            return folder
    raise LabError("the notebooks are not where calico_lab is installed", remedy="pip install --force-reinstall .")


def code_cells(name: str) -> list[CodeCell]:
    """Return the cells of code of a notebook of the course; raises ``LabError`` when there is none of that name."""
    from calico_lab.lessons.catching_up import CodeCell

    path = source() / f"{name}.ipynb"
    if not path.is_file():
        names = sorted(notebook.stem for notebook in source().glob("*.ipynb"))
        raise LabError(f"the course has no notebook {name!r}", remedy=f"name one of {', '.join(names)}")
    cells = json.loads(path.read_text())["cells"]
    return [CodeCell(cell["id"], "".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]


def copy(folder: Path, *, live: bool = False) -> tuple[list[Path], list[Path]]:
    """Copy the notebooks into a folder, but for those that it has: they are the learner's. Returns both, copied first.

    ``live`` makes copies for the stage (:mod:`calico_lab.live_coding`). Raises ``LabError`` when the folder cannot be
    written to.
    """
    copied: list[Path] = []
    kept: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in sorted(source().glob("*.ipynb")):
            target = folder / notebook.name
            (kept if target.exists() else copied).append(target)
            if not target.exists():
                target.write_text(_for_the_stage(notebook) if live else notebook.read_text())
    except OSError as error:
        remedy = f"name a folder of your own: calico-lab notebooks ~/{FOLDER}"
        raise LabError(f"the notebooks cannot be put there: {error}", remedy=remedy) from None
    return copied, kept


def _for_the_stage(notebook: Path) -> str:
    from calico_lab import live_coding

    derived = live_coding.derive(notebook.stem, json.loads(notebook.read_text()))
    return json.dumps(derived, indent=1, ensure_ascii=False) + "\n"


def open_in_jupyter(folder: Path, options: Sequence[str], kubeconfig: str | None) -> NoReturn:
    """Become JupyterLab, at the first of the notebooks; ``kubeconfig`` is the lab's, or none for the environment's.

    ``options`` are JupyterLab's, and come before what the learner's own Jupyter configuration says; so does the folder.
    """
    first = min(folder.glob("*.ipynb")).name
    command = [
        sys.executable, "-m", "jupyterlab", "--log-level=WARN", "--LabApp.log_level=WARN",
        f"--ServerApp.root_dir={folder.resolve()}", f"--LabApp.default_url=/lab/tree/{first}",
        *(["--allow-root"] if os.geteuid() == 0 else []), *options,
    ]  # fmt: skip
    os.execve(sys.executable, command, environment(kubeconfig))  # noqa: S606 - no shell is wanted


def environment(kubeconfig: str | None) -> dict[str, str]:
    """Return the environment of JupyterLab and so of kernels and terminals: the lab, its commands, no questions."""
    found = dict(os.environ)
    ours = {"PATH": str(Path(sys.executable).parent), "JUPYTER_CONFIG_PATH": str(_PACKAGE / "jupyter")}
    for name, path in ours.items():
        found[name] = os.pathsep.join(filter(None, (path, found.get(name))))
    if kubeconfig is not None:
        for name in ("CALICO_LAB_KUBECONFIG", "CALICO_LAB_CONTEXT", "CALICO_LAB_BASTION", "CALICO_LAB_SSH_CONFIG"):
            found.pop(name, None)
        found["KUBECONFIG"] = kubeconfig
    return found


def tell(folder: Path, say: Callable[[str], None], *, live: bool = False) -> None:
    """Copy the notebooks, ``live`` those for the stage, and say what has come of it."""
    copied, kept = copy(folder, live=live)
    if copied:
        say(f"{len(copied)} notebooks copied to {folder}")
    if kept:
        say(f"{len(kept)} were there already and are kept; to have one anew, delete it: {shlex.quote(str(folder))}")
