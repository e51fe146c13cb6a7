"""JSON as it goes between the API server and its clients: by orjson, and what that cannot carry by Python itself."""

from __future__ import annotations

import json
from typing import Any

import orjson


def encode(value: Any) -> bytes:
    """Return a value as compact JSON, in UTF-8."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # An integer of more than 64 bits, or more levels than orjson goes down.
        return json.dumps(value, separators=(",", ":")).encode()


def decode(text: bytes) -> Any:
    """Return the value of a text in JSON, above 64 bits a float; raises ``ValueError`` where it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
