"""Reads the log that a lab's first process writes: whole, its end, as it grows, or what one part of the lab said.

A record is a line that begins with a time, and the lines that follow it without one, such as a traceback.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

POLL_SECONDS = 0.1
# The format that the first process gives to logging: time, level, logger, message.
_HEAD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ (?P<logger>[\w.]+): ")


def of_loggers(lines: Iterable[str], prefixes: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of the records whose logger is below one of ``prefixes``; all, if there are none."""
    wanted = not prefixes
    for line in lines:
        if prefixes and (head := _HEAD.match(line)):
            wanted = any(f"{head['logger']}.".startswith(f"{prefix}.") for prefix in prefixes)
        if wanted:
            yield line


def show(log: Path, prefixes: tuple[str, ...], say: Callable[[str], None], *, tail: int | None, follow: bool) -> None:
    """Hand each line to ``say``: the last ``tail`` of those there are, then, to follow, new ones as they come.

    Returns at the end of the log or, when following, once the lab's state folder is deleted. Raises
    ``FileNotFoundError`` when there is no log.
    """
    with log.open(errors="replace") as file:
        for line in deque(of_loggers(file, prefixes), maxlen=tail):
            say(line.rstrip("\n"))
        if follow:
            for line in of_loggers(_new_lines(file, log), prefixes):
                say(line.rstrip("\n"))


def _new_lines(file: IO[str], log: Path) -> Iterator[str]:
    unfinished = ""
    while log.exists():
        if log.stat().st_size < file.tell():  # the lab has begun anew, and its log with it
            file.seek(0)
        unfinished += file.readline()
        if unfinished.endswith("\n"):
            yield unfinished
            unfinished = ""
        else:
            time.sleep(POLL_SECONDS)
