"""A Chromium without a window, steered through its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

from __future__ import annotations

import asyncio
import base64
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)  # fmt: skip
START_SECONDS = 20.0
CALL_SECONDS = 30.0


class Page:
    """One page of a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result; raises ``RuntimeError`` with the browser's words."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = await asyncio.wait_for(self._socket.receive_json(), CALL_SECONDS)
            if message.get("id") == self._number:
                break
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']['message']}")
        return dict(message["result"])

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self.call("Page.enable")
        await self.call("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; a promise is awaited."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

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
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40}
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


def program() -> str | None:
    """Return the browser's path, or nothing when there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@asynccontextmanager
async def page(width: int = 1280, height: int = 900) -> AsyncIterator[Page]:
    """Start a browser with a profile of its own, and yield its one page; nothing of it is left afterwards."""
    chromium = program()
    if chromium is None:
        raise RuntimeError("there is no Chromium: sudo apt install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = [*OPTIONS, f"--user-data-dir={profile}", f"--window-size={width},{height}", "about:blank"]
        process = await asyncio.create_subprocess_exec(
            chromium, *options, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            address = await asyncio.wait_for(_address(process), START_SECONDS)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://{address}/json") as answer:
                    targets = await answer.json()
                url = next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page")
                async with session.ws_connect(url, max_msg_size=0) as socket:
                    shown = Page(socket)
                    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
                    await shown.call("Emulation.setDeviceMetricsOverride", **size)
                    yield shown
        finally:
            process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.communicate(), 5)
            with suppress(ProcessLookupError):
                process.kill()


async def _address(process: asyncio.subprocess.Process) -> str:
    """Return where the browser says that it listens."""
    assert process.stderr
    async for line in process.stderr:
        if found := re.match(r"DevTools listening on ws://([^/]+)/", line.decode()):
            return found[1]
    raise RuntimeError("the browser ended before it listened")
