"""The state folder of a lab: connection files, keys, log, and the two locks that say who works on it and what lives.

``$XDG_STATE_HOME/calico-lab/NAME/`` belongs to its owner alone (0700, files 0600). Its lock is held by the command
that starts or stops the lab; the file ``alive`` is locked by the lab's first process for as long as it lives, so that
the kernel, not a number in a file, says whether a lab runs.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from calico_lab.errors import LabError

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Description:
    """What lab.json holds: the first process, told from a later one of the same pid by its start, and the ports."""

    name: str
    pid: int
    started: int
    api_port: int
    ssh_port: int


class StateFolder:
    """The state folder of the lab ``name``. Raises ``LabError`` when the name cannot be one."""

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise LabError(f"{name!r} cannot name a lab", remedy="use lower case letters, digits and hyphens")
        self.name = name
        self.path = home() / name
        self.kubeconfig = self.path / "kubeconfig"
        self.ssh_config = self.path / "ssh_config"
        self.known_hosts = self.path / "known_hosts"
        self.client_key = self.path / "id_ed25519"
        self.credentials = self.path / "credentials.json"
        self.log = self.path / "lab.log"
        self._description = self.path / "lab.json"
        self._alive = self.path / "alive"

    def require_own(self) -> None:
        """Raise ``LabError`` if the folder exists and is another user's, a link, or open to others."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise LabError(
                f"{self.path} is not a folder that belongs to you alone",
                remedy=f"move it away, or set XDG_STATE_HOME to a folder of yours; it should be: chmod 700 {self.path}",
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder if need be and hold its lock; waits for another command that works on the same lab."""
        descriptor = self._lock()
        try:
            yield
        finally:
            os.close(descriptor)

    def _lock(self) -> int:
        while True:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.require_own()
            self.path.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Whoever held the lock may have deleted the folder meanwhile.
            if self.path.exists() and os.path.samestat(os.fstat(descriptor), self.path.stat()):
                return descriptor
            os.close(descriptor)

    def empty(self) -> None:
        """Delete what an earlier lab left here."""
        for path in self.path.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path)

    def write(self, path: Path, text: str) -> None:
        """Write one of the folder's files, readable by its owner alone."""
        with os.fdopen(_open(path, os.O_WRONLY | os.O_TRUNC), "w") as file:
            file.write(text)

    def describe(self, description: Description) -> None:
        """Store the description."""
        self.write(self._description, json.dumps(asdict(description), indent=2) + "\n")

    def description(self) -> Description | None:
        """Return the description, if a whole one is stored."""
        try:
            stored = json.loads(self._description.read_text())
            # Another version of calico_lab may have stored more.
            return Description(**{each.name: stored[each.name] for each in fields(Description)})
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None

    def read_credentials(self) -> str:
        """Return the credentials that the lab was started with, as they were written; empty if they are not there."""
        return self.credentials.read_text() if self.credentials.exists() else ""

    def open_log(self) -> int:
        """Begin the lab's log anew, to append to it."""
        return _open(self.log, os.O_WRONLY | os.O_APPEND | os.O_TRUNC)

    def open_alive(self) -> int:
        """Lock the file ``alive``: the lab lives until the last copy of this descriptor is closed."""
        descriptor = _open(self._alive, os.O_RDWR)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def alive(self) -> bool:
        """Whether the lab's first process lives."""
        try:
            descriptor = os.open(self._alive, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


def all_names() -> list[str]:
    """Return the names of all labs that have a state folder, in order."""
    folder = home()
    return sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []


def home() -> Path:
    """Return where the state folders of all labs are, after the XDG base directory specification."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "calico-lab"


def start_of(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 if there is none (proc_pid_stat(5), field 22)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(text.rpartition(")")[2].split()[19])


def _open(path: Path, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
