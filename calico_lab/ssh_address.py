"""Where the bastion is, read from a name and an SSH configuration file (ssh_config(5))."""

from __future__ import annotations

import getpass
import os
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path

import paramiko

from calico_lab.errors import NoBastionError

OWN_CONFIG = Path("~/.ssh/config").expanduser()
KNOWN_HOSTS = "~/.ssh/known_hosts"
EVERYBODY_S_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts"
MOST_JUMPS = 5


@dataclass(frozen=True)
class Address:
    """Where a host is, with which keys it is reached, and by way of which other one."""

    host: str
    port: int = 22
    user: str = field(default_factory=getpass.getuser)
    identities: tuple[str, ...] = ()
    only_these_identities: bool = False
    known_hosts: tuple[Path, ...] = (Path(KNOWN_HOSTS).expanduser(), Path(EVERYBODY_S_KNOWN_HOSTS))
    jump: Address | None = None
    command: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.command:
            object.__setattr__(self, "command", f"ssh -p {self.port} {self.user}@{self.host}")

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"

    @staticmethod
    def exists(identity: str) -> bool:
        """Whether a key file is there; the configuration may name some that are not."""
        return Path(identity).expanduser().exists()


def look_up(name: str, config_file: Path, *, must_exist: bool) -> Address:
    """Return the address behind ``[user@]host[:port]``, completed from an SSH configuration file.

    Raises ``NoBastionError`` when the file should exist and does not, or asks for what this library cannot do.
    """
    _have_a_name()
    if not config_file.exists():
        if must_exist:
            raise NoBastionError(
                f"the SSH configuration {config_file} does not exist", remedy="calico-lab up   (for a local lab)"
            )
        user, host, port = _split(name)
        return Address(host, port or 22, user or getpass.getuser())
    try:
        config = paramiko.SSHConfig.from_path(str(config_file))
    except (OSError, UnicodeDecodeError, paramiko.SSHException) as error:
        remedy = f"ssh -G -F {config_file} {name}"
        raise NoBastionError(f"the SSH configuration {config_file} cannot be read: {error}", remedy=remedy) from None
    return _look_up(name, config, config_file, MOST_JUMPS)


def _have_a_name() -> None:
    """Call a user whom the system knows by no name, as in many containers, by number: paramiko asks for it too."""
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["LOGNAME"] = str(os.getuid())


def _look_up(name: str, config: paramiko.SSHConfig, config_file: Path, jumps_left: int) -> Address:
    user, host, port = _split(name)
    found = config.lookup(host)
    if found.get("proxycommand", "none") != "none":
        raise NoBastionError(
            f"{config_file} reaches {host} by way of a program (ProxyCommand), which this library cannot",
            remedy=f"ssh -N -L 2222:localhost:22 {host} &   and   export CALICO_LAB_BASTION=localhost:2222",
        )
    return Address(
        host=found["hostname"],
        port=port or int(found.get("port", "22")),
        user=user or found.get("user") or getpass.getuser(),
        identities=tuple(found.get("identityfile", ())),
        only_these_identities=found.get("identitiesonly", "no") == "yes",
        known_hosts=(
            *_paths(found.get("userknownhostsfile", KNOWN_HOSTS)),
            *_paths(found.get("globalknownhostsfile", EVERYBODY_S_KNOWN_HOSTS)),
        ),
        jump=_jump(found.get("proxyjump", "none"), config, config_file, jumps_left),
        command=_command(user, host, port, config_file),
    )


def _jump(names: str, config: paramiko.SSHConfig, config_file: Path, jumps_left: int) -> Address | None:
    """Return the last of the hosts that ``ProxyJump`` lists, itself reached by way of those before it."""
    if names == "none":
        return None
    if jumps_left == 0:
        raise NoBastionError(f"{config_file} leads from one host to another without end", remedy="ssh -v bastion")
    *before, last = [name.strip().removeprefix("ssh://") for name in names.split(",")]
    found = _look_up(last, config, config_file, jumps_left - 1)
    if not before:
        return found
    return replace(found, jump=_jump(",".join(before), config, config_file, jumps_left - 1))


def _command(user: str, host: str, port: int, config_file: Path) -> str:
    """Return what one types to get there by hand."""
    options = ["-F", str(config_file)] if config_file != OWN_CONFIG else []
    options += ["-p", str(port)] if port else []
    return shlex.join(["ssh", *options, f"{user}@{host}" if user else host])


def _split(name: str) -> tuple[str, str, int]:
    user, _, host_and_port = name.rpartition("@")
    host, _, port = host_and_port.partition(":")
    if not host or (port and not port.isdigit()):
        raise NoBastionError(f"{name!r} names no bastion", remedy="export CALICO_LAB_BASTION=user@address:port")
    return user, host, int(port or 0)


def _paths(value: str) -> tuple[Path, ...]:
    """Split a value that is one path, its quotes already gone, or several without blanks in them."""
    whole = Path(value).expanduser()
    return (whole,) if whole.exists() else tuple(Path(path).expanduser() for path in value.split())
