"""Many requests in one run of curl on a host, and what each was answered."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from email.message import Message
from email.parser import HeaderParser
from itertools import islice
from typing import TYPE_CHECKING

from calico_lab.errors import PrerequisiteError

if TYPE_CHECKING:
    from calico_lab.host import Host

_SECONDS, _RUN_SECONDS = 10, 60.0
# A command line must not be too long: 128 kB in Linux for what a shell is given as one word.
_AT_ONCE = 250
_END = "--answered "


@dataclass(frozen=True)
class Answer:
    """What came of a request: ``status`` is 0 for nothing; ``headers`` are there where they were asked for."""

    status: int
    body: str
    headers: Message = field(default_factory=Message)


def ask(host: Host, requests: Iterable[Sequence[str]], *, headers: bool = False) -> list[Answer]:
    """Send requests one after the other; each is curl's options, with the URL among them.

    Raises ``PrerequisiteError`` when the host has no curl.
    """
    waiting, answers = iter(requests), list[Answer]()
    # One curl for many: starting it takes longer than asking.
    while some := list(islice(waiting, _AT_ONCE)):
        answers += _ask(host, some, headers=headers)
    return answers


def _ask(host: Host, requests: Iterable[Sequence[str]], *, headers: bool) -> Iterator[Answer]:
    always = ["-s", "--path-as-is", "--max-time", str(_SECONDS), "-w", f"\n{_END}%{{http_code}}\n"]
    always += ["-i"] if headers else []
    curl = " --next ".join(shlex.join([*always, *request]) for request in requests)
    done = host.run(f"command -v curl > /dev/null || exit 127; curl {curl}", check=False, time_limit=_RUN_SECONDS)
    if done.exit_code == 127:
        raise PrerequisiteError(f"{host.name} has no curl", remedy="sudo apt install -y curl   (there)")
    *blocks, _rest = re.split(rf"{_END}(\d+)\n", done.output)
    for block, status in zip(blocks[::2], blocks[1::2], strict=True):
        head, _, body = block.replace("\r\n", "\n").partition("\n\n") if headers else ("", "", block)
        yield Answer(int(status), body, HeaderParser().parsestr(head.partition("\n")[2]))
