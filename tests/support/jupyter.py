"""JupyterLab as a learner has it: started by `calico-lab notebooks`, seen in a browser, used by mouse and keyboard."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import nbformat

from support import browser
from support.labs import CALICO_LAB, calico_lab
from support.ports import free_port

START_SECONDS = 120.0
RUN_SECONDS = 200.0
SAVE_SECONDS, SAVE_ATTEMPTS = 10.0, 5
MENU_ITEMS = "[...document.querySelectorAll('.lm-MenuBar-itemLabel, .lm-Menu-itemLabel')]"
PANEL = "document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)')"
STATUS = f"{PANEL}.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status"
KERNEL = f"{PANEL}?.querySelector('.jp-KernelName')?.innerText"


@dataclass(frozen=True)
class Jupyter:
    """A JupyterLab that runs: its address with the token, the learner's folder, and its process."""

    url: str
    folder: Path
    pid: int


@contextmanager
def jupyterlab(name: str, home: Path, *, keep: bool = False) -> Iterator[Jupyter]:
    """Start the lab ``name`` and JupyterLab with one command, for a user whose home is empty; end both.

    With ``keep`` the lab goes on.
    """
    folder = home / "course"
    programs = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    states = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    command = [CALICO_LAB, "notebooks", "--name", name, str(folder), "--", "--no-browser", f"--port={free_port()}"]
    try:
        with started(command, home, folder, XDG_CACHE_HOME=programs, XDG_STATE_HOME=states) as jupyter:
            yield jupyter
    finally:
        if not keep:
            calico_lab("down", "--name", name)


@contextmanager
def started(command: Sequence[str], home: Path, folder: Path, **environment: str) -> Iterator[Jupyter]:
    """Run a command that starts JupyterLab on a folder, for a user with this home; end JupyterLab, not its lab."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"} | environment
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=home, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield Jupyter(_address(process, output), folder, process.pid)
        finally:
            # A command such as make does not pass it on.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def _address(process: subprocess.Popen[bytes], output: Any) -> str:
    """Return the address that JupyterLab prints for its user to open."""
    import time

    deadline = time.monotonic() + START_SECONDS
    while True:
        output.seek(0)
        said = output.read()
        if found := re.search(r"http://127\.0\.0\.1:\S+", said):
            return found[0]
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


@asynccontextmanager
async def opened(jupyter: Jupyter, notebook: str) -> AsyncIterator[Notebook]:
    """Open a notebook of the learner's in a browser of its own."""
    async with browser.page(width=1280, height=1000) as page:
        # In a workspace of its own: else JupyterLab opens again what was open when it was last left.
        workspace = re.sub(r"\W+", "-", notebook)
        address = f"/lab/workspaces/{workspace}/tree/{notebook}"
        await page.open(re.sub(r"/lab/tree/[^?]*", address, jupyter.url))
        await page.until(f"{KERNEL} == 'Python 3 (ipykernel)' && {STATUS} == 'idle'", START_SECONDS)
        try:
            yield Notebook(page, jupyter.folder / notebook)
        finally:
            await _end_kernels(jupyter)


async def _end_kernels(jupyter: Jupyter) -> None:
    """End the kernels, which go on when their page is closed."""
    address, token = jupyter.url.split("/lab/")[0], jupyter.url.rpartition("token=")[2]
    async with aiohttp.ClientSession(address, headers={"Authorization": f"token {token}"}) as session:
        async with session.get("/api/kernels") as answer:
            kernels = await answer.json()
        for kernel in kernels:
            await session.delete(f"/api/kernels/{kernel['id']}")


class Notebook:
    """One notebook that is open in JupyterLab."""

    def __init__(self, page: browser.Page, path: Path) -> None:
        self.page = page
        self._path = path

    async def menu(self, *items: str) -> None:
        """Choose from the menu bar, by mouse."""
        for item in items:
            element = f"{MENU_ITEMS}.find(label => label.innerText == {item!r})"
            await self.page.until(element)
            await self.page.click(element)

    async def run_all(self) -> list[dict[str, Any]]:
        """Run all cells to the end, save, and return the code cells as they are stored then."""
        await self.menu("Run", "Run All Cells")
        await self.page.until(f"{STATUS} == 'busy'", 10)
        while True:
            await self.page.until(f"{STATUS} == 'idle'", RUN_SECONDS)
            cells = await self.save()
            # Between two cells a kernel is idle for a moment, too.
            if all(cell.execution_count for cell in cells) or any(_errors(cell) for cell in cells):
                return cells

    async def save(self) -> list[dict[str, Any]]:
        """Save, and return the code cells as they are stored then."""
        unsaved = "document.querySelector('#jp-main-dock-panel .lm-TabBar-tab.jp-mod-dirty')"
        with suppress(TimeoutError):  # JupyterLab may have saved it by itself
            await self.page.until(unsaved, SAVE_SECONDS)
        for _ in range(SAVE_ATTEMPTS):
            await self.menu("File", "Save Notebook")
            with suppress(TimeoutError):  # what comes late, such as a widget's state, makes it unsaved again
                await self.page.until(f"!{unsaved}", SAVE_SECONDS)
                break
        else:
            raise AssertionError(f"{self._path.name} stays unsaved")
        return [cell for cell in nbformat.read(self._path, as_version=4).cells if cell.cell_type == "code"]

    async def scroll_to(self, element: str) -> None:
        """Scroll until an element is there and in the middle: JupyterLab draws only the cells that are in sight."""
        for part in range(0, 101, 2):
            if await self.page.evaluate(f"!!({element})"):
                break
            scroll = f"(outer => outer.scrollTo(0, outer.scrollHeight * {part / 100}))"
            await self.page.evaluate(f"{scroll}({PANEL}.querySelector('.jp-WindowedPanel-outer'))")
            await asyncio.sleep(0.15)
        await self.page.until(element)
        await self.page.evaluate(f"({element}).scrollIntoView({{block: 'center'}})")

    async def use_theme(self, name: str) -> None:
        """Choose ``Light`` or ``Dark`` in the settings."""
        await self.menu("Settings", "Theme", f"JupyterLab {name}")
        await self.page.until(f"document.body.dataset.jpThemeLight == '{str(name == 'Light').lower()}'")


def _errors(cell: Any) -> list[Any]:
    return [output for output in cell.outputs if output.output_type == "error"]


async def take_picture(page: browser.Page, name: str, element: str = "") -> None:
    """Keep a picture for the README, where somebody has asked for them."""
    if folder := os.environ.get("CALICO_LAB_PICTURES"):
        picture = await page.screenshot(element)
        await asyncio.to_thread(Path(folder, name).write_bytes, picture)


def write_notebook(path: Path, *sources: str) -> None:
    """Write a notebook of these code cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
