"""A deck's page printed as PDF by a browser, one sheet a slide, as reveal.js lays it out for printing.

The browser is steered through its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/), because only
the page knows when it is laid out: Chromium's own ``--print-to-pdf`` prints too early.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calico_lab.errors import LabError, MissingProgramError

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-port=0",
)  # fmt: skip
START_SECONDS, PRINT_SECONDS = 30.0, 120.0
# reveal.js tells of it only once, perhaps before anybody asks; a printed slide stands in a sheet of its own.
LAID_OUT = """new Promise(done => {
  const look = () => document.querySelector(".pdf-page") && document.readyState == "complete"
    ? Promise.all([...document.images].map(image => image.decode())).then(() => done(true)) : setTimeout(look, 50);
  look();
})"""


def browser() -> str:
    """Return the path of a Chromium or Chrome; raises ``MissingProgramError`` when there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise MissingProgramError(
            "there is no Chromium to make the PDF with",
            remedy="sudo apt install chromium   (or: calico-lab slides --no-pdf)",
        )
    return found


def print_page(page: Path, target: Path) -> None:
    """Print a deck's page. Raises ``MissingProgramError`` without a browser, ``LabError`` when it prints nothing."""
    program = browser()
    try:
        content = asyncio.run(
            asyncio.wait_for(_printed(program, f"{page.resolve().as_uri()}?print-pdf"), PRINT_SECONDS)
        )
    except TimeoutError:
        raise LabError(
            f"the browser did not print {page} in {PRINT_SECONDS:g} s", remedy="calico-lab slides --no-pdf"
        ) from None
    target.write_bytes(content)


async def _printed(program: str, address: str) -> bytes:
    async with _page_of(program) as socket:
        await _call(socket, "Page.navigate", url=address)
        await _call(socket, "Runtime.evaluate", expression=LAID_OUT, awaitPromise=True)
        sheets = await _call(socket, "Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        return base64.b64decode(sheets["data"])


@asynccontextmanager
async def _page_of(program: str) -> AsyncIterator[ClientWebSocketResponse]:
    """Start a browser with a profile of its own, and yield the connection to its one page."""
    import aiohttp

    # Chromium's own sandbox needs another user than root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            program, *OPTIONS, *sandbox, f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            address = await asyncio.wait_for(_address(process), START_SECONDS)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://{address}/json") as answer:
                    targets = await answer.json()
                url = next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page")
                async with session.ws_connect(url, max_msg_size=0) as socket:
                    yield socket
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.communicate(), 5)
            except TimeoutError:
                process.kill()


async def _address(process: asyncio.subprocess.Process) -> str:
    """Return where the browser says that it listens; raises ``LabError`` with its last words when it ends instead."""
    last = ""
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    async for line in process.stderr:
        if found := re.match(r"DevTools listening on ws://([^/]+)/", line.decode()):
            return found[1]
        last = line.decode().strip()
    raise LabError(f"the browser did not start: {last}", remedy="calico-lab slides --no-pdf")


async def _call(socket: ClientWebSocketResponse, method: str, **parameters: Any) -> dict[str, Any]:
    """Call a method of the protocol and return its result; raises ``LabError`` with the browser's words."""
    await socket.send_json({"id": 1, "method": method, "params": parameters})
    while (message := await socket.receive_json()).get("id") != 1:
        pass
    if "error" in message or "exceptionDetails" in message["result"]:
        told = message.get("error") or message["result"]["exceptionDetails"]
        raise LabError(f"the browser: {method}: {told}", remedy="calico-lab slides --no-pdf")
    return dict(message["result"])
