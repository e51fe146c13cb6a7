"""Lengths of time, as the Gateway API writes them (https://gateway-api.sigs.k8s.io/geps/gep-2257/)."""

from __future__ import annotations

import re

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d+)(ms|h|m|s)")


def seconds(text: str) -> float:
    """Return a duration such as ``1m30s`` in seconds; its form is checked by the kind's schema."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def optional_seconds(text: str | None) -> float | None:
    """Return a duration in seconds, None where there is none."""
    return None if text is None else seconds(text)
