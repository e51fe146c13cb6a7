"""Waiting in tests for what must come true: the limit ends a wait that would have no end, and measures nothing."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

Answer = TypeVar("Answer")

# Less than the 30 s after which a kubelet kills what does not end by itself, and than any period of looking again.
LIMIT_SECONDS = 20.0


def wait_until(question: Callable[[], Answer], so: Callable[[Answer], object] = bool) -> Answer:
    """Ask until the answer is so, and return it; the last answer is told where it never is."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not so(answer := question()):
        assert time.monotonic() < deadline, f"after {LIMIT_SECONDS:g} s it is still {answer!r}"
        time.sleep(0.05)
    return answer


async def eventually(question: Callable[[], Answer | Awaitable[Answer]]) -> Answer:
    """Do the same, while others in the event loop go on; the question may be asynchronous."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not (answer := await _asked(question)):
        assert time.monotonic() < deadline, f"after {LIMIT_SECONDS:g} s it is still {answer!r}"
        await asyncio.sleep(0.005)
    return answer


async def _asked(question: Callable[[], Answer | Awaitable[Answer]]) -> Answer:
    answer = question()
    return cast(Answer, await answer if inspect.isawaitable(answer) else answer)
