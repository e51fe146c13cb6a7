"""The streams of a command over one WebSocket: the subprotocols v5 and v4.channel.k8s.io.

Each message starts with the number of its channel; how the command ended is told as a Status on the error channel
(https://kubernetes.io/docs/reference/using-api/websockets/).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping

from calico_lab.errors import BadRequest
from calico_lab.local.kubelet.program_ends import STDERR, STDOUT
from calico_lab.local.wire import JsonObject, WebSocket

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _ERROR, _RESIZE, _CLOSE = 0, 3, 4, 255
_OUTPUTS = {STDOUT: 1, STDERR: 2}
SUCCESS: JsonObject = {"metadata": {}, "status": "Success"}


def protocol_of(headers: Mapping[str, str], known: tuple[str, ...] = PROTOCOLS) -> str:
    """Return the subprotocol to speak. Raises ``BadRequest`` where the client offers none that is known."""
    offered = [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",")]
    for name in known:
        if name in offered:
            return name
    raise BadRequest(f"unable to negotiate protocol: client supports {offered}, server accepts {list(known)}")


class Channels:
    """The server's end; ``resize`` hears the client's columns and rows."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.resize: Callable[[int, int], None] = lambda _columns, _rows: None

    async def send(self, stream: str, data: bytes) -> None:
        """Send what was written to ``stdout`` or ``stderr``. Raises ``ConnectionError`` when the client is gone."""
        await self._socket.send(bytes([_OUTPUTS[stream]]) + data)

    async def finish(self, status: JsonObject) -> None:
        """Tell how it ended."""
        await self._socket.send(bytes([_ERROR]) + json.dumps({"kind": "Status", "apiVersion": "v1"} | status).encode())

    async def input(self) -> AsyncIterator[bytes]:
        """Yield what the client types, an empty string at its end of file; comes to an end when the client is gone."""
        while (message := await self._socket.receive()) is not None:
            channel, data = message[:1], message[1:]
            if channel == bytes([_STDIN]) and data:
                yield data
            elif channel == bytes([_RESIZE]):
                self._resize(data)
            elif channel == bytes([_CLOSE]) and data[:1] == bytes([_STDIN]):
                yield b""

    def _resize(self, data: bytes) -> None:
        try:
            size = json.loads(data)
            columns, rows = int(size["Width"]), int(size["Height"])
        except (ValueError, KeyError, TypeError):
            return
        if 0 < columns < 65536 and 0 < rows < 65536:
            self.resize(columns, rows)


def ended_with(exit_code: int) -> JsonObject:
    """Return the Status of a command that has ended."""
    if exit_code == 0:
        return SUCCESS
    message = f"command terminated with non-zero exit code: command terminated with exit code {exit_code}"
    details = {"causes": [{"reason": "ExitCode", "message": str(exit_code)}]}
    return {
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "NonZeroExitCode",
        "details": details,
    }


def not_started(arguments: list[str], error: OSError) -> JsonObject:
    """Return the Status of a command that cannot be started."""
    why = (
        "executable file not found in $PATH" if isinstance(error, FileNotFoundError) else (error.strerror or "").lower()
    )
    message = (
        "Internal error occurred: error executing command in container: failed to exec in container: "
        f'unable to start container process: exec: "{arguments[0]}": {why}'
    )
    return {"metadata": {}, "status": "Failure", "message": message, "reason": "InternalError", "code": 500}
