"""The playground and the picture of the lab, in JupyterLab: by keyboard alone, light and dark."""

import asyncio
import io

import numpy
import pytest
from PIL import Image
from support.jupyter import opened, take_picture, write_notebook

from calico_lab.views.playground import LABELS

BEGIN = 'import calico_lab\nlab = calico_lab.connect()\nlab.begin("route")'
PICTURE = "from calico_lab.views.topology import TopologyView\nTopologyView.of(lab)"
TOPOLOGY = "document.querySelector('.jp-OutputArea img.calico-lab-picture')"
CONNECT = "import calico_lab\nlab = calico_lab.connect()"
PLOT = (
    "from calico_lab.lessons.evenness import judge\nfrom calico_lab.views.requests_plot import RequestsPlot\n"
    "RequestsPlot(judge([25] * 4, 1))"
)
PNG = "document.querySelector('.jp-OutputArea img[src^=\"data:image/png\"]')"
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


def brightness(picture):
    """How bright most of a picture is, from 0 to 1: that of its paper."""
    return numpy.median(numpy.asarray(Image.open(io.BytesIO(picture)).convert("L"))) / 255


async def test_pictures_follow_the_theme(jupyter):
    """SVG follows the page at once; a plot is drawn for the theme that its cell is run in, and its text is the same."""
    write_notebook(jupyter.folder / "theme.ipynb", CONNECT, PICTURE, PLOT)
    seen, said = {}, {}
    async with opened(jupyter, "theme.ipynb") as notebook:
        for theme in ("Light", "Dark"):
            await notebook.use_theme(theme)
            await asyncio.sleep(1)  # a menu that is open when the style sheet comes is closed by it
            said[theme] = [output.data["text/plain"] for output in (await notebook.run_all())[-1].outputs]
            for name, element in (("topology", TOPOLOGY), ("plot", PNG)):
                await notebook.scroll_to(element)
                await notebook.page.until(f"{element}.complete && {element}.naturalWidth > 300")
                await asyncio.sleep(0.5)
                picture = await notebook.page.screenshot(element)
                seen[name, theme] = brightness(picture)
                if (name, theme) == ("topology", "Light"):
                    await take_picture(notebook.page, "topology.png", element)
        await notebook.use_theme("Light")
    assert all(seen[name, "Light"] > 0.9 for name in ("topology", "plot")), seen
    assert all(seen[name, "Dark"] < 0.2 for name in ("topology", "plot")), seen
    assert said["Light"] == said["Dark"]
