"""Something is done to the lab while requests come in: what became of them, and when.

hey sends a fixed number of requests at a fixed rate over a few connections that it keeps open. In the midst of them
something happens, and hey's own account of each request tells whether anybody noticed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.lab import Lab
from calico_lab.lessons import steps
from calico_lab.tools import hey

if TYPE_CHECKING:
    import pandas as pd

REQUESTS, CONNECTIONS, RATE = 400, 4, 60  # the rate is that of each connection, by the second
CALM_SECONDS = 0.5  # of load before anything is done
TIME_LIMIT = 60.0
OK = 200


@dataclass(frozen=True, repr=False)
class Disturbance:
    """What became of ``sent`` requests: ``answers`` has a row for each that got one, with ``status`` and ``offset``.

    ``begun`` and ``ended`` are the seconds, on the same clock as ``offset``, between which something was done.
    """

    sent: int
    answers: pd.DataFrame
    begun: float
    ended: float

    @property
    def served(self) -> int:
        """How many requests were answered with status 200."""
        return int((self.answers["status"] == OK).sum())

    @property
    def others(self) -> list[int]:
        """The other statuses that came back."""
        return sorted({int(status) for status in self.answers["status"]} - {OK})

    def __repr__(self) -> str:
        # How many requests are hit differs from run to run, so that only what they were answered with is told.
        unanswered = self.sent - len(self.answers)
        if self.served == self.sent:
            return f"{self.sent} requests sent, and every one of them was served"
        listed = [f"status {status}" for status in self.others] + ["no answer"] * bool(unanswered)
        return f"{self.sent} requests sent, and not every one was served: some got {' or '.join(listed)}"


def under_load(
    lab: Lab, disturb: Callable[[], object], *, requests: int = REQUESTS, connections: int = CONNECTIONS,
    scheme: str = "http", options: str = "",
) -> Disturbance:  # fmt: skip
    """Send the guide's requests, in the midst of them do something, and tell what became of all of them.

    ``scheme`` is ``http`` or ``https``, for which hey asks by the name of the host (SNI) and trusts everybody;
    ``options`` are more of hey's. Raises what ``disturb`` raises, once the load is over.
    """
    address = steps.gateway_address(lab)
    target = f'-host "www.example.com" {scheme}://{address}/round'
    command = f"hey -n {requests} -c {connections} -q {RATE} -t 5 -o csv {options} {target}"
    with ThreadPoolExecutor(1) as bastion:
        start = time.monotonic()
        load = bastion.submit(lab.bastion.run, command, time_limit=TIME_LIMIT)
        time.sleep(CALM_SECONDS)
        begun = time.monotonic() - start
        disturb()
        ended = time.monotonic() - start
        printed = load.result().output
    answers = hey.parse_csv(printed).rename(columns={"status-code": "status"})
    return Disturbance(hey.requests_sent(requests, connections), answers[["offset", "status"]], begun, ended)
