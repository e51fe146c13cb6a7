"""The decks as `calico-lab slides` makes them: nothing sticks out, nothing is fetched, notes, light and dark, PDF."""

import asyncio
import re

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from support import browser
from support.labs import calico_lab
from support.slides import overflows, shown

from calico_lab.decks import build
from calico_lab.decks import page as pages

NAMES = [path.stem for path in build.sources()]
SIZES = [(1280, 720), (1920, 1080)]
BACKGROUND = "getComputedStyle(document.body).backgroundColor"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """The folder that the command has filled, in a lab of its own."""
    folder = tmp_path_factory.mktemp("slides")
    done = calico_lab("slides", str(folder), "--name", "browser-slides", time_limit=280)
    calico_lab("down", "--name", "browser-slides")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def slide(text):
    return new_markdown_cell(text, metadata={"slideshow": {"slide_type": "slide"}})


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", NAMES)
async def test_nothing_sticks_out_of_a_slide(decks, name, size):
    async with shown(decks / f"{name}.html", *size) as page:
        assert await overflows(page) == []


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    "text",
    ["## Too much\n\n" + "- one more line\n" * 14, "## Too wide\n\n```\n" + "x" * 120 + "\n```", "a" * 200,
     "## Upon its sources\n\n<p style='height: 580px'>x</p>\n\n<small>Source: somebody</small>"],
    ids=["long", "wide code", "a long word", "sources"],
)  # fmt: skip
async def test_a_slide_made_too_large_is_found(tmp_path, text, size):
    target = tmp_path / "deck.html"
    target.write_text(pages.page(new_notebook(cells=[slide("# A deck"), slide(text)]), "A deck"))
    async with shown(target, *size) as page:
        found = await overflows(page)
    assert found
    assert all(each.startswith("slide [2,") for each in found)


@pytest.mark.parametrize("name", NAMES)
async def test_nothing_is_fetched(decks, name):
    """The browser's own log of requests: there is the page itself, and data inside of it."""
    async with shown(decks / f"{name}.html") as page:
        await overflows(page)
        loaded = await page.evaluate("performance.getEntries().map(entry => entry.name)")
        sources = "[...document.querySelectorAll('[src], link')].map(it => it.src || it.href)"
        refused = [each for each in await page.evaluate(sources) if not each.startswith("data:")]
    assert [each for each in loaded if re.match(r"(https?|wss?|ftp):|//", each)] == []
    assert refused == []
    styles = " ".join(re.findall(r"<style>(.*?)</style>", (decks / f"{name}.html").read_text(), re.DOTALL))
    assert re.findall(r"@import|url\(\s*['\"]?(?!data:|#)", styles) == []


async def test_the_presenter_s_notes_are_shown_on_the_slide_and_in_a_window_of_their_own(decks):
    async with shown(decks / "introduction.html") as page:
        notes = "document.querySelector('section.present section.present > aside.notes')"
        assert await page.evaluate(f"getComputedStyle({notes}).display") == "none"
        await page.press("m", text="m")
        await page.until(f"getComputedStyle({notes}).display == 'block'")
        await page.evaluate("window.open = (open => (...its) => (window.opened = open(...its)))(window.open); 0")
        await page.press("s", text="s")
        await page.until(
            "window.opened?.document.querySelector('.speaker-controls-notes .value')?.innerText.length > 40"
        )
        told = await page.evaluate("opened.document.querySelector('.speaker-controls-notes .value').innerText")
        assert told.split() == (await page.evaluate(f"{notes}.innerText")).split()


async def test_light_and_dark(decks):
    async with shown(decks / "introduction.html") as page:
        assert await page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
        await page.press("d", text="d")
        await page.until(f"{BACKGROUND} == 'rgb(21, 24, 29)'")
    async with shown(decks / "introduction.html", query="?theme=dark") as page:
        assert await page.evaluate(BACKGROUND) == "rgb(21, 24, 29)"


@pytest.mark.parametrize("name", NAMES)
async def test_the_pdf_has_a_sheet_for_each_slide(decks, name):
    async with shown(decks / f"{name}.html") as page:
        slides = await page.evaluate("Reveal.getTotalSlides()")
    content = (decks / f"{name}.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", content)) == slides
    assert {tuple(box.split()) for box in re.findall(rb"/MediaBox \[([^]]*)\]", content)} == {
        (b"0", b"0", b"960", b"540")
    }


async def test_a_deck_is_presented_in_jupyterlab(jupyter):
    """jupyterlab-rise takes the same notebook, by the same metadata."""
    (source,) = (path for path in build.sources() if path.stem == "introduction")
    await asyncio.to_thread((jupyter.folder / source.name).write_text, source.read_text())
    kinds = [cell.metadata.slideshow.slide_type for cell in nbformat.read(source, as_version=4).cells]
    async with browser.page(1280, 720) as page:
        await page.open(re.sub(r"/lab/tree/[^?]*", f"/rise/{source.name}", jupyter.url))
        await page.until("document.querySelectorAll('.reveal .slides > section').length > 1", 60)
        found = await page.evaluate("document.querySelectorAll('.reveal .slides > section').length")
    assert found == kinds.count("slide")
