"""What a learner sees in a browser, and what she does in it with mouse and keyboard."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from calico_lab.decks import chromium


class Page(chromium.Page):
    """One page of a browser, seen and used as by a person."""

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self.call("Page.enable")
        await self.call("Page.navigate", url=url)

    async def until(self, expression: str, time_limit: float = 30.0) -> None:
        """Wait until an expression, such as one for an element, is true.

        Raises ``TimeoutError`` with the expression and the page's text.
        """
        deadline = time.monotonic() + time_limit
        while not await self.evaluate(f"!!({expression})"):
            if time.monotonic() > deadline:
                text = await self.evaluate("document.body.innerText")
                raise TimeoutError(f"not within {time_limit:g} s: {expression}, on a page that says:\n{text}")
            await asyncio.sleep(0.1)

    async def press(self, key: str, *, text: str = "", shift: bool = False, control: bool = False) -> None:
        """Press and let go of a key, such as ``Tab`` or, with the text that it types, ``Enter`` and ``\\r``."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        code = codes.get(key, ord(key[0].upper()))
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 2 * control | 8 * shift}
        common["code"] = key if key in codes else f"Key{key.upper()}"
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    async def type(self, text: str) -> None:
        """Type a text into what has the focus."""
        await self.call("Input.insertText", text=text)

    async def click(self, element: str) -> None:
        """Click with the mouse into the middle of an element, given as an expression."""
        box = await self.box(element)
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        await self.call("Input.dispatchMouseEvent", type="mouseMoved", **at)
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    async def box(self, element: str) -> dict[str, float]:
        """Return where an element is: x, y, width, height."""
        return dict(await self.evaluate(f"({element}).getBoundingClientRect().toJSON()"))

    async def screenshot(self, element: str = "") -> bytes:
        """Return what is seen, or an element of it, as PNG."""
        sides = ("x", "y", "width", "height")
        clip = {"clip": {side: (await self.box(element))[side] for side in sides} | {"scale": 1}} if element else {}
        shot = await self.call("Page.captureScreenshot", format="png", **clip)
        return base64.b64decode(shot["data"])


@asynccontextmanager
async def page(width: int = 1280, height: int = 900) -> AsyncIterator[Page]:
    """Start a browser, and yield its one page."""
    async with chromium.connection(f"--window-size={width},{height}") as socket:
        shown = Page(socket)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await shown.call("Emulation.setDeviceMetricsOverride", **size)
        yield shown
