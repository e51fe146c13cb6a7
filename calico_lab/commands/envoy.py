"""What Envoy got of an object."""

from __future__ import annotations

import argparse

from calico_lab.commands.framework import Subcommands, running, say, say_json


def add_to(subcommands: Subcommands) -> None:
    """Add the subcommands of this group."""
    envoy = subcommands.add(
        "envoy", _envoy, "show what a Gateway, a route or a policy made in Envoy's configuration",
        """
        Asks Envoy's own admin page through the Kubernetes API, as kubectl port-forward does: in the lab, or, with
        --own-cluster, on the cluster that kubectl uses. Exit code 0 only if the object made something.

          calico-lab envoy gateway load-balancing-gateway
          calico-lab envoy httproute round-robin-route
          calico-lab envoy btp round-robin-policy --json
          calico-lab envoy httproute shop -n team-a --own-cluster
        """,
        as_json=True,
    )  # fmt: skip
    envoy.add_argument("kind", metavar="KIND", help="as for kubectl: gateway, httproute, btp, sp, backend, ...")
    envoy.add_argument("object", metavar="NAME")
    envoy.add_argument("-n", "--namespace", help="the object's namespace (default: that of the kubeconfig)")
    envoy.add_argument("--own-cluster", action="store_true", help="ask the cluster that kubectl uses, not a lab")


def _envoy(arguments: argparse.Namespace) -> int:
    import calico_lab
    from calico_lab.lessons import envoy_pieces

    lab = calico_lab.connect(None if arguments.own_cluster else running(arguments.name).kubeconfig)
    made = envoy_pieces.read(lab.cluster, arguments.kind, arguments.object, arguments.namespace)
    if arguments.json:
        say_json(made.as_json())
    else:
        say(str(made))
    return 0 if made.pieces else 1
