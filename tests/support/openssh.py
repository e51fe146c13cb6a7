"""OpenSSH's own server, from Debian's package, on loopback: a bastion as they are elsewhere.

It runs outside the lab, as the user of the tests, and each session goes on into the lab's bastion: what is typed there
works, and the way there is that of any other bastion.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from support import debian_packages
from support.labs import RunningLab
from support.ports import free_port

START_SECONDS = 20.0
_CONFIGURATION = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
ForceCommand {command}
"""
# Root's sshd wants a user and a folder of its own: both are there for it alone, in a mount namespace.
_AS_ROOT = """
mount -t tmpfs none /run && mkdir /run/sshd
cp /etc/passwd /run/passwd && echo 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin' >> /run/passwd
mount --bind /run/passwd /etc/passwd && exec "$@"
"""


@dataclass(frozen=True)
class Sshd:
    """A server that runs, and the files that a learner has to reach it: ``config`` calls it ``jump-box``."""

    folder: Path
    port: int

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def key(self) -> Path:
        return self.folder / "key"


@contextmanager
def sshd(folder: Path, lab: RunningLab) -> Iterator[Sshd]:
    """Run a server whose sessions are on the bastion of a lab."""
    port = free_port()
    unpacked = debian_packages.unpacked("openssh-server")
    client = shutil.which("ssh") or str(unpacked / "usr/bin/ssh")
    _write_files(folder, port, [client, "-F", str(lab.ssh_config), "-o", "LogLevel=ERROR", "bastion"])
    command = [str(unpacked / "usr/sbin/sshd"), "-D", "-e", "-f", str(folder / "sshd_config")]
    if os.getuid() == 0:
        command = ["unshare", "--mount", "sh", "-ec", _AS_ROOT, "sh", *command]
    environment = os.environ | {"LD_LIBRARY_PATH": str(unpacked / "libraries")}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _await(process, port, folder / "log")
        yield Sshd(folder, port)
    finally:
        process.terminate()
        process.wait(10)


def _write_files(folder: Path, port: int, onwards: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    host_key, key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    host_key.write_private_key(folder / "host_key")
    key.write_private_key(folder / "key")
    for secret in ("host_key", "key"):
        (folder / secret).chmod(0o600)
    key.write_public_key(folder / "authorized_keys")
    public = host_key.export_public_key().decode()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    (folder / "sshd_config").write_text(
        _CONFIGURATION.format(port=port, folder=folder, command=f'{shlex.join(onwards)} "$SSH_ORIGINAL_COMMAND"')
    )
    (folder / "config").write_text(
        f"Host jump-box\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {folder}/key\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n"
    )


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
