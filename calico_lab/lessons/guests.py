"""Users with passwords, the Secret that lists them for Envoy, and who is let in where.

A password never leaves this module but as its hash or in a request: no text that an object shows of itself has it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from calico_lab.lessons import side_by_side

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.bastion import Bastion

HOST = "www.example.com"
# The key of the Secret that Envoy Gateway reads, and the header that the lesson's policies forward a user's name in.
USERS_KEY = ".htpasswd"
USER_HEADER = "X-User"


@dataclass(frozen=True)
class User:
    """A user with a password, as a rule a random one; ``note`` tells this try apart from others."""

    name: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    note: str = ""

    @property
    def line(self) -> str:
        """The user's line in a file of htpasswd's, with the SHA-1 of the password, as ``htpasswd -s`` writes it.

        Envoy reads no other hash: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/basic_auth_filter
        """
        digest = hashlib.sha1(self.password.encode(), usedforsecurity=False).digest()
        return f"{self.name}:{{SHA}}{base64.b64encode(digest).decode()}"

    @property
    def header(self) -> str:
        """The header by which a client says who asks (RFC 7617)."""
        return f"Authorization: Basic {base64.b64encode(f'{self.name}:{self.password}'.encode()).decode()}"

    def mistyping(self) -> User:
        """Return the same user with a wrong password."""
        return User(self.name, f"{self.password}?", "mistyped")

    def __str__(self) -> str:
        return f"{self.name}, {self.note}" if self.note else self.name


def secret(name: str, *users: User) -> str:
    """Return the manifest of a Secret that lists users."""
    content = "".join(f"{user.line}\n" for user in users)
    metadata = {"name": name}
    return yaml.safe_dump(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {USERS_KEY: content}}
    )


def ask(bastion: Bastion, address: str, visits: Iterable[tuple[User | None, str]]) -> pd.DataFrame:
    """Send a request for each visit: a user, or None for nobody, and a path.

    Returns a row for each, by who asks: its ``path``, the ``status``, and of the headers that the pod got ``X-User``
    and whether ``Authorization``, and so the password, was among them. Raises ``PrerequisiteError`` when the bastion
    has no curl.
    """
    import pandas as pd

    visits = list(visits)
    answers = side_by_side.ask(bastion, [(address, HOST, _request(user, path)) for user, path in visits])
    rows = [
        (path, answer.status, answer.headers.get(USER_HEADER, ""), "yes" if "Authorization" in answer.headers else "")
        for (_user, path), answer in zip(visits, answers, strict=True)
    ]
    index = pd.Index([str(user or "nobody") for user, _path in visits], name="who asks")
    return pd.DataFrame(rows, columns=["path", "status", USER_HEADER, "password passed on"], index=index)


def _request(user: User | None, path: str) -> str:
    return path if user is None else shlex.join(["-H", user.header, path])
