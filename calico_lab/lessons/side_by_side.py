"""The same requests to two ways into a cluster, answer by answer.

Of an answer of the echo server counts what does not depend on chance: the status, the Deployment whose pod answered,
and the path that it saw. By which proxy a request came, the pod itself tells, from the headers that it got.
"""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calico_lab.bastion import Bastion
from calico_lab.cluster import Awaited
from calico_lab.lessons import waits
from calico_lab.tools import curl, echo

if TYPE_CHECKING:
    import pandas as pd

# What each proxy tells a backend of itself.
PROXIES = {"X-Forwarded-Server": "Traefik", "X-Envoy-External-Address": "Envoy"}
_CELL = "padding:.25em .7em;text-align:left"
_POD = re.compile(r'"pod": "([^"]+)-[a-z0-9]+-[a-z0-9]+"')
_PATH = re.compile(r'^ "path": "([^"]*)"', re.M)


@dataclass(frozen=True)
class Answer:
    """What came of a request: ``status`` is 0 for none; ``deployment`` and ``path`` are what the pod says, if any.

    ``headers`` are those that the pod was sent; answers that differ in them alone are the same.
    """

    status: int
    deployment: str = ""
    path: str = ""
    proxy: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.status) if self.status else "no answer", self.deployment, self.path)))


@dataclass(frozen=True, repr=False)
class Comparison:
    """Requests, and for each the answers of the ways in, by their names."""

    requests: tuple[str, ...]
    answers: Mapping[str, tuple[Answer, ...]]

    @property
    def differing(self) -> list[str]:
        """The requests that were not answered alike."""
        rows = zip(*([str(answer) for answer in column] for column in self.answers.values()), strict=True)
        return [request for request, row in zip(self.requests, rows, strict=True) if len(set(row)) > 1]

    def frame(self) -> pd.DataFrame:
        """Return a table: a row for each request, a column for each way in, and whether they are the ``same``."""
        import pandas as pd

        columns = {name: [str(answer) for answer in column] for name, column in self.answers.items()}
        same = ["no" if request in self.differing else "yes" for request in self.requests]
        return pd.DataFrame({**columns, "same": same}, index=pd.Index(self.requests, name="request"))

    def __repr__(self) -> str:
        return str(self.frame().to_string())

    def _repr_html_(self) -> str:
        head = "".join(f'<th style="{_CELL}">{html.escape(name)}</th>' for name in ("request", *self.answers, ""))
        return f'<table style="border-collapse:collapse"><tr>{head}</tr>{"".join(self._rows())}</table>'

    def _rows(self) -> Iterator[str]:
        """Yield the rows of the page; one in which the answers differ bears a sign, and stands out."""
        for number, request in enumerate(self.requests):
            differs = request in self.differing
            answers = [html.escape(str(column[number])) for column in self.answers.values()]
            cells = [f"<code>{html.escape(request)}</code>", *answers, "≠" if differs else "="]
            look = f"{_CELL};font-weight:bold" if differs else _CELL
            yield "<tr>" + "".join(f'<td style="{look}">{cell}</td>' for cell in cells) + "</tr>"


def compare(bastion: Bastion, ways: Mapping[str, str], host: str, requests: Sequence[str]) -> Comparison:
    """Put the same requests to several addresses; each is a path, with options of curl before it.

    Raises ``PrerequisiteError`` when the bastion has no curl.
    """
    asked = [(address, host, request) for address in ways.values() for request in requests]
    found = ask(bastion, asked)
    size = len(requests)
    return Comparison(
        tuple(requests), {name: tuple(found[at * size : (at + 1) * size]) for at, name in enumerate(ways)}
    )


def ask(bastion: Bastion, requests: Iterable[tuple[str, str, str]]) -> list[Answer]:
    """Send requests one after the other, given as address, host, and a path with options of curl before it.

    Raises ``PrerequisiteError`` when the bastion has no curl.
    """
    answers = curl.ask(bastion, [_options(*request) for request in requests])
    return [_read(answer.body, answer.status) for answer in answers]


def _options(address: str, host: str, request: str) -> list[str]:
    *options, path = shlex.split(request)
    return ["-H", f"Host: {host}", *options, f"http://{address}{path}"]


def _read(body: str, status: int) -> Answer:
    pod, path = _POD.search(body), _PATH.search(body)
    proxy = next((name for header, name in PROXIES.items() if f'"{header}"' in body), "")
    return Answer(status, pod[1] if pod else "", path[1] if path else "", proxy, echo.headers(body))


def served(bastion: Bastion, address: str, host: str, request: str, *, who: str) -> Awaited:
    """Wait until a request that has a route is answered with status 200 at an address."""
    return waits.until(
        lambda: [answer.status for answer in ask(bastion, [(address, host, request)])] == [200],
        f"{who} serves {host}", remedy=f"curl -i -H 'Host: {host}' http://{address}{request.split()[-1]}",
    )  # fmt: skip
