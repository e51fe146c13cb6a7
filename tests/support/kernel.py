"""A kernel, spoken to as JupyterLab does: a cell is run with its id, and what it shows and puts back is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from jupyter_client.manager import start_new_kernel
from nbformat import v4

SECONDS = 100.0


@dataclass(frozen=True)
class Ran:
    """What came of a cell: what it shows, as nbval compares it, and what it puts in the cell's place."""

    shown: list[Any]
    replaced_by: str


class Kernel:
    """A kernel that runs."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, source: str, cell: str = "") -> Ran:
        """Run a cell to its end."""
        return self.end(self.begin(source, cell))

    def begin(self, source: str, cell: str = "") -> str:
        """Let a cell run, so that others may run meanwhile elsewhere; returns what :meth:`end` asks for."""
        message = self._client.session.msg(
            "execute_request", {"code": source, "silent": False, "store_history": True, "stop_on_error": True}
        )
        message["metadata"]["cellId"] = cell
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def end(self, begun: str) -> Ran:
        """Wait for the end of a cell that was begun."""
        outputs: list[Any] = []
        while True:
            heard = self._client.get_iopub_msg(timeout=SECONDS)
            if heard["parent_header"].get("msg_id") != begun:
                continue
            if heard["msg_type"] in ("stream", "display_data", "execute_result", "error"):
                outputs.append(v4.output_from_msg(heard))
            elif heard["msg_type"] == "status" and heard["content"]["execution_state"] == "idle":
                break
        while (reply := self._client.get_shell_msg(timeout=SECONDS))["parent_header"].get("msg_id") != begun:
            pass  # an answer to what was asked when the kernel started
        payload = reply["content"].get("payload", ())
        replaced = [item["text"] for item in payload if item["source"] == "set_next_input"]
        return Ran(comparable(outputs), "".join(replaced))


def comparable(outputs: list[Any]) -> list[Any]:
    """Return outputs without what may differ from run to run: pictures in PNG, numbers of widgets and of cells."""
    shown: list[Any] = []
    for output in outputs:
        if output["output_type"] == "stream":
            if shown and shown[-1][0] == output["name"]:
                shown[-1] = (output["name"], shown[-1][1] + output["text"])
            else:
                shown.append((output["name"], output["text"]))
        elif output["output_type"] == "error":
            shown.append((output["ename"], output["evalue"]))
        else:
            kept = ("text/plain", "text/html", "image/svg+xml")
            shown.append((output["output_type"], {kind: output["data"].get(kind) for kind in kept}))
    return shown


@contextmanager
def kernel(**environment: str) -> Iterator[Kernel]:
    """Start a kernel in this environment and this process's; end it."""
    import os

    manager, client = start_new_kernel(kernel_name="python3", env=os.environ | environment, transport_encryption="auto")
    try:
        yield Kernel(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
