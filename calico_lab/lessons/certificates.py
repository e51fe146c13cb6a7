"""Certificates for a lesson: an authority of the learner's own, and what it signs.

A private key goes from here into a Secret and nowhere else: it is in no text that is shown, and in no file.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import yaml

from calico_lab.errors import ReportError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from calico_lab.cluster import Applied, Cluster

AUTHORITY = "the course's authority"
LIFETIME = timedelta(days=1)
# Clocks differ: a certificate that begins now may not have begun yet where it is looked at.
_EARLIER = timedelta(hours=1)
_FIRST_LINE, _LAST_LINE = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@dataclass(frozen=True, repr=False)
class Certificate:
    """What everybody may see of a certificate: its DNS names, who signed it, its serial number; ``pem`` is all of it.

    Two are equal when they are the same certificate.
    """

    names: tuple[str, ...] = field(compare=False)
    issuer: str = field(compare=False)
    serial: int = field(compare=False)
    expires: datetime = field(compare=False)
    pem: str

    def __str__(self) -> str:
        return f"{', '.join(self.names)}, serial {self.serial}"

    def __repr__(self) -> str:
        return f"Certificate for {self}, signed by {self.issuer}"

    def is_for(self, host: str) -> bool:
        """Whether it stands for a host; the star of ``*.example.com`` is one label (RFC 6125, 6.4.3)."""
        return bool({host, f"*.{host.partition('.')[2]}"} & set(self.names))


@dataclass(frozen=True, repr=False)
class Issued:
    """A certificate with its private key, and the certificate of the authority that signed it."""

    certificate: Certificate
    authority: Certificate
    _key: EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return repr(self.certificate)

    def into_secret(self, cluster: Cluster, name: str) -> Applied:
        """Put both into a Secret of type ``kubernetes.io/tls``, in place of what it holds where there is one.

        ``ca.crt`` is the authority's certificate: there cert-manager puts it too
        (https://cert-manager.io/docs/concepts/certificate/).
        """
        parts = {"tls.crt": self.certificate.pem, "tls.key": _private(self._key), "ca.crt": self.authority.pem}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name},
            "type": "kubernetes.io/tls",
            "data": {file: base64.b64encode(text.encode()).decode() for file, text in parts.items()},
        }
        return cluster.apply(yaml.safe_dump(secret))


class Authority:
    """A certificate authority that nobody trusts yet. It numbers what it signs: 1, 2, 3."""

    def __init__(self, name: str = AUTHORITY) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self._name, self._signed = name, 0
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign((), self._key, LIFETIME)

    def __repr__(self) -> str:
        return f"{self._name}: {self._signed} certificates signed"

    def issue(self, *names: str, lifetime: timedelta = LIFETIME) -> Issued:
        """Sign a certificate for DNS names, for a key that is made for it."""
        from cryptography.hazmat.primitives.asymmetric import ec

        self._signed += 1
        key = ec.generate_private_key(ec.SECP256R1())
        return Issued(self._sign(names, key, lifetime), self.certificate, key)

    def _sign(self, names: tuple[str, ...], key: EllipticCurvePrivateKey, lifetime: timedelta) -> Certificate:
        """Sign a certificate for names, or without names that of the authority itself."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        now, public = datetime.now(UTC), key.public_key()
        builder = (
            x509.CertificateBuilder()
            .issuer_name(_named(self._name))
            .subject_name(_named(names[0] if names else self._name))
            .public_key(public)
            .serial_number(self._signed if names else x509.random_serial_number())
            .not_valid_before(now - _EARLIER)
            .not_valid_after(now + lifetime)
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )  # fmt: skip
        if names:
            bears = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(bears, critical=False)
        else:
            builder = builder.add_extension(_may_sign(), critical=True)
        return _seen(builder.sign(self._key, hashes.SHA256()))


def read(pem: str) -> Certificate:
    """Read the first certificate of a text in PEM; raises ``ReportError`` when there is none."""
    from cryptography import x509

    _before, begun, rest = pem.partition(_FIRST_LINE)
    body, ended, _after = rest.partition(_LAST_LINE)
    try:
        return _seen(x509.load_pem_x509_certificate(f"{begun}{body}{ended}\n".encode()))
    except ValueError:
        raise ReportError(
            "there is no certificate in PEM", remedy="openssl x509 -noout -text   (does it read it?)"
        ) from None


def _seen(made: x509.Certificate) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    def common_name(name: x509.Name) -> str:
        return next((str(each.value) for each in name.get_attributes_for_oid(NameOID.COMMON_NAME)), "")

    try:
        extension = made.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = tuple(extension.value.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        names = (common_name(made.subject),)
    pem = made.public_bytes(Encoding.PEM).decode()
    return Certificate(names, common_name(made.issuer), made.serial_number, made.not_valid_after_utc, pem)


def _may_sign() -> x509.KeyUsage:
    """Return what an authority needs besides ``ca``, by RFC 5280, 4.2.1.3; strict clients look for it."""
    from cryptography import x509

    uses = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{use: use in ("key_cert_sign", "crl_sign") for use in uses})


def _named(name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _private(key: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
