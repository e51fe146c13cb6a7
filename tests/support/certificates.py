"""Certificates for tests, each signed by itself."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from support.gateway_api import item


class Pair(NamedTuple):
    certificate: str
    key: str
    der: bytes


def pair(*names: str, key: Any = None, days: int = 1, age: timedelta = timedelta(hours=1)) -> Pair:
    """A certificate for DNS names, of which the first is its subject, and its private key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    began = datetime.now(UTC) - age
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(made.public_bytes(Encoding.PEM).decode(), secret.decode(), made.public_bytes(Encoding.DER))


def tls_secret(name: str, content: Pair, namespace: str = "default", **changes: Any) -> dict[str, Any]:
    data = {"tls.crt": content.certificate, "tls.key": content.key} | changes.pop("data", {})
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    return item("Secret", name, namespace, **({"type": "kubernetes.io/tls", "data": encoded} | changes))
