"""JSON as it goes between the API server and its clients."""

from __future__ import annotations

import json
from typing import Any


def encode(value: Any) -> bytes:
    """Return a value as compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def decode(text: bytes) -> Any:
    """Return the value of a text in JSON; raises ``ValueError`` where it is none."""
    return json.loads(text)
