"""Requests to a running lab about itself: see ``calico_lab.local.control`` for what can be asked."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from calico_lab.errors import LabError
from calico_lab.local.start import probe
from calico_lab.local.start.status import Status

PREFIX = "/calico-lab/"


def ask(lab: Status, method: str, path: str, body: Any = None) -> Any:
    """Send a request to a lab that runs and return its answer.

    Raises ``LabError`` with its words when it refuses, or that another version of calico_lab has started it.
    """
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
    if answer.status == 404 and content.get("kind") == "Status":  # an API server before which nothing of ours stands
        raise LabError(
            "another version of calico_lab started it",
            remedy=f"calico-lab down --name {lab.name}, then calico-lab up --name {lab.name}",
        )
    if answer.status != 200:
        raise LabError(f"lab {lab.name!r}: {content.get('message', answer.status)}")
    return content
