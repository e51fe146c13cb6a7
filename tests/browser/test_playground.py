"""The playground and the picture of the lab, in JupyterLab: by keyboard alone, light and dark."""

import asyncio

import pytest
from support.jupyter import opened, take_picture, write_notebook

from calico_lab.views.playground import LABELS

BEGIN = 'import calico_lab\nlab = calico_lab.connect()\nlab.begin("route")'
PICTURE = "from calico_lab.views.topology import TopologyView\nTopologyView.of(lab)"
TOPOLOGY = "document.querySelector('.jp-OutputArea img.calico-lab-picture')"
PANEL = "document.querySelector('.jp-OutputArea .widget-vbox, .jp-OutputArea .jupyter-widgets')"
STATUS = "document.querySelector('.jp-OutputArea [role=status]')"
PICTURES = "[...document.querySelectorAll('.jp-OutputArea img.widget-image')].filter(image => image.offsetWidth)"
FOCUSED = (
    "(focused => focused.closest('.jupyter-widgets')?.querySelector('label')?.innerText || focused.innerText)"
    "(document.activeElement)"
)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def notebook(jupyter):
    write_notebook(jupyter.folder / "playground.ipynb", BEGIN, PICTURE, "lab.playground()")
    async with opened(jupyter, "playground.ipynb") as notebook:
        await notebook.run_all()
        await notebook.scroll_to(PANEL)
        yield notebook


async def tab_to(page, label):
    for _ in range(40):
        await page.press("Tab")
        if await page.evaluate(FOCUSED) == label:
            return
    raise AssertionError(f"the Tab key does not lead to {label}")


async def test_by_keyboard_alone(notebook):
    page = notebook.page
    await tab_to(page, LABELS["replicas"])
    await page.press("a", control=True)
    await page.type("3")
    await tab_to(page, LABELS["requests"])
    await page.press("a", control=True)
    await page.type("60")
    await tab_to(page, "Run")
    await page.press("Enter", text="\r")
    await page.until(f"/of 60 requests answered/.test({STATUS}.innerText) && {PICTURES}.length == 2")
    early = await page.evaluate(f"{PICTURES}.map(image => image.src)")
    await page.until(f"/60 requests over 3 pods: 20 20 20/.test({STATUS}.innerText)")
    late = await page.evaluate(f"{PICTURES}.map(image => image.src)")
    assert all(one != other for one, other in zip(early, late, strict=True))
    await page.until(f"{PICTURES}.every(image => image.naturalWidth > 600)")
    cell = f"{PANEL}.closest('.jp-Cell')"
    await page.evaluate(f"{cell}.scrollIntoView()")
    await take_picture(page, "playground.png", cell)


async def test_the_picture_of_the_lab_follows_the_theme(notebook):
    await notebook.scroll_to(TOPOLOGY)
    colors = {}
    for theme in ("Light", "Dark"):
        await notebook.use_theme(theme)
        await asyncio.sleep(0.5)
        colors[theme] = await notebook.page.screenshot(TOPOLOGY)
        if theme == "Light":
            await take_picture(notebook.page, "topology.png", TOPOLOGY)
    await notebook.use_theme("Light")
    assert colors["Light"] != colors["Dark"]
