"""Text of BIRD's configuration files (https://bird.network.cz/?get_doc&v=16&f=bird-3.html).

A node's file is laid out as calico-node writes it: one session a mesh neighbour (``Mesh_10_0_1_30``) or global peer
(``Global_10_0_1_10``), and static blackhole routes for what the node advertises. The bastion's has the shape of the
workshop's, whose import filter the learner edits. All timers are the shortest that BIRD takes, so that sessions come
up about a second after both ends want them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from calico_lab.local.topology import AS_NUMBER, BASTION, CONTROL1, POD_NETWORK, WORKER1, WORKER2

BGP_PORT = 179

_TIMERS = """\
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 1;
  error forget time 1;
"""

# The import filter is what the guide's grep shows and its sed edits: comment, indentation and order matter.
_IMPORT_FILTER = """\
# Import filter
filter rt_import {
                        if (net ~ 10.48.2.0/24) then accept;
                        if (net ~ 10.49.0.0/16) then accept;
                        if (net ~ 10.50.0.0/24) then accept;
                        reject;
}
"""

_BASTION_PROTOCOLS = """\
protocol direct {
  interface "eth0";
}

protocol kernel {
  import none;
  export where source = RTS_BGP;
  merge paths on;
}

protocol device {
  scan time 2;
}
"""

# The nodes dial: two ends that dial at the same moment throw each other's connection away, for seconds on end.
_BASTION_SESSION = """\
  passive on;
  import filter rt_import;
  export none;
"""

_NODE_PROTOCOLS = """\
protocol kernel {
  learn;
  persist;
  scan time 2;
  import all;
  export filter calico_kernel_programming;
  graceful restart;
  merge paths on;
}

protocol device {
  scan time 2;
}

protocol direct {
  interface -"cali*", -"kube-ipvs*", "*";
}
"""

_NODE_SESSION = """\
  multihop;
  gateway recursive;
  import all;
  export filter calico_export_to_bgp_peers;
  add paths on;
  graceful restart;
  hold time 6;
"""


@dataclass(frozen=True)
class Neighbour:
    """The far end of a session; ``kind`` is Mesh, Global or Node, as in the session's name."""

    kind: str
    address: IPv4Address
    as_number: int
    port: int = BGP_PORT
    restart_seconds: int | None = None

    @property
    def session(self) -> str:
        """The name that calico-node gives the session."""
        port = f"_port_{self.port}" if self.kind != "Mesh" and self.port != BGP_PORT else ""
        return f"{self.kind}_{str(self.address).replace('.', '_')}{port}"


@dataclass(frozen=True)
class Speaker:
    """What a node's BIRD is to do.

    ``service_ranges`` are the ranges of service addresses that may be announced and are never put in the node's
    kernel; ``announced`` is what this node announces of them.
    """

    address: IPv4Address
    pod_block: IPv4Network
    as_number: int = AS_NUMBER
    port: int = BGP_PORT
    bind_address: bool = False
    log_severity: str = "Info"
    neighbours: Sequence[Neighbour] = ()
    service_ranges: Sequence[IPv4Network] = ()
    announced: Sequence[IPv4Network] = ()


def bastion() -> str:
    """Return the bastion's file: it learns what its filter accepts from the three nodes, and announces nothing."""
    parts = [f'log "/var/log/bird.log" all;\nrouter id {BASTION.address};\n', _IMPORT_FILTER, _BASTION_PROTOCOLS]
    for host in (CONTROL1, WORKER1, WORKER2):
        session = f"  local as {AS_NUMBER};\n  neighbor {host.address} as {AS_NUMBER};\n"
        parts.append(_block(f"protocol bgp {host.name}", f"{session}{_BASTION_SESSION}{_TIMERS}"))
    return "\n".join(parts)


def node(speaker: Speaker) -> str:
    """Return a node's file."""
    bind = f"address {speaker.address} " if speaker.bind_address else ""
    parts = [
        f"log stderr all;\nrouter id {speaker.address};\nlisten bgp {bind}port {speaker.port};\n",
        _filters(speaker),
        _NODE_PROTOCOLS,
        _block("protocol static", f"  route {speaker.pod_block} blackhole;\n"),
    ]
    if speaker.announced:
        routes = "".join(f"  route {network} blackhole;\n" for network in speaker.announced)
        parts.append(_block("protocol static", routes))
    parts.append(_template(speaker))
    parts += [_session(speaker, neighbour) for neighbour in speaker.neighbours]
    return "\n".join(parts)


def _filters(speaker: Speaker) -> str:
    block, ranges = speaker.pod_block, speaker.service_ranges
    reject = "".join(f"  if ( net ~ {network} ) then reject;\n" for network in ranges)
    accept = "".join(f"  if ( net ~ {network} ) then accept;\n" for network in ranges)
    aggregate = f"  if ( net = {block} ) then accept;\n  if ( net ~ {block} ) then reject;\n"
    pods = f"  if ( net ~ {POD_NETWORK} ) then accept;\n"
    return "\n".join(
        (
            "# Service addresses are announced, but translated before they would be routed here.",
            _block("filter calico_kernel_programming", f"{reject}  accept;\n"),
            "# Of this node's pods only the whole block is announced.",
            _block("filter calico_export_to_bgp_peers", f"{aggregate}{accept}{pods}  reject;\n"),
        )
    )


def _template(speaker: Speaker) -> str:
    severity = speaker.log_severity.lower()
    debug = {"debug": "  debug all;\n", "none": ""}.get(severity, "  debug { states };\n")
    lines = f"{debug}  local as {speaker.as_number};\n{_NODE_SESSION}{_TIMERS}"
    return _block("template bgp bgp_template", lines)


def _session(speaker: Speaker, neighbour: Neighbour) -> str:
    port = f" port {neighbour.port}" if neighbour.port != BGP_PORT else ""
    lines = [
        f"  neighbor {neighbour.address}{port} as {neighbour.as_number};\n",
        f"  source address {speaker.address};\n",
    ]
    # In the mesh one end dials, the one whose address is the greater text, so that two sessions never collide.
    if neighbour.kind == "Mesh" and str(neighbour.address) > str(speaker.address):
        lines.append("  passive on;\n")
    if neighbour.restart_seconds is not None:
        lines.append(f"  graceful restart time {neighbour.restart_seconds};\n")
    return _block(f"protocol bgp {neighbour.session} from bgp_template", "".join(lines))


def _block(head: str, lines: str) -> str:
    return f"{head} {{\n{lines}}}\n"
