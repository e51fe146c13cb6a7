"""A host's routes as a table, from ``ip -json -4 route``: https://man7.org/linux/man-pages/man8/ip-route.8.html."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from calico_lab.errors import ReportError

if TYPE_CHECKING:
    import pandas as pd

COMMAND = "ip -json -4 route"


def parse(text: str) -> pd.DataFrame:
    """Read what ``ip -json -4 route`` prints: a row for each ``destination``, with ``via`` and ``from``.

    ``via`` are the next hops, ``from`` is who told the kernel: ``kernel`` itself, ``bird``, ``dhcp``, ``static`` ...
    Raises ``ReportError`` when the text is something else.
    """
    import pandas as pd

    try:
        rows = [(route["dst"], _via(route), route.get("protocol", "")) for route in json.loads(text)]
    except (ValueError, TypeError, KeyError):
        raise ReportError(f"this is not what ip prints: {text.strip()[:200]!r}", remedy=COMMAND) from None
    return pd.DataFrame(rows, columns=["destination", "via", "from"]).set_index("destination")


def _via(route: dict[str, Any]) -> str:
    hops = [hop["gateway"] for hop in route.get("nexthops", [route]) if "gateway" in hop]
    return ", ".join(sorted(hops)) or f"directly, {route['dev']}"
