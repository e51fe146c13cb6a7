"""Who asks: bearer tokens, those the lab starts with and those issued to service accounts, and client certificates.

A certificate's common name is the user and its organizations are the groups
(https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID

from calico_lab import errors
from calico_lab.local.apiserver.store import Change, Store
from calico_lab.local.wire import JsonObject, Request

SERVICE_ACCOUNTS = ("", "serviceaccounts")
# A token lives as long as its account; clients are told of a time so far ahead that none asks for a new one.
TOKEN_LIFE = timedelta(days=365)


@dataclass(frozen=True)
class User:
    """A user or a service account."""

    name: str
    groups: tuple[str, ...]


class Authenticator:
    """Knows the tokens."""

    def __init__(self, tokens: Mapping[str, str], store: Store) -> None:
        groups = ("system:masters", "system:authenticated")
        self._users = {token: User(name, groups) for token, name in tokens.items()}
        self._issued: dict[str, set[str]] = {}
        store.on_change(SERVICE_ACCOUNTS, self._forget_deleted)

    def user(self, request: Request) -> User:
        """Return who sends a request. Raises ``Unauthorized`` for a token or certificate that does not count."""
        certified = _certified_user(request.client_certificate) if request.client_certificate else None
        if certified is not None:
            return certified
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        user = self._users.get(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise errors.Unauthorized("Unauthorized")
        return user

    def issue(self, account: JsonObject) -> tuple[str, str]:
        """Issue a token to a service account; returns it and when it ends."""
        metadata = account["metadata"]
        namespace = metadata["namespace"]
        token = secrets.token_urlsafe(32)
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        self._users[token] = User(f"system:serviceaccount:{namespace}:{metadata['name']}", groups)
        self._issued.setdefault(metadata["uid"], set()).add(token)
        return token, (datetime.now(UTC) + TOKEN_LIFE).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _forget_deleted(self, change: Change) -> None:
        if change.gone:
            for token in self._issued.pop(change.new.item["metadata"]["uid"], ()):
                del self._users[token]


def _certified_user(certificate: bytes) -> User | None:
    """Return whom a certificate of the lab's authority names; None for one that has expired or names nobody."""
    read = x509.load_der_x509_certificate(certificate)
    names = [str(name.value) for name in read.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if not names or not read.not_valid_before_utc <= datetime.now(UTC) <= read.not_valid_after_utc:
        return None
    groups = [str(name.value) for name in read.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    return User(names[0], (*groups, "system:authenticated"))
