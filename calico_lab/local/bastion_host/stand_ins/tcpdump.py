"""The machine's tcpdump, run so that it works on a node: it reads what ``capture`` captures, and is not root.

Started by root it wants to become another user, and the lab has but one. So this captures in its place, and runs it in
a user namespace of its own, where the same user has another number. Options are tcpdump's (tcpdump(1)).
"""

import getopt
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAM = "/usr/bin/tcpdump"
CAPTURE = str(Path(sys.argv[0]).with_name("capture.py"))
# -l: what is seen is told at once, also where a pipe or SSH without a terminal carries it.
AS_ANOTHER_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000", PROGRAM, "-l")
SHORT = "AbB:c:C:dDeE:fF:G:hHi:IJj:KlLm:M:nNOpqQ:r:s:StT:uUvV:w:W:xXy:z:Z:#"
LONG = (
    "count", "help", "immediate-mode", "interface=", "lengths", "list-data-link-types", "list-interfaces",
    "list-time-stamp-types", "micro", "monitor-mode", "nano", "no-promiscuous-mode", "number", "packet-buffered",
    "print", "relinquish-privileges=", "snapshot-length=", "time-stamp-precision=", "time-stamp-type=", "version",
)  # fmt: skip
# With these it looks at no packets, or at those of a file.
WITHOUT_CAPTURE = {
    "-d", "-D", "-h", "-J", "-L", "-r", "-V", "--help", "--list-data-link-types", "--list-interfaces",
    "--list-time-stamp-types", "--version",
}  # fmt: skip
REFUSED = {"-Q": "a direction", "-I": "monitor mode", "--monitor-mode": "monitor mode", "-y": "another link type"}
DROPPED = ("-i", "--interface", "-Z", "--relinquish-privileges")


def main() -> int:
    """Run tcpdump and return its exit code."""
    if not shutil.which(PROGRAM):
        return fail("this machine has none: sudo apt install tcpdump   (or, on the node: capture eth0 > FILE)", 127)
    try:
        options, expression = getopt.gnu_getopt(sys.argv[1:], SHORT, LONG)
    except getopt.GetoptError as error:
        return fail(str(error), 1)
    for name, _ in options:
        if name in REFUSED:
            return fail(f"the lab's nodes cannot give it {REFUSED[name]} ({name})", 1)
    kept = [word for name, value in options if name not in DROPPED for word in (name, value) if word]
    if any(name in WITHOUT_CAPTURE for name, _ in options):
        return subprocess.run([*AS_ANOTHER_USER, *kept, *expression], check=False).returncode
    interface = next((value for name, value in options if name in DROPPED[:2]), "eth0")
    return follow(interface, [*kept, *expression])


def follow(interface: str, words: list[str]) -> int:
    """Have tcpdump read the packets of an interface. Ctrl-C ends the capture and, by that, tcpdump."""
    packets, captured = os.pipe()
    with subprocess.Popen([sys.executable, "-IS", CAPTURE, interface], stdout=captured) as capture:
        os.close(captured)
        with subprocess.Popen([*AS_ANOTHER_USER, "-r", "-", *words], stdin=packets, process_group=0) as reading:
            os.close(packets)
            try:
                reading.wait()
            except KeyboardInterrupt:
                capture.terminate()  # for where it has come to this program alone
        capture.terminate()
    return reading.returncode


def fail(problem: str, exit_code: int) -> int:
    """Say what is wrong; returns the exit code."""
    sys.stderr.write(f"tcpdump: {problem}\n")
    return exit_code


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
