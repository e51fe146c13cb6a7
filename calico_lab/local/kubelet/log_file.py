"""A container's log as a text file of one line for each line written, in the format of the CRI.

``2026-11-24T02:00:00.123456789Z stdout F the line``: when it was read, the stream it came from, F for a full line or P
for a part of one, and the text
(https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, NamedTuple

# As much again is kept: the file being written, and the one before it.
FILE_BYTES = 10 * 1024 * 1024
LINE_BYTES = 16 * 1024
_BLOCK_BYTES = 256 * 1024
_TIME_LENGTH = len("2026-11-24T02:00:00.123456789Z")
_TAG = _TIME_LENGTH + len(" stdout ")
_TEXT = _TAG + len("F ")


class LogLine(NamedTuple):
    """A line as it was written, its line end included; ``time`` as in the file, in UTC."""

    time: bytes
    text: bytes


class LogFile:
    """Appended to by the kubelet, read by any number of readers, each of which may follow what comes.

    A place in the log is the number of bytes before it since the log began, whatever has been dropped since.
    ``inside`` enters the mount namespace in which ``path`` is.
    """

    def __init__(self, path: Path, inside: Callable[[], AbstractContextManager[None]]) -> None:
        self._path = path
        self._inside = inside
        self._older: IO[bytes] | None = None
        self._older_start = self._start = self._end = 0
        self._rests: dict[str, bytes] = {}
        self._news = asyncio.Event()
        self.ended = False
        with inside():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._open()

    def append(self, stream: str, data: bytes) -> None:
        """Write what a container wrote to ``stdout`` or ``stderr``; a line without its end waits for it."""
        whole, newline, rest = (self._rests.get(stream, b"") + data).rpartition(b"\n")
        if newline:
            prefix = _prefix(stream, "F")
            self._write(prefix + whole.replace(b"\n", b"\n" + prefix) + b"\n")
        while len(rest) >= LINE_BYTES:
            self._write(_prefix(stream, "P") + rest[:LINE_BYTES] + b"\n")
            rest = rest[LINE_BYTES:]
        self._rests[stream] = rest

    def end(self) -> None:
        """Write what still waits for its line end: nothing more will come."""
        for stream, rest in self._rests.items():
            if rest:
                self._write(_prefix(stream, "P") + rest + b"\n")
        self._rests.clear()
        self.ended = True
        self._announce()

    def close(self) -> None:
        """Let go of the files; who follows the log comes to its end."""
        self.ended = True
        self._older_start = self._start = self._end
        self._announce()
        for file in (self._file, self._older):
            if file is not None:
                file.close()

    @property
    def place(self) -> int:
        """The end of the log as it is now."""
        return self._end

    def lines(self, place: int, end: int) -> Iterator[LogLine]:
        """Yield the lines between two places, as far as they are still kept."""
        for block in self._blocks(place, end):
            for line in block.split(b"\n")[:-1]:
                ending = b"\n" if line[_TAG : _TAG + 1] == b"F" else b""
                yield LogLine(line[:_TIME_LENGTH], line[_TEXT:] + ending)

    async def follow(self, place: int) -> AsyncIterator[LogLine]:
        """Yield the lines from a place on, and each new one, until the log has ended."""
        while True:
            news, end = self._news, self._end
            for line in self.lines(place, end):
                yield line
            if self.ended and end == self._end:
                return
            place = end
            await news.wait()

    def _open(self) -> IO[bytes]:
        return self._path.open("w+b", buffering=0)

    def _write(self, data: bytes) -> None:
        if self._end - self._start >= FILE_BYTES:
            self._rotate()
        os.pwrite(self._file.fileno(), data, self._end - self._start)
        self._end += len(data)
        self._announce()

    def _rotate(self) -> None:
        if self._older is not None:
            self._older.close()
        self._older, self._older_start, self._start = self._file, self._start, self._end
        with self._inside():
            self._path.replace(self._path.with_name(self._path.name + ".older"))
            self._file = self._open()

    def _announce(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _blocks(self, place: int, end: int) -> Iterator[bytes]:
        """Yield whole lines in blocks; looks the file up anew for each, since it may be another one by then."""
        while place < end:
            place = max(place, self._older_start)
            file, start, stop = self._file, self._start, end
            if self._older is not None and place < self._start:
                file, start, stop = self._older, self._older_start, min(end, self._start)
            if place >= stop:
                return
            data = os.pread(file.fileno(), min(_BLOCK_BYTES, stop - place), place - start)
            whole = data[: data.rfind(b"\n") + 1]
            place += len(whole)
            yield whole


def _prefix(stream: str, tag: str) -> bytes:
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{stamp}.{nanoseconds:09d}Z {stream} {tag} ".encode()
