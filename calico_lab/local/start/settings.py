"""What the lab's first process is told by the command that starts it, as JSON lines on its standard input.

The first line says what to build the root file system from; the credentials follow when they are made, so that both
processes work meanwhile.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from calico_lab.local.start.programs import Programs

# Descriptors that the first process inherits, beside its standard input, output and errors.
API_SOCKET = 3
SSH_SOCKET = 4
PROGRESS = 5
ALIVE = 6

READY = "ready"


@dataclass(frozen=True)
class Credentials:
    """The second line: PEM certificates and keys, the administrator's token, SSH keys in OpenSSH's formats.

    The administrator has a certificate besides the token, as kubeadm would hand it out.
    """

    certificate_authority: str
    server_certificate: str
    server_key: str
    admin_certificate: str
    admin_key: str
    token: str
    ssh_host_key: str
    ssh_host_public_key: str
    ssh_client_key: str
    ssh_client_public_key: str


@dataclass(frozen=True)
class Settings:
    """The first line.

    ``seed`` decides the names that Kubernetes draws at random, ``visible`` are the folders to show in the new root file
    system, ``staging`` is a folder to mount it on.
    """

    name: str
    seed: str
    programs: Programs
    visible: tuple[Path, ...]
    staging: Path

    def to_line(self) -> str:
        """Return these settings as one line of JSON."""
        return json.dumps(asdict(self), default=str) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Settings:
        """Return the settings of a line that :meth:`to_line` made."""
        given = json.loads(line)
        return cls(
            name=given["name"],
            seed=given["seed"],
            programs=Programs(**{name: Path(path) for name, path in given["programs"].items()}),
            visible=tuple(Path(path) for path in given["visible"]),
            staging=Path(given["staging"]),
        )
