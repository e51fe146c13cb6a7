"""hey's report, as an object: https://github.com/rakyll/hey.

hey prints a summary, or with ``-o csv`` one line for each request that was answered. Only counts are the same in
every run; they are what a report shows as text. Times are for plots.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab.errors import ReportError

if TYPE_CHECKING:
    import pandas as pd

SECONDS, STATUS, OFFSET = "response-time", "status-code", "offset"  # of its CSV; the offset is when it was sent
CSV_COLUMNS = (
    SECONDS, "DNS+dialup", "DNS", "Request-write", "Response-delay", "Response-read", STATUS, OFFSET,
)  # fmt: skip


def requests_sent(n: int, c: int) -> int:
    """Return how many requests ``hey -n N -c C`` sends: each of the C workers sends N // C, and the rest is lost."""
    if not 1 <= c <= n:
        raise ValueError(f"hey refuses -n {n} -c {c}: it needs at least one worker, and a request for each")
    return (n // c) * c


@dataclass(frozen=True, repr=False)
class HeyReport:
    """What one run of hey sent and got back. ``latencies`` maps percentiles to seconds; times are in seconds."""

    statuses: Mapping[int, int]
    errors: Mapping[str, int]
    total_seconds: float
    requests_per_second: float
    fastest: float
    average: float
    slowest: float
    latencies: Mapping[int, float]

    @property
    def answered(self) -> int:
        """How many requests got an answer, of whatever status."""
        return sum(self.statuses.values())

    @property
    def sent(self) -> int:
        """How many requests were sent: those answered and those that failed."""
        return self.answered + sum(self.errors.values())

    def frame(self) -> pd.DataFrame:
        """Return the answers as a table: one row for each status, and one for what got none."""
        import pandas as pd

        rows = {str(status): count for status, count in sorted(self.statuses.items())}
        if self.errors:
            rows["no answer"] = sum(self.errors.values())
        return pd.DataFrame({"requests": rows.values()}, index=pd.Index(rows.keys(), name="status"), dtype=int)

    def __repr__(self) -> str:
        parts = [f"{count} with status {status}" for status, count in sorted(self.statuses.items())]
        parts += [f"{count} without an answer ({error})" for error, count in self.errors.items()]
        return f"{self.sent} requests sent: {', '.join(parts) or 'nothing came back'}"


def parse(text: str) -> HeyReport:
    """Read hey's summary. Raises ``ReportError`` when the text is something else."""
    if "Summary:" not in text or "Status code distribution:" not in text:
        raise ReportError(f"this is not a summary of hey: {text.strip()[:200]!r}", remedy="hey -n 100 -c 100 URL")
    return HeyReport(
        statuses={
            int(status): int(count) for status, count in re.findall(r"^  \[(\d+)\]\t(\d+) responses", text, re.M)
        },
        errors=_errors(text),
        total_seconds=_number(text, "Total"),
        requests_per_second=_number(text, "Requests/sec"),
        fastest=_number(text, "Fastest"),
        average=_number(text, "Average"),
        slowest=_number(text, "Slowest"),
        # With few requests hey prints the percentiles that it has no value for as "0% in 0.0000 secs".
        latencies={int(p): float(seconds) for p, seconds in re.findall(r"^  ([1-9]\d*)% in ([\d.]+) secs", text, re.M)},
    )


def parse_csv(text: str) -> pd.DataFrame:
    """Read the output of ``hey -o csv``: a row for each answered request, in the order in which they were sent.

    Requests that got no answer are not in it. Raises ``ReportError`` when the text is something else.
    """
    import pandas as pd

    if text.partition("\n")[0].strip() != ",".join(CSV_COLUMNS):
        raise ReportError(f"this is not the CSV of hey: {text.strip()[:200]!r}", remedy="hey -o csv URL")
    return pd.read_csv(io.StringIO(text)).sort_values(OFFSET, ignore_index=True)


def _number(text: str, name: str) -> float:
    found = re.search(rf"^  {re.escape(name)}:\s+(NaN|[\d.]+)", text, re.M)
    if not found:
        raise ReportError(f"hey's summary has no line {name!r}")
    return float(found[1])


def _errors(text: str) -> dict[str, int]:
    _, _, listed = text.partition("Error distribution:")
    return {error.strip(): int(count) for count, error in re.findall(r"^  \[(\d+)\]\t(.+)$", listed, re.M)}
