"""Copies the packets that pass an interface of a node to standard output, as a capture file.

``tcpdump`` on a node reads it; so can what reads captures on the machine that the lab runs on:
``calico-lab node worker1 -- capture eth0 | wireshark -k -i -``.

Formats: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-06.html, and for the interface "any", whose packets have
different link layers, https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html.
"""

import argparse
import contextlib
import socket
import struct
import sys
import time

EVERY_PROTOCOL = 0x0003  # ETH_P_ALL in linux/if_ether.h
LONGEST = 65535
ANY = "any"
ETHERNET, LINUX_SLL = 1, 113  # link types


def main() -> int:
    """Copy packets until there have been enough, or Ctrl-C, or nobody reads any more."""
    parser = argparse.ArgumentParser(prog="capture", description="Write the packets of an interface as a capture file.")
    parser.add_argument("interface", help="such as eth0, or any; `ip link` lists them")
    parser.add_argument("-c", "--count", type=int, help="end after so many packets")
    arguments = parser.parse_args()
    if sys.stdout.isatty():
        parser.error("this writes bytes: | tcpdump -nr -   or   > FILE")
    everywhere = arguments.interface == ANY
    kind = socket.SOCK_DGRAM if everywhere else socket.SOCK_RAW
    try:
        packets = socket.socket(socket.AF_PACKET, kind, socket.htons(EVERY_PROTOCOL))
        if not everywhere:
            packets.bind((arguments.interface, EVERY_PROTOCOL))
    except OSError as error:
        sys.stderr.write(f"capture: {arguments.interface}: {error.strerror}\n")
        return 1
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        copy(packets, arguments.count, LINUX_SLL if everywhere else ETHERNET)
    return 0


def copy(packets: socket.socket, count: int | None, link_type: int) -> None:
    """Copy ``count`` packets, or all that come."""
    output = sys.stdout.buffer
    output.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, LONGEST, link_type))  # times in microseconds
    output.flush()
    while count is None or count > 0:
        packet, about = packets.recvfrom(LONGEST)
        if link_type == LINUX_SLL:
            packet = cooked_header(about) + packet
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        output.write(struct.pack("=IIII", seconds, nanoseconds // 1000, len(packet), len(packet)) + packet)
        output.flush()
        count = None if count is None else count - 1


def cooked_header(about: tuple[str, int, int, int, bytes]) -> bytes:
    """Return what stands in place of a link layer's header; ``about`` is the packet's address, as packet(7) has it."""
    _interface, protocol, packet_type, hardware, address = about
    return struct.pack("!HHH8sH", packet_type, hardware, len(address), address, protocol)


if __name__ == "__main__":
    sys.exit(main())
