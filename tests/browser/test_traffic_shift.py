"""The slider of the lesson on canaries, in JupyterLab: moved by keyboard while its load runs."""

import pytest
from support.jupyter import opened, take_picture, write_notebook

from calico_lab import course_notebooks

LESSON = "10-canary-and-blue-green"
PANEL = "document.querySelector('.jp-OutputArea .widget-vbox')"
HANDLE = f"{PANEL}?.querySelector('.noUi-handle')"
BUTTON = f"{PANEL}.querySelector('button')"
STATUS = f"{PANEL}.querySelector('[role=status]')"
PICTURE = f"{PANEL}.querySelector('img.widget-image')"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def notebook(jupyter):
    sources = [cell.source for cell in course_notebooks.code_cells(LESSON)]
    upto_slider = next(number for number, source in enumerate(sources) if source.startswith("TrafficShift("))
    write_notebook(jupyter.folder / "slider.ipynb", *sources[: upto_slider + 1])
    async with opened(jupyter, "slider.ipynb") as notebook:
        await notebook.run_all()
        await notebook.scroll_to(HANDLE)
        yield notebook


async def test_by_keyboard_under_load(notebook):
    page = notebook.page
    await page.evaluate(f"{BUTTON}.focus()")
    await page.press("Enter", text="\r")
    await page.until(f"/v2 10:.*The load ends in/s.test({STATUS}.innerText)")
    await page.evaluate(f"{HANDLE}.focus()")
    for _ in range(4):
        await page.press("ArrowRight")
    await page.until(f"/v2 30:.*The load ends in/s.test({STATUS}.innerText)")
    await page.until(f"{PICTURE}.naturalWidth > 600")
    await take_picture(page, "slider.png", PANEL)
    await page.until(f"{STATUS}.innerText.includes('The load has ended')", 60)
