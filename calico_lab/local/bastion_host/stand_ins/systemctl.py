"""The lab's stand-in for systemctl: hands its arguments to the lab, which runs the bastion's BIRD, prints its answer.

Needs the standard library only, so that it starts in a moment.
"""

import json
import socket
import sys

SOCKET = "/run/calico-lab/systemctl"


def main() -> int:
    """Ask, print, and return the exit code."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(SOCKET)
        connection.sendall(json.dumps(sys.argv[1:]).encode())
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            answer = json.load(stream)
    sys.stdout.write(answer["output"])
    sys.stderr.write(answer["errors"])
    return int(answer["exit_code"])


if __name__ == "__main__":
    sys.exit(main())
