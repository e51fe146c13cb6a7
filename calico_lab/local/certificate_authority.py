"""A certificate authority for one purpose, whose key is never stored: what it has signed is all that it ever signs."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 365

Extensions = Sequence[tuple[x509.ExtensionType, bool]]

_AUTHORITY_EXTENSIONS: Extensions = (
    (x509.BasicConstraints(ca=True, path_length=0), True),
    (
        x509.KeyUsage(
            key_cert_sign=True,
            crl_sign=True,
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        ),
        True,
    ),
)
_NO_AUTHORITY = (x509.BasicConstraints(ca=False, path_length=None), True)


class Pair(NamedTuple):
    """A certificate and its private key, both in PEM."""

    certificate: str
    key: str


class Authority:
    """An authority; ``certificate`` is its own, in PEM."""

    def __init__(self, name: str) -> None:
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(self._name, self._key, _AUTHORITY_EXTENSIONS)

    def server(self, name: str, dns_names: Iterable[str], addresses: Iterable[IPv4Address] = ()) -> Pair:
        """Issue a certificate to a server of these names and addresses."""
        alternatives = [*map(x509.DNSName, dns_names), *map(x509.IPAddress, addresses)]
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        return self._issue(_name(name), [(x509.SubjectAlternativeName(alternatives), False), (usage, False)])

    def client(self, name: str, *organizations: str) -> Pair:
        """Issue a certificate to a client."""
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return self._issue(_name(name, *organizations), [(usage, False)])

    def _issue(self, subject: x509.Name, extensions: Extensions) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Pair(self._sign(subject, key, [*extensions, _NO_AUTHORITY]), private.decode())

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extensions: Extensions) -> str:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))  # for clocks that are a little behind
            .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
            # Without the two identifiers OpenSSL's strict mode, Python 3.13's default, refuses the chain.
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _name(common_name: str, *organizations: str) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
