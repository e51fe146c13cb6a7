"""A deck's page in a browser: slide by slide, fragment by fragment, and what of a slide lies outside of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from support import browser

# What can be seen of the slide that is shown: an element that sticks out of the screen or of the block that it stands
# in, or one that reaches into the line of sources below.
OUTSIDE = """(() => {
  const slide = Reveal.getCurrentSlide(), foot = slide.querySelector("small")?.getBoundingClientRect().top;
  const seen = [...slide.querySelectorAll("*")].filter(it => !it.closest("aside") && it.checkVisibility());
  const says = it => `${it.tagName} ${it.className} ${it.textContent.trim().slice(0, 40)}`;
  return seen.filter(it => {
    const box = it.getBoundingClientRect(), block = getComputedStyle(it).display != "inline";
    const beyond = box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
    const cut = block && it.clientWidth && (it.scrollWidth > it.clientWidth + 1);
    const low = foot !== undefined && !it.closest("small") && !it.querySelector("small") && box.bottom > foot + 1;
    return beyond || cut || low;
  }).map(says);
})()"""


@asynccontextmanager
async def shown(page: Path, width: int = 1280, height: int = 720, query: str = "") -> AsyncIterator[browser.Page]:
    """Open a deck's page and wait until it can be used."""
    async with browser.page(width, height) as opened:
        await opened.call("Network.enable")
        await opened.open(page.as_uri() + query)
        await opened.until("window.Reveal && Reveal.isReady()")
        await opened.evaluate("Promise.all([...document.images].map(image => image.decode()))")
        yield opened


async def overflows(page: browser.Page) -> list[str]:
    """Go through every slide with every state of its fragments; return what sticks out, and where."""
    found: list[str] = []
    await page.evaluate("Reveal.slide(0, 0, -1)")
    while True:
        place = await page.evaluate("JSON.stringify([Reveal.getSlidePastCount() + 1, Reveal.getIndices().f ?? -1])")
        found += [f"slide {place}: {outside}" for outside in await page.evaluate(OUTSIDE)]
        before = await page.evaluate("JSON.stringify(Reveal.getState())")
        await page.evaluate("Reveal.next()")
        if await page.evaluate("JSON.stringify(Reveal.getState())") == before:
            return found
