"""Clients that carry back what they were told to carry: a browser's cookie, or a header that a program copies.

Each of them is curl on the bastion, with connections of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

from calico_lab.errors import ReportError
from calico_lab.tools import curl, echo

if TYPE_CHECKING:
    from calico_lab.bastion import Bastion
    from calico_lab.tools.curl import Answer

HOST, PATH = "www.example.com", "/round"


@dataclass(frozen=True, repr=False)
class Visits:
    """The pods that answered each client, by their names, one request after the other."""

    by_client: tuple[tuple[str, ...], ...]

    @property
    def kept(self) -> int:
        """How many clients one pod alone has answered."""
        return sum(len(set(pods)) == 1 for pods in self.by_client)

    @property
    def last(self) -> list[str]:
        """The pod that each client came to last."""
        return [pods[-1] for pods in self.by_client]

    @property
    def clients_per_pod(self) -> list[int]:
        """How many clients came to each pod last, the most first."""
        return sorted((self.last.count(pod) for pod in set(self.last)), reverse=True)

    def moved_since(self, before: Visits) -> list[int]:
        """Return the clients, counted from 1, that have come to another pod than before."""
        pairs = zip(before.last, self.last, strict=True)
        return [number for number, (old, new) in enumerate(pairs, 1) if old != new]

    def __repr__(self) -> str:
        clients, requests = len(self.by_client), len(self.by_client[0])
        who = {0: "none", clients: "each"}.get(self.kept, str(self.kept))
        return f"{clients} clients, {requests} requests each: {who} of them met one pod alone"


class Clients:
    """Clients of the gateway at an address, each of which has been told nothing so far.

    ``carry`` is the name of the cookie, or of the answers' header, that they send back with what was last told.
    """

    def __init__(self, bastion: Bastion, address: str, carry: str, number: int = 12, *, path: str = PATH) -> None:
        self._bastion, self._url, self._carry = bastion, f"http://{address}{path}", carry
        self.carried: list[dict[str, str]] = [{} for _ in range(number)]
        self.told = 0  # how often an answer told something to carry

    def ask(self, times: int) -> Visits:
        """Let each client ask once, one after the other; then each of them the other times, in a row."""
        first = self._send(range(len(self.carried)))
        rest = self._send([client for client in range(len(self.carried)) for _ in range(times - 1)])
        size = times - 1
        rows = [(pod, *rest[at * size : (at + 1) * size]) for at, pod in enumerate(first)]
        return Visits(tuple(rows))

    def _send(self, clients: Sequence[int]) -> list[str]:
        answers = curl.ask(self._bastion, (self._request(client) for client in clients), headers=True)
        for client, answer in zip(clients, answers, strict=True):
            told = told_to_carry(answer, self._carry)
            self.told += bool(told)
            self.carried[client] |= told
        return [pod_of(answer) for answer in answers]

    def _request(self, client: int) -> list[str]:
        fields = {"Host": HOST, "Connection": "close", **self.carried[client]}
        return [*with_headers(fields), self._url]


def told_to_carry(answer: Answer, name: str) -> dict[str, str]:
    """Return what a client has to send from now on, as headers: nothing, or one that carries ``name``."""
    cookies = SimpleCookie("; ".join(answer.headers.get_all("Set-Cookie", ())))
    if name in cookies:
        return {"Cookie": f"{name}={cookies[name].value}"}
    return {name: str(answer.headers[name])} if name in answer.headers else {}


def with_headers(fields: dict[str, str]) -> Iterator[str]:
    """Yield curl's options for the headers of a request."""
    for name, value in fields.items():
        yield from ("-H", f"{name}: {value}")


def pod_of(answer: Answer) -> str:
    """Return the name of the pod that answered; raises ``ReportError`` when none did."""
    if pod := echo.pod(answer.body):
        return pod
    remedy = "lab.check()   (is everything in force?)"
    raise ReportError(f"no pod answered, but somebody with status {answer.status}", remedy=remedy)
