"""Copies the packets that pass an interface of a node to standard output, as a capture file.

In place of tcpdump, which as root wants to become another user, and the lab has but one. What reads captures can read
this: ``calico-lab node worker1 -- capture eth0 | tcpdump -nr - tcp port 179``, on the machine that the lab runs on.

Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-06.html.
"""

import argparse
import contextlib
import socket
import struct
import sys
import time

EVERY_PROTOCOL = 0x0003  # ETH_P_ALL in linux/if_ether.h
LONGEST = 65535
HEADER = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, LONGEST, 1)  # microseconds; link type 1 is Ethernet


def main() -> int:
    """Copy packets until there have been enough, or Ctrl-C, or nobody reads any more."""
    parser = argparse.ArgumentParser(prog="capture", description="Write the packets of an interface as a capture file.")
    parser.add_argument("interface", help="such as eth0; `ip link` lists them")
    parser.add_argument("-c", "--count", type=int, help="end after so many packets")
    arguments = parser.parse_args()
    if sys.stdout.isatty():
        parser.error("this writes bytes: | tcpdump -nr -   or   > FILE")
    try:
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
        packets.bind((arguments.interface, EVERY_PROTOCOL))
    except OSError as error:
        sys.stderr.write(f"capture: {arguments.interface}: {error.strerror}\n")
        return 1
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        copy(packets, arguments.count)
    return 0


def copy(packets: socket.socket, count: int | None) -> None:
    """Copy ``count`` packets, or all that come."""
    output = sys.stdout.buffer
    output.write(HEADER)
    output.flush()
    while count is None or count > 0:
        packet = packets.recv(LONGEST)
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        output.write(struct.pack("=IIII", seconds, nanoseconds // 1000, len(packet), len(packet)) + packet)
        output.flush()
        count = None if count is None else count - 1


if __name__ == "__main__":
    sys.exit(main())
