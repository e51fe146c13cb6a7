"""What a kubelet answers to requests for a container's log: selection of lines, and the refusals in Kubernetes' words.

The query is that of the API's PodLogOptions
(https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from calico_lab.errors import BadRequest
from calico_lab.local.kubelet.container_log import ContainerLog
from calico_lab.local.kubelet.log_file import LogFile, LogLine
from calico_lab.local.kubelet.status import ContainerState
from calico_lab.local.wire import Request

_BLOCK_LINES = 5000


@dataclass(frozen=True)
class LogOptions:
    """Which lines are asked for; ``since`` in the form of the log's own times, empty for all."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: bytes = b""

    @classmethod
    def of(cls, request: Request) -> LogOptions:
        """Read the options from a query. Raises ``BadRequest`` for a value that none of them can have."""
        try:
            return cls(
                follow=_flag(request, "follow"),
                previous=_flag(request, "previous"),
                timestamps=_flag(request, "timestamps"),
                tail_lines=_number(request, "tailLines", 0),
                limit_bytes=_number(request, "limitBytes", 1),
                since=_since(request),
            )
        except ValueError as error:
            raise BadRequest(f"invalid log options: {error}") from error


def choose_log(pod: str, state: ContainerState, logs: list[ContainerLog], *, previous: bool) -> ContainerLog:
    """Return the log to read, of ``logs`` from the oldest to the newest. Raises ``BadRequest`` if there is none yet."""
    name = state.name
    if previous:
        if not state.last_state or len(logs) < (1 if "waiting" in state.state else 2):
            raise BadRequest(f'previous terminated container "{name}" in pod "{pod}" not found')
        return logs[-1] if "waiting" in state.state else logs[-2]
    if logs:
        return logs[-1]
    reason = (state.state.get("waiting") or {}).get("reason", "ContainerCreating")
    reason = {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(reason, reason)
    raise BadRequest(f'container "{name}" in pod "{pod}" is waiting to start: {reason}')


async def stream(log: ContainerLog, options: LogOptions) -> AsyncIterator[bytes]:
    """Yield what was asked for. Every line that the container wrote before this call is there."""
    log.drain()
    left = options.limit_bytes
    async for block in _blocks(log.file, options):
        piece = b"".join(_print(line, options) for line in block)
        if left is not None:
            piece = piece[:left]
            left -= len(piece)
        if piece:
            yield piece
        if left == 0:
            return


async def _blocks(file: LogFile, options: LogOptions) -> AsyncIterator[Iterable[LogLine]]:
    place = file.place
    lines = _select(file.lines(0, place), options)
    while block := list(islice(lines, _BLOCK_LINES)):
        yield block
        await asyncio.sleep(0)  # a long log must not keep everybody else waiting
    if options.follow:
        async for line in file.follow(place):
            yield [line]


def _select(lines: Iterator[LogLine], options: LogOptions) -> Iterator[LogLine]:
    if options.since:
        lines = (line for line in lines if line.time >= options.since)
    if options.tail_lines is not None:
        lines = iter(deque(lines, maxlen=options.tail_lines))
    return lines


def _print(line: LogLine, options: LogOptions) -> bytes:
    return b"%b %b" % (line.time, line.text) if options.timestamps else line.text


def _flag(request: Request, name: str) -> bool:
    return request.parameter(name).lower() in ("true", "1")


def _number(request: Request, name: str, least: int) -> int | None:
    text = request.parameter(name)
    if not text:
        return None
    if int(text) < least:
        raise ValueError(f"{name} must be at least {least}")
    return int(text)


def _since(request: Request) -> bytes:
    seconds, time = _number(request, "sinceSeconds", 1), request.parameter("sinceTime")
    if seconds is not None and time:
        raise ValueError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if seconds is not None:
        start = datetime.now(UTC) - timedelta(seconds=seconds)
    elif time:
        start = datetime.fromisoformat(time).astimezone(UTC)
    else:
        return b""
    return start.strftime("%Y-%m-%dT%H:%M:%S.%f000Z").encode()
