"""Whether a program listens, by what the kernel says: proc_pid_net(5)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from calico_lab.local.kubelet.probes import ProbeFailed

_LISTENING = "0A"


async def until_listening(pid: int) -> None:
    """Return if a program listens. Raises :class:`ProbeFailed` if it doesn't yet."""
    if not listens(pid):
        raise ProbeFailed("the program does not listen yet")


def listens(pid: int) -> bool:
    """Whether a program has a TCP socket that it listens on, in its own network namespace."""
    process = Path("/proc", str(pid))
    with suppress(OSError):
        lines = [line.split() for name in ("tcp", "tcp6") for line in _lines(process / "net" / name)]
        sockets = {f"socket:[{fields[9]}]" for fields in lines if fields[3] == _LISTENING}
        return any(_target(descriptor) in sockets for descriptor in (process / "fd").iterdir())
    return False


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:] if path.exists() else []


def _target(descriptor: Path) -> str:
    with suppress(OSError):
        return str(descriptor.readlink())
    return ""
