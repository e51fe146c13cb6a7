"""Into the lab: a shell on the bastion or on a node, and the settings that kubectl and ssh need."""

from __future__ import annotations

import argparse
import shlex

from calico_lab.commands.framework import Subcommands, running, say
from calico_lab.errors import LabError

BASTION = "bastion"
WORDS = "one word: a shell command line; more: a command and its arguments as they are"


def add_to(subcommands: Subcommands) -> None:
    """Add the subcommands of this group."""
    bastion = subcommands.add(
        "bastion", _bastion, "open a shell on the bastion, or run one command there",
        """
        Hands back the command's exit code, output and errors. `ssh -F SSH_CONFIG bastion` does the same, with the
        file that `calico-lab status` names.

          calico-lab bastion
          calico-lab bastion -- sudo birdc show protocols
          calico-lab bastion -- 'kubectl get pods | wc -l'
        """,
    )  # fmt: skip
    bastion.add_argument("words", nargs="*", metavar="-- CMD", help=WORDS)
    node = subcommands.add(
        "node", _node, "open a shell on a node of the cluster, or run one command there",
        """
        The nodes are control1, worker1 and worker2. There are ip, birdc and nft, which show the node's own routes,
        BIRD and address translation; tcpdump, if this machine has it; and capture, for other programs to read.

          calico-lab node worker1
          calico-lab node worker1 -- ip route get 10.10.10.0
          calico-lab node control1 -- birdc show route
          calico-lab node worker2 -- nft list ruleset
          calico-lab node worker1 -- tcpdump -ni eth0 tcp port 179
          calico-lab node worker1 -- capture any > packets.pcap
        """,
    )  # fmt: skip
    node.add_argument("node", metavar="NODE", help="control1, worker1 or worker2")
    node.add_argument("words", nargs="*", metavar="-- CMD", help=WORDS)
    subcommands.add(
        "env", _env, "print the settings that kubectl and ssh need",
        """
        For the shell to take them over:

          eval "$(calico-lab env)"
          kubectl get nodes
          ssh -F "$CALICO_LAB_SSH_CONFIG" bastion
        """,
    )  # fmt: skip


def _bastion(arguments: argparse.Namespace) -> int:
    return shell(arguments.name, BASTION, arguments.words)


def _node(arguments: argparse.Namespace) -> int:
    from calico_lab.local.topology import NODES

    names = [node.name for node in NODES]
    if arguments.node not in names:
        remedy = "calico-lab bastion" if arguments.node == BASTION else f"name one of {', '.join(names)}"
        raise LabError(f"{arguments.node!r} is not a node of the lab", remedy=remedy)
    return shell(arguments.name, arguments.node, arguments.words)


def shell(lab: str, host: str, words: list[str]) -> int:
    """Run a command, or a shell, on a host of the lab with this process's own streams; returns its exit code."""
    from pathlib import Path

    from calico_lab.ssh import SshConnection, look_up

    config = Path(str(running(lab).ssh_config))
    connection = SshConnection(look_up(host, config, must_exist=True))
    return connection.interactive((words[0] if len(words) == 1 else shlex.join(words)) if words else None)


def _env(arguments: argparse.Namespace) -> int:
    found = running(arguments.name)
    say(f"export KUBECONFIG={shlex.quote(str(found.kubeconfig))}")
    say(f"export CALICO_LAB_SSH_CONFIG={shlex.quote(str(found.ssh_config))}")
    return 0
