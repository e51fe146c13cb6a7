"""The bastion's own SSH server, on this machine instead of a host of the lab."""

import asyncio
import contextlib
import socket
from contextlib import asynccontextmanager

import asyncssh

from calico_lab.local.bastion_host import server, session, units

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
ENDING_SECONDS = 5.0
USER_KEY = asyncssh.generate_private_key("ssh-ed25519")


class ThisMachine:
    """Namespaces that are entered by staying where one is."""

    entered = staticmethod(contextlib.nullcontext)


@asynccontextmanager
async def bastion_server(folder, monkeypatch):
    """Serve with ``folder`` as the home; yields the address."""
    monkeypatch.setattr(units, "SOCKET", folder / "run/systemctl")
    monkeypatch.setattr(session, "HOME", str(folder))
    listening = socket.create_server(("127.0.0.1", 0))
    keys = HOST_KEY.export_private_key().decode(), USER_KEY.export_public_key().decode()
    serving = asyncio.create_task(server.serve([listening], *keys, ThisMachine(), None, {"worker1": ThisMachine()}))
    try:
        yield listening.getsockname()
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        listening.close()
        # What a client has left behind is being ended: nobody else waits for it once the loop is closed.
        if left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(left, timeout=ENDING_SECONDS)
