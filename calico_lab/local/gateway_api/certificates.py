"""Certificates of listeners: the Secrets that a listener refers to, and what may be wrong with them.

Reasons and messages are those of Envoy Gateway 1.5.9, quirks included: a Secret that is missing in another namespace is
named with the Gateway's. Two faults that it overlooks are told as well, because Envoy would refuse the certificate:
a private key that isn't the certificate's, in the words of later releases, and an RSA key shorter than 2048 bits.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from calico_lab.local.gateway_api.model import Certificate
from calico_lab.local.gateway_api.references import granted
from calico_lab.local.gateway_api.world import ObjectName, World, name_of
from calico_lab.local.wire import JsonObject

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

TLS_SECRET = "kubernetes.io/tls"  # noqa: S105  a type of Secret
CERTIFICATE_KEY, PRIVATE_KEY_KEY = "tls.crt", "tls.key"
LEAST_RSA_BITS = 2048

_KEY_FORMATS = {"PRIVATE KEY": "PKCS8", "RSA PRIVATE KEY": "PKCS1", "EC PRIVATE KEY": "EC"}


class InvalidReference(Exception):
    """Why a certificateRef does not resolve: the reason and the message of a condition."""

    def __init__(self, message: str, reason: str = "InvalidCertificateRef") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Found(NamedTuple):
    """The certificates of a listener, the DNS names in them, and the fault for which it cannot have them."""

    certificates: tuple[Certificate, ...] = ()
    dns_names: tuple[str, ...] = ()
    fault: InvalidReference | None = None


def certificates_of(world: World, references: Iterable[JsonObject], gateway: ObjectName) -> Found:
    """Return the certificates that the certificateRefs of one of a Gateway's listeners name."""
    secrets: list[JsonObject] = []
    fault: InvalidReference | None = None
    for reference in references:
        try:
            secrets.append(_secret(world, reference, gateway))
        except InvalidReference as error:
            fault = error
            break
    try:
        parsed = _validated(secrets, world.time)
    except InvalidReference as error:
        return Found(fault=error)
    dns_names = tuple(name for each in parsed for name in _dns_names(each))
    return Found(tuple(_certificate(secret) for secret in secrets), dns_names, fault)


def _secret(world: World, reference: JsonObject, gateway: ObjectName) -> JsonObject:
    if reference.get("group", "") != "":
        raise InvalidReference("Listener's TLS certificate ref group must be unspecified/empty.")
    if reference.get("kind", "Secret") != "Secret":
        raise InvalidReference("Listener's TLS certificate ref kind must be Secret.")
    name = ObjectName(reference.get("namespace") or gateway.namespace, reference["name"])
    if name.namespace != gateway.namespace and not granted(
        world.reference_grants, kind="Gateway", namespace=gateway.namespace, to_kind="Secret", to=name
    ):
        text = f"Certificate ref to secret {name} not permitted by any ReferenceGrant."
        raise InvalidReference(text, "RefNotPermitted")
    told = f"Secret {gateway.namespace}/{name.name}"
    secret = world.secrets_by_name.get(name)
    if secret is None:
        raise InvalidReference(f"{told} does not exist.")
    if secret.get("type") != TLS_SECRET:
        raise InvalidReference(f"{told} must be of type {TLS_SECRET}.")
    if not all((secret.get("data") or {}).get(key) for key in (CERTIFICATE_KEY, PRIVATE_KEY_KEY)):
        raise InvalidReference(f"{told} must contain {CERTIFICATE_KEY} and {PRIVATE_KEY_KEY}.")
    return secret


def _validated(secrets: Iterable[JsonObject], time: datetime) -> list[x509.Certificate]:
    """Return the first certificate of each Secret. Raises :class:`InvalidReference` for the first that is not valid."""
    known: set[tuple[str, str]] = set()
    parsed = []
    for secret in secrets:
        told = f"Secret {name_of(secret)}"
        try:
            certificate = _parsed(secret, time)
            key = _private_key(_content(secret, PRIVATE_KEY_KEY))
        except ValueError as error:
            text = f"{told} must contain valid {CERTIFICATE_KEY} and {PRIVATE_KEY_KEY}, {error}."
            raise InvalidReference(text) from error
        _check_fit(told, certificate, key)
        for domain in _domains(certificate):
            algorithm = _algorithm(certificate)
            if (algorithm, domain) in known:
                text = f"certificate domain {domain} has a conflicting algorithm [{algorithm}]"
                raise InvalidReference(f"{told} public key algorithm must be unique, {text}.")
            known.add((algorithm, domain))
        parsed.append(certificate)
    return parsed


def _parsed(secret: JsonObject, time: datetime) -> x509.Certificate:
    from cryptography import x509

    where = f"in {CERTIFICATE_KEY}"
    try:
        certificate = x509.load_pem_x509_certificate(_content(secret, CERTIFICATE_KEY).encode())
    except ValueError as error:
        raise ValueError(f"unable to validate certificate {where}: pem decode failed") from error
    if time > certificate.not_valid_after_utc:
        raise ValueError(f"unable to validate certificate {where}: certificate is expired")
    if time < certificate.not_valid_before_utc:
        raise ValueError(f"unable to validate certificate {where}: certificate is not yet valid")
    return certificate


# Kept, because the primes of an RSA key take 40 ms to check, and every change of anything asks for all certificates.
@lru_cache(maxsize=256)
def _private_key(text: str) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    block = text.partition("-----BEGIN ")[2].partition("-----")[0]
    if not block:
        raise ValueError(f"unable to decode pem data in {PRIVATE_KEY_KEY}")
    if block not in _KEY_FORMATS:
        raise ValueError(f"{block} key format found in {PRIVATE_KEY_KEY}, supported formats are PKCS1, PKCS8 or EC")
    try:
        return load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"unable to parse {_KEY_FORMATS[block]} formatted private key in {PRIVATE_KEY_KEY}") from error


def _check_fit(told: str, certificate: x509.Certificate, key: PrivateKeyTypes) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if key.public_key() != certificate.public_key():
        text = "tls: private key does not match public key"
        raise InvalidReference(f"{told} must contain a matching {CERTIFICATE_KEY} and {PRIVATE_KEY_KEY}: {text}.")
    if isinstance(key, RSAPrivateKey) and key.key_size < LEAST_RSA_BITS:
        text = f"its RSA key has {key.key_size} bits, and Envoy takes no fewer than {LEAST_RSA_BITS}"
        raise InvalidReference(f"{told} cannot be used: {text}.")


def _dns_names(certificate: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return list(extension.value.get_values_for_type(x509.DNSName))


def _domains(certificate: x509.Certificate) -> list[str]:
    from cryptography.x509.oid import NameOID

    common_names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return _dns_names(certificate) or [str(each.value) for each in common_names[:1] if each.value]


def _algorithm(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA"
    return "ECDSA" if isinstance(key, ec.EllipticCurvePublicKey) else "Ed25519"


def _certificate(secret: JsonObject) -> Certificate:
    return Certificate(str(name_of(secret)), _content(secret, CERTIFICATE_KEY), _content(secret, PRIVATE_KEY_KEY))


def _content(secret: JsonObject, key: str) -> str:
    try:
        return base64.b64decode(secret["data"][key]).decode(errors="replace")
    except binascii.Error as error:
        raise ValueError(f"unable to decode pem data in {key}") from error
