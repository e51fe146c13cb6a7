"""The credentials of one lab: made at every start, told to its owner's state folder and its first process alone."""

from __future__ import annotations

import secrets
from ipaddress import IPv4Address

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from calico_lab.local.certificate_authority import Authority
from calico_lab.local.start.settings import Credentials
from calico_lab.local.topology import CONTROL1, KUBERNETES_SERVICE

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
_SERVER_ADDRESSES = (IPv4Address("127.0.0.1"), CONTROL1.address, KUBERNETES_SERVICE)


def issue() -> Credentials:
    """Make new credentials."""
    authority = Authority("calico-lab-ca")
    server = authority.server("kube-apiserver", _SERVER_NAMES, _SERVER_ADDRESSES)
    administrator = authority.client(ADMINISTRATOR, ADMINISTRATORS)
    host_key, host_public_key = _ssh_key()
    client_key, client_public_key = _ssh_key()
    return Credentials(
        certificate_authority=authority.certificate,
        server_certificate=server.certificate,
        server_key=server.key,
        admin_certificate=administrator.certificate,
        admin_key=administrator.key,
        token=secrets.token_urlsafe(32),
        ssh_host_key=host_key,
        ssh_host_public_key=host_public_key,
        ssh_client_key=client_key,
        ssh_client_public_key=client_public_key,
    )


def _ssh_key() -> tuple[str, str]:
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()
