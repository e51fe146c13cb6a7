"""Durations as policies, routes and Envoy write them (https://gateway-api.sigs.k8s.io/geps/gep-2257/)."""

from __future__ import annotations

import re

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def seconds(duration: str | None) -> float | None:
    """Return a duration, such as a policy's ``1m30s`` or Envoy's ``0.500s``, in seconds; None for none."""
    if duration is None:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([\d.]+)(ms|h|m|s)", duration))
