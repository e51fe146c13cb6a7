"""A deck's page printed as PDF by a browser, one sheet a slide, as reveal.js lays it out for printing.

The browser is steered, because only the page knows when it is laid out: Chromium's own ``--print-to-pdf`` prints too
early.
"""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

from calico_lab.decks import chromium

# What a page would fetch from elsewhere is missing in the PDF too, and so is seen to be missing.
_NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND"
# reveal.js tells of it only once, perhaps before anybody asks; a printed slide stands in a sheet of its own.
_LAID_OUT = """new Promise(done => {
  const look = () => document.querySelector(".pdf-page") && document.readyState == "complete"
    ? Promise.all([...document.images].map(image => image.decode())).then(() => done(true)) : setTimeout(look, 50);
  look();
})"""


def print_page(page: Path, target: Path) -> None:
    """Print a deck's page. Raises ``MissingProgramError`` without a browser, ``LabError`` when it prints nothing."""
    target.write_bytes(asyncio.run(_printed(f"{page.resolve().as_uri()}?print-pdf")))


async def _printed(address: str) -> bytes:
    async with chromium.connection(_NO_NETWORK) as socket:
        page = chromium.Page(socket)
        await page.call("Page.navigate", url=address)
        await page.evaluate(_LAID_OUT)
        sheets = await page.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        return base64.b64decode(sheets["data"])
