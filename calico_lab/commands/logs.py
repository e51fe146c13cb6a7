"""What each part of the lab has written."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from calico_lab.commands.framework import Subcommands, name_option, running, say
from calico_lab.commands.shells import shell
from calico_lab.errors import LabError

BIRD_LOG = "/var/log/bird.log"
BIRDS = ("bastion", "control1", "worker1", "worker2")
# Parts of the lab's first process: the loggers they use.
LOGGERS: dict[str, tuple[str, ...]] = {
    "lab": (),
    "apiserver": ("calico_lab.local.apiserver",),
    "controllers": ("calico_lab.local.controllers", "calico_lab.local.controller", "calico_lab.local.informer"),
    "kubelet": ("calico_lab.local.kubelet",),
    "network": ("calico_lab.local.network",),
    "ssh": ("calico_lab.local.bastion_host", "asyncssh"),
}
# Parts that are pods: how they are selected, and the step of the guide that brings them.
PODS = {
    "envoy": ("app.kubernetes.io/name=envoy", "gateway"),
    "envoy-gateway": ("control-plane=envoy-gateway", "gateway-api"),
}
PARTS = (*LOGGERS, *(f"bird-{host}" for host in BIRDS), *PODS)


def add_to(subcommands: Subcommands) -> None:
    """Add the subcommands of this group."""
    logs = subcommands.add(
        "logs", _logs, "show what a part of the lab has written",
        f"""
        The parts: {", ".join(PARTS)}.

        `lab` is all that the lab's first process has logged; apiserver, controllers, kubelet, network and ssh are what
        is theirs in it. It can be read after the lab has been killed, too.

          calico-lab logs lab --tail 20
          calico-lab logs bird-worker1 -f
          calico-lab logs envoy -f
        """,
    )  # fmt: skip
    logs.add_argument("part", metavar="PART")
    logs.add_argument("-f", "--follow", action="store_true", help="go on showing what is written, until Ctrl-C")
    logs.add_argument("--tail", type=_count, metavar="N", help="begin with the last N lines (default: all)")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines")
    return int(text)


def _logs(arguments: argparse.Namespace) -> int:
    part: str = arguments.part
    if part not in PARTS:
        raise LabError(f"the lab has no part {part!r}", remedy=f"name one of {', '.join(PARTS)}")
    show: Callable[[argparse.Namespace], int]
    show = _first_process if part in LOGGERS else _pod if part in PODS else _bird
    return show(arguments)


def _first_process(arguments: argparse.Namespace) -> int:
    from calico_lab.local.start import lab_log
    from calico_lab.local.start.state import StateFolder

    state = StateFolder(arguments.name)
    state.require_own()
    try:
        lab_log.show(state.log, LOGGERS[arguments.part], say, tail=arguments.tail, follow=arguments.follow)
    except FileNotFoundError:
        remedy = f"calico-lab up{name_option(arguments.name)}"
        raise LabError(f"there is no lab {arguments.name!r}", remedy=remedy) from None
    return 0


def _bird(arguments: argparse.Namespace) -> int:
    start = "+1" if arguments.tail is None else str(arguments.tail)
    words = ["tail", "-n", start, *(["-F"] if arguments.follow else []), BIRD_LOG]
    return shell(arguments.name, arguments.part.removeprefix("bird-"), words)


def _pod(arguments: argparse.Namespace) -> int:
    import subprocess

    from calico_lab import kubectl

    selector, step = PODS[arguments.part]
    environment = os.environ | {"KUBECONFIG": str(running(arguments.name).kubeconfig)}
    program = str(kubectl.program())
    found = subprocess.run(
        [program, "get", "pods", "--all-namespaces", "-l", selector, "-o", "jsonpath={.items[*].metadata.namespace}"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    namespaces = found.stdout.split()
    if not namespaces:
        remedy = f"calico-lab reset{name_option(arguments.name)} --to {step}   (or that step of the guide, by hand)"
        raise LabError(f"no pod of {arguments.part} exists yet {found.stderr}".strip(), remedy=remedy)
    options = ["--all-containers", f"--tail={-1 if arguments.tail is None else arguments.tail}"]
    options += ["--follow"] if arguments.follow else []
    logs = [program, "--namespace", namespaces[0], "logs", "-l", selector, *options]
    return subprocess.run(logs, env=environment, check=False).returncode
