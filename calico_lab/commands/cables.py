"""The cables between the hosts of the lab and its switch."""

from __future__ import annotations

import argparse

from calico_lab.commands.framework import Subcommands, running, say, say_json
from calico_lab.errors import LabError


def add_to(subcommands: Subcommands) -> None:
    """Add the subcommands of this group."""
    cut = subcommands.add(
        "cut", _cut, "cut a host off: take its link to the switch down",
        """
        Its Node becomes NotReady some 6 s later, its endpoints and routes go, and 5 s after that its pods are made
        anew elsewhere (upstream: after 50 s and 300 s). Shells on the host go on working: they do not use the link.

          calico-lab cut worker1
          calico-lab join worker1
        """,
        as_json=True,
    )  # fmt: skip
    join = subcommands.add(
        "join", _join, "join a host to the others again that was cut off",
        "Its Node becomes Ready at once, its routes come back within some seconds.", as_json=True,
    )  # fmt: skip
    for command in (cut, join):
        command.add_argument("host", metavar="HOST", help="bastion, control1, worker1 or worker2")


def _cut(arguments: argparse.Namespace) -> int:
    return _plug(arguments, carries=False)


def _join(arguments: argparse.Namespace) -> int:
    return _plug(arguments, carries=True)


def _plug(arguments: argparse.Namespace, *, carries: bool) -> int:
    from calico_lab.local.start import requests
    from calico_lab.local.topology import HOSTS

    names = [host.name for host in HOSTS]
    if arguments.host not in names:
        raise LabError(f"{arguments.host!r} is not a host of the lab", remedy=f"name one of {', '.join(names)}")
    found = requests.ask(running(arguments.name), "PUT", f"hosts/{arguments.host}/cable", {"carries": carries})
    if arguments.json:
        say_json(found)
    else:
        say(f"{arguments.host} is {'joined to' if found['carries'] else 'cut off from'} the others")
    return 0 if found["carries"] == carries else 1
