"""Links, addresses and routes, by the kernel's own route netlink (rtnetlink(7)).

Every function acts in the network namespace that the calling thread is in, and raises ``OSError`` with the kernel's
errno and the name of the link. Written on a plain socket because the calls come from inside a running event loop and
take some 50 microseconds each; a netlink library would bring an event loop of its own.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

# linux/netlink.h and linux/rtnetlink.h
_NLMSG_ERROR = 2
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_EXCL, _NLM_F_CREATE = 0x1, 0x4, 0x200, 0x400
_RTM_NEWLINK, _RTM_DELLINK, _RTM_GETLINK, _RTM_NEWADDR, _RTM_NEWROUTE, _RTM_SETNEIGHTBL = 16, 17, 18, 20, 24, 67
_NEW = _NLM_F_CREATE | _NLM_F_EXCL
_RTMGRP_LINK = 1

_IFF_UP = 0x1
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MASTER, _IFLA_OPERSTATE, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 10, 16, 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IF_OPER_UP = 6
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_RT_TABLE_MAIN, _RTPROT_BOOT, _RTN_UNICAST = 254, 3, 1
_SCOPE_UNIVERSE, _SCOPE_LINK = 0, 253
_NDTA_NAME, _NDTA_PARMS, _NDTPA_IFINDEX, _NDTPA_PROXY_DELAY = 1, 6, 1, 13

_HEADER = struct.Struct("=IHHII")
_CARRIER_LIMIT_SECONDS = 0.5


def add_bridge(name: str) -> None:
    """Add a bridge and bring it up."""
    kind = _attribute(_IFLA_LINKINFO, _attribute(_IFLA_INFO_KIND, b"bridge"))
    _call(_RTM_NEWLINK, _link(up=True) + _text(_IFLA_IFNAME, name) + kind, _NEW, name)


def add_veth(name: str, peer: str, peer_namespace: int, *, bridge: str = "", hardware_address: str = "") -> None:
    """Add a pair of links: ``name`` here, up, and ``peer``, down, in the network namespace behind a file descriptor.

    ``name`` becomes a port of ``bridge`` where one is given, and gets ``hardware_address`` where one is given.
    """
    other = _link() + _text(_IFLA_IFNAME, peer) + _number(_IFLA_NET_NS_FD, peer_namespace)
    data = _attribute(_IFLA_INFO_DATA, _attribute(_VETH_INFO_PEER, other))
    message = _link(up=True) + _text(_IFLA_IFNAME, name)
    message += _attribute(_IFLA_LINKINFO, _attribute(_IFLA_INFO_KIND, b"veth") + data)
    if bridge:
        message += _number(_IFLA_MASTER, socket.if_nametoindex(bridge))
    if hardware_address:
        message += _attribute(_IFLA_ADDRESS, bytes.fromhex(hardware_address.replace(":", "")))
    _call(_RTM_NEWLINK, message, _NEW, name)


def bring_up(name: str) -> None:
    """Bring a link up."""
    _call(_RTM_NEWLINK, _link(up=True, index=socket.if_nametoindex(name)), 0, name)


def take_down(name: str) -> None:
    """Take a link down; the other end of a pair then has no carrier, as with an unplugged cable."""
    _call(_RTM_NEWLINK, _link(change=True, index=socket.if_nametoindex(name)), 0, name)


def carries(name: str) -> bool:
    """Whether a link is up and its other end too."""
    return _operational_state(_call(_RTM_GETLINK, _link(index=socket.if_nametoindex(name)), 0, name)) == _IF_OPER_UP


def open_announcements() -> socket.socket:
    """Return a socket that becomes readable whenever a link of the current network namespace changes."""
    announcements = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
    announcements.bind((0, _RTMGRP_LINK))
    return announcements


def wait_for_carrier(name: str) -> None:
    """Wait until a link really sends: that its other end is up the kernel notices a moment later, by itself.

    What is sent before is lost, and a lost first packet costs its sender a second. Newer kernels catch up when they
    are asked; with older ones it is a matter of a millisecond.
    """
    ends = time.monotonic() + _CARRIER_LIMIT_SECONDS
    while not carries(name):
        if time.monotonic() > ends:
            raise TimeoutError(f"{name}: the other end of the link did not come up")
        time.sleep(0.001)


def remove(name: str) -> None:
    """Remove a link; the other end of a pair goes with it."""
    _call(_RTM_DELLINK, _link(index=socket.if_nametoindex(name)), 0, name)


def add_address(name: str, interface: IPv4Interface) -> None:
    """Give a link an address with its prefix length."""
    header = struct.pack("=BBBBI", socket.AF_INET, interface.network.prefixlen, 0, 0, socket.if_nametoindex(name))
    address = interface.ip.packed
    message = header + _attribute(_IFA_LOCAL, address) + _attribute(_IFA_ADDRESS, address)
    _call(_RTM_NEWADDR, message, _NEW, name)


def add_route(destination: IPv4Network, name: str, gateway: IPv4Address | None = None) -> None:
    """Route ``destination`` to a link, through ``gateway`` where one is given."""
    scope = _SCOPE_LINK if gateway is None else _SCOPE_UNIVERSE
    kind = (_RT_TABLE_MAIN, _RTPROT_BOOT, scope, _RTN_UNICAST)
    message = struct.pack("=BBBBBBBBI", socket.AF_INET, destination.prefixlen, 0, 0, *kind, 0)
    message += _attribute(_RTA_DST, destination.network_address.packed)
    message += _number(_RTA_OIF, socket.if_nametoindex(name))
    if gateway is not None:
        message += _attribute(_RTA_GATEWAY, gateway.packed)
    _call(_RTM_NEWROUTE, message, _NEW, name)


def answer_proxy_arp_at_once(name: str) -> None:
    """Let a link answer ARP for others without the default delay, at random up to 0.8 s.

    By netlink, since older kernels hide this parameter below /proc/sys from user namespaces.
    """
    delay = _attribute(_NDTPA_PROXY_DELAY, struct.pack("=Q", 0))
    parameters = _number(_NDTPA_IFINDEX, socket.if_nametoindex(name)) + delay
    message = struct.pack("=BBH", socket.AF_INET, 0, 0) + _text(_NDTA_NAME, "arp_cache")
    _call(_RTM_SETNEIGHTBL, message + _attribute(_NDTA_PARMS, parameters), 0, name)


def _link(*, up: bool = False, change: bool = False, index: int = 0) -> bytes:
    flags = _IFF_UP if up else 0
    return struct.pack("=BBHiII", socket.AF_UNSPEC, 0, 0, index, flags, _IFF_UP if up or change else 0)


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack("=I", value))


def _operational_state(link: bytes) -> int:
    """Return the operational state (RFC 2863) from the kernel's description of a link."""
    offset = _HEADER.size + struct.calcsize("=BBHiII")
    while offset < len(link):
        length, kind = struct.unpack_from("=HH", link, offset)
        if kind == _IFLA_OPERSTATE:
            return link[offset + 4]
        offset += length + -length % 4
    return 0


def _call(kind: int, message: bytes, flags: int, subject: str) -> bytes:
    """Send one request and return the kernel's answer to it; raises ``OSError`` when that is an error."""
    if kind != _RTM_GETLINK:
        flags |= _NLM_F_ACK
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        header = _HEADER.pack(_HEADER.size + len(message), kind, flags | _NLM_F_REQUEST, 1, 0)
        netlink.sendto(header + message, (0, 0))
        answer = netlink.recv(65536)
    answer_kind = _HEADER.unpack_from(answer)[1]
    (error,) = struct.unpack_from("=i", answer, _HEADER.size)
    if answer_kind == _NLMSG_ERROR and error:
        raise OSError(-error, os.strerror(-error), subject)
    return answer
