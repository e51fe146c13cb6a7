"""Asks one address over and over, and tells when the answer is another: a program for the bastion's network namespace.

``python probe.py ADDRESS PATH HEADER`` prints a line with the monotonic clock and the header's value whenever that
changes, and one with the clock and ``lost`` for each request without an answer 200.
"""

from __future__ import annotations

import http.client
import sys
import time


def main(address: str, path: str, header: str) -> None:
    """Ask until the program is ended."""
    seen = None
    connection = http.client.HTTPConnection(address, timeout=5)
    while True:
        try:
            connection.request("GET", path, headers={"host": "www.example.com"})
            answer = connection.getresponse()
            answer.read()
            status, value = answer.status, answer.headers.get(header)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            status, value = 0, repr(error)
        if status != http.client.OK:
            print(time.monotonic(), "lost", status, value, flush=True)
        elif value != seen:
            seen = value
            print(time.monotonic(), value, flush=True)
        time.sleep(0.001)


if __name__ == "__main__":
    main(*sys.argv[1:])
