"""A Chromium without a window, steered through its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from calico_lab.errors import LabError, MissingProgramError

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
REMEDY = "calico-lab slides --no-pdf"
_OPTIONS = (
    "--headless=new", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
)  # fmt: skip
START_SECONDS, CALL_SECONDS, END_SECONDS = 30.0, 120.0, 5.0


class Page:
    """The one page of a browser that has been started for it."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result.

        Raises ``LabError`` with the browser's words, and when it has not answered within ``CALL_SECONDS``.
        """
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        try:
            answer = await asyncio.wait_for(self._answer(), CALL_SECONDS)
        except TimeoutError:
            problem = f"the browser did not answer {method} within {CALL_SECONDS:g} s"
            raise LabError(problem, remedy=REMEDY) from None
        told = answer.get("error") or answer["result"].get("exceptionDetails")
        if told:
            raise LabError(f"the browser: {method}: {told}", remedy=REMEDY)
        return dict(answer["result"])

    async def _answer(self) -> dict[str, Any]:
        """Return the answer to the last call; what the browser tells by itself is passed over."""
        while (message := await self._socket.receive_json()).get("id") != self._number:
            pass
        return dict(message)

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited; raises ``LabError`` with what it throws."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return result["result"].get("value")


def program() -> str:
    """Return the path of a Chromium or Chrome; raises ``MissingProgramError`` when there is none."""
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        raise MissingProgramError("there is no Chromium", remedy=f"sudo apt install chromium   (or: {REMEDY})")
    return found


@asynccontextmanager
async def connection(*options: str) -> AsyncIterator[ClientWebSocketResponse]:
    """Start a browser with a profile of its own, and yield the connection to its one page, which is empty.

    Nothing of it is left afterwards. Raises ``MissingProgramError``, and ``LabError`` when it does not start.
    """
    import aiohttp

    # Chromium's own sandbox needs another user than root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            program(), *_OPTIONS, *sandbox, *options, f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            address = await _address(process)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://{address}/json") as answer:
                    targets = await answer.json()
                url = next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page")
                async with session.ws_connect(url, max_msg_size=0) as socket:
                    yield socket
        finally:
            await _end(process)


async def _address(process: asyncio.subprocess.Process) -> str:
    """Return where the browser says that it listens; raises ``LabError`` with its last words when it does not."""
    last = ""
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    with suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            async for line in process.stderr:
                if found := re.match(r"DevTools listening on ws://([^/]+)/", line.decode()):
                    return found[1]
                last = line.decode().strip()
    raise LabError(f"the browser did not start: {last}", remedy=REMEDY)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.communicate(), END_SECONDS)
    except TimeoutError:
        process.kill()
