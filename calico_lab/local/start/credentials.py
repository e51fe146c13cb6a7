"""The credentials of one lab: made at every start, told to its owner's state folder and its first process, no one else.

The key of the certificate authority is used once and never stored.
"""

from __future__ import annotations

import datetime
import ipaddress
import secrets
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from calico_lab.local.start.settings import Credentials
from calico_lab.local.topology import CONTROL1, KUBERNETES_SERVICE

VALID_DAYS = 365
# The administrator's name and group, as in the certificates that kubeadm makes.
ADMINISTRATOR, ADMINISTRATORS = "kubernetes-admin", "system:masters"
_SERVER_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    CONTROL1.name,
)
_SERVER_ADDRESSES = (ipaddress.IPv4Address("127.0.0.1"), CONTROL1.address, KUBERNETES_SERVICE)

_PEM = serialization.Encoding.PEM
_UNENCRYPTED = serialization.NoEncryption()


def issue() -> Credentials:
    """Make new credentials."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name("calico-lab-ca")
    authority = _sign(authority_name, authority_key, authority_name, authority_key, _AUTHORITY_EXTENSIONS)
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = _sign(_name("kube-apiserver"), server_key, authority_name, authority_key, _server_extensions())
    admin_key = ec.generate_private_key(ec.SECP256R1())
    admin = _sign(_name(ADMINISTRATOR, ADMINISTRATORS), admin_key, authority_name, authority_key, _CLIENT_EXTENSIONS)
    host_key, host_public_key = _ssh_key()
    client_key, client_public_key = _ssh_key()
    return Credentials(
        certificate_authority=authority,
        server_certificate=server,
        server_key=_pem(server_key),
        admin_certificate=admin,
        admin_key=_pem(admin_key),
        token=secrets.token_urlsafe(32),
        ssh_host_key=host_key,
        ssh_host_public_key=host_public_key,
        ssh_client_key=client_key,
        ssh_client_public_key=client_public_key,
    )


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


_CLIENT_EXTENSIONS: Extensions = (
    (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
    (x509.BasicConstraints(ca=False, path_length=None), True),
)


def _server_extensions() -> Extensions:
    names = [x509.DNSName(name) for name in _SERVER_NAMES]
    addresses = [x509.IPAddress(address) for address in _SERVER_ADDRESSES]
    return (
        (x509.SubjectAlternativeName([*names, *addresses]), False),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
    )


def _name(common_name: str, *organizations: str) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, _UNENCRYPTED).decode()


def _sign(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    extensions: Extensions,
) -> str:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # for clocks that are a little behind
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        # Without the two identifiers OpenSSL's strict mode, Python 3.13's default, refuses the chain.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(_PEM).decode()


def _ssh_key() -> tuple[str, str]:
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(_PEM, serialization.PrivateFormat.OpenSSH, _UNENCRYPTED)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()
