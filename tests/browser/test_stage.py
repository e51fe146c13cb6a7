"""A copy for the stage in JupyterLab: `%solution` fills the very cell that it is typed into."""

import pytest
from support.jupyter import PANEL, START_SECONDS, opened

from calico_lab import course_notebooks

EDITORS = f"[...{PANEL}.querySelectorAll('.jp-CodeCell .cm-content')]"

pytestmark = pytest.mark.timeout(240)


async def run(page, editor, text=""):
    """Click into a cell, put a text in the place of what stands there, and run it."""
    element = f"{EDITORS}[{editor}]"
    await page.until(element)
    await page.evaluate(f"{element}.scrollIntoView({{block: 'center'}})")
    await page.click(element)
    # Cells above that are drawn late move it away from the mouse.
    while not await page.evaluate(f"{element} === document.activeElement"):
        await page.click(element)
    if text:
        await page.press("a", control=True)
        await page.type(text)
    await page.press("Enter", text="\r", shift=True)


async def test_a_cell_is_filled_with_its_own_source(jupyter):
    """Not with the next one's of the lesson: the cell that comes first is left as it is."""
    course_notebooks.copy(jupyter.folder / "stage", live=True)
    async with opened(jupyter, "stage/02-round-robin.ipynb") as notebook:
        page = notebook.page
        await run(page, 0)
        await page.until(f"{PANEL}.innerText.includes('[connect] prepare apply-backend')", START_SECONDS)
        await run(page, 2, "%solution")
        await page.until(f"{EDITORS}[2].innerText == 'lab.begin(\"prerequisites\")'")
        assert "# lab = calico_lab.connect()" in await page.evaluate(f"{EDITORS}[1].innerText")
        await run(page, 2, "%run_to")
        await page.until(f"{PANEL}.innerText.includes('Next is prepare: cells run before it: 1')")
