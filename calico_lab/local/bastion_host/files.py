"""The files that make a bastion of its host, or let one look at a node: the shell's, kubectl's, and the commands.

kubectl, bird, birdc and hey are the real programs. sudo, systemctl, apt and apt-get are stand-ins that do what the
course needs, say what they are, and refuse the rest; they stand first on the bastion's PATH, above the machine's own.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from calico_lab.local.network.bird import NODE_CONTROL_SOCKET, write_bastion_configuration
from calico_lab.local.start import linux
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.start.programs import Programs

HOME = "/root"
_OWN = Path("/opt/calico-lab")
COMMANDS = _OWN / "bin"
PACKAGES = _OWN / "packages"  # one folder a package that apt can install, with the commands it brings
PATH = f"{COMMANDS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_STAND_INS = resources.files("calico_lab.local.bastion_host") / "stand_ins"
_PROFILE = """\
export PATH={path}
PS1='{prompt}'
alias ls='ls --color=auto' grep='grep --color=auto'
"""


def prepare(namespaces: Namespaces, programs: Programs, kubeconfig: str) -> None:
    """Write the bastion's files, from inside its namespaces.

    ``kubeconfig`` is the text of the file that kubectl finds there; it names the API server by its address inside the
    lab.
    """
    with namespaces.entered():
        _prepare_shell("user@\\h:\\w$ ")
        _write(Path(HOME, ".kube/config"), kubeconfig, mode=0o600)
        _write_commands(programs)
        write_bastion_configuration()


def prepare_node(namespaces: Namespaces, programs: Programs) -> None:
    """Write a node's files, from inside its namespaces: what one needs there to look at routes, BIRD and nftables."""
    with namespaces.entered():
        _prepare_shell("root@\\h:\\w# ")
        _write_stand_in("sudo")
        _write_wrapper("birdc", f'exec "{programs.birdc}" -s {NODE_CONTROL_SOCKET} "$@"')
        _write_wrapper("nft", f'LD_LIBRARY_PATH="{programs.nft_libraries}" exec "{programs.nft}" "$@"')
        for name in ("tcpdump", "capture"):
            _write_python(name, programs)


def _prepare_shell(prompt: str) -> None:
    _OWN.parent.mkdir(exist_ok=True)
    # Seen on this host alone: the lab's hosts share one root file system.
    linux.mount("tmpfs", _OWN.parent, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=0755")
    _write(Path(HOME, ".bash_profile"), _PROFILE.format(path=PATH, prompt=prompt))


def _write_stand_in(name: str) -> None:
    _write(COMMANDS / name, (_STAND_INS / f"{name}.sh").read_text(), mode=0o755)


def _write_wrapper(name: str, line: str) -> None:
    _write(COMMANDS / name, f"#!/bin/sh\n{line}\n", mode=0o755)


def _write_python(name: str, programs: Programs) -> None:
    # Started by the shell and not by a line with #!, which the kernel cuts at 255 characters.
    script = _STAND_INS / f"{name}.py"
    _write_wrapper(name, f'exec "{programs.python}" -IS "{script}" "$@"')


def _write_commands(programs: Programs) -> None:
    for name in ("sudo", "apt"):
        _write_stand_in(name)
    (COMMANDS / "apt-get").symlink_to("apt")
    _write_python("systemctl", programs)
    (COMMANDS / "kubectl").symlink_to(programs.kubectl)
    (COMMANDS / "bird").symlink_to(programs.bird)  # for its parser: bird -p -c FILE
    (COMMANDS / "birdc").symlink_to(programs.birdc)
    (PACKAGES / "hey").mkdir(parents=True)
    (PACKAGES / "hey/hey").symlink_to(programs.hey)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode)
    path.write_text(text)
    path.chmod(mode)
