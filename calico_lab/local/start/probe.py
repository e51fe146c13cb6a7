"""Whether a lab answers where its users would ask: on this machine's loopback."""

from __future__ import annotations

import base64
import http.client
import re
import socket
import ssl
from pathlib import Path

TIMEOUT_SECONDS = 5.0


def api_problem(port: int, kubeconfig: Path) -> str:
    """Ask the API server whether it is ready, as the kubeconfig's user; returns what is wrong, or nothing."""
    try:
        connection, headers = connect(port, kubeconfig)
    except FileNotFoundError:
        return "it is still starting"
    try:
        connection.request("GET", "/readyz", headers=headers)
        answer = connection.getresponse()
        return "" if answer.status == 200 else f"the API server answers {answer.status} to /readyz"
    except (OSError, http.client.HTTPException) as error:
        return f"the API server does not answer: {error}"
    finally:
        connection.close()


def connect(port: int, kubeconfig: Path) -> tuple[http.client.HTTPSConnection, dict[str, str]]:
    """Return a connection to the API server, not yet opened, and the headers that say whose it is."""
    authority, token = (_value(name, kubeconfig) for name in ("certificate-authority-data", "token"))
    tls = ssl.create_default_context(cadata=base64.b64decode(authority).decode())
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS, context=tls)
    return connection, {"Authorization": f"Bearer {token}"}


def _value(name: str, kubeconfig: Path) -> str:
    """Return the value of a key that stands once in a kubeconfig of ours; a YAML parser would take its time."""
    found = re.search(rf"^ *{name}: (\S+)$", kubeconfig.read_text(), re.MULTILINE)
    return found[1] if found else ""


def ssh_problem(port: int) -> str:
    """Ask the bastion for its SSH banner (RFC 4253, 4.2); returns what is wrong, or nothing."""
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
            banner = connection.recv(256)
    except OSError as error:
        return f"the bastion does not answer: {error}"
    return "" if banner.startswith(b"SSH-2.0-") else "what answers at the bastion's port is not SSH"
