"""What birdc prints, as tables: https://bird.network.cz/?get_doc&v=16&f=bird-4.html."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from calico_lab.errors import ReportError

if TYPE_CHECKING:
    import pandas as pd

_HEADER = re.compile(r"^name\s+proto\s+table\s+state\s+since\s+info\s*$", re.M)
_COLUMNS = ("name", "proto", "table", "state", "since", "info")
# A route: its prefix, left out when it is that of the line before; where to; and the protocol that it came from.
_ROUTE = re.compile(r"^(\S*)\s+(?:via (\S+) on (\S+)|dev (\S+)|(\w+))\s+\[(\S+)[^]]*\](\s+\*)?", re.M)


def parse_protocols(text: str) -> pd.DataFrame:
    """Read ``birdc show protocols``: a row for each protocol, by name, in BIRD's order.

    ``info`` of a BGP session is its state, ``Established`` once routes are exchanged, and the last error if any.
    Raises ``ReportError`` when the text is something else.
    """
    import pandas as pd

    header = _HEADER.search(text)
    if header is None:
        raise ReportError(f"this is not what birdc prints: {text.strip()[:200]!r}", remedy="sudo birdc show protocols")
    rows = [_row(line) for line in text[header.end() :].splitlines() if line.strip()]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).set_index("name")


def parse_routes(text: str) -> pd.DataFrame:
    """Read ``birdc show route``, also with ``for ADDRESS``: a row for each way to a prefix, in BIRD's order.

    Columns ``prefix``, ``via`` (the next hop, empty for a network of one's own), ``device``, ``protocol`` (whose route
    it is, such as a BGP session) and ``best`` (whether it is the one that BIRD has chosen).
    """
    import pandas as pd

    rows, prefix = [], ""
    for named, via, device, own, _kind, protocol, chosen in _ROUTE.findall(text):
        prefix = named or prefix
        rows.append((prefix, via, device or own, protocol, bool(chosen)))
    return pd.DataFrame(rows, columns=["prefix", "via", "device", "protocol", "best"])


def _row(line: str) -> list[str]:
    fields = line.split(maxsplit=len(_COLUMNS) - 1)
    if len(fields) < len(_COLUMNS) - 1:
        raise ReportError(f"this is not a line of birdc's table of protocols: {line!r}")
    return [field.rstrip() for field in fields] + [""] * (len(_COLUMNS) - len(fields))
