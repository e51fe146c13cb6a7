"""Requests to a running lab about itself: see ``calico_lab.local.control`` for what can be asked."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from calico_lab.errors import LabError
from calico_lab.local.start import probe

if TYPE_CHECKING:
    from calico_lab.local.start.lifecycle import Status

PREFIX = "/calico-lab/"


def ask(lab: Status, method: str, path: str, body: Any = None) -> Any:
    """Send a request to a lab that runs and return its answer. Raises ``LabError`` with its words when it refuses."""
    encoded = None if body is None else json.dumps(body)
    connection, headers = probe.connect(lab.api_port or 0, Path(lab.kubeconfig or ""))
    try:
        connection.request(method, PREFIX + quote(path), encoded, headers)
        answer = connection.getresponse()
        content = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LabError(f"lab {lab.name!r} did not answer {method} {path}: {error}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise LabError(f"lab {lab.name!r}: {content.get('message', answer.status)}")
    return content
