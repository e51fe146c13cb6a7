import ssl
from pathlib import Path

import asyncssh
import pytest

from calico_lab.local.start.credentials import issue
from calico_lab.local.start.settings import Credentials


@pytest.fixture(scope="module")
def issued() -> Credentials:
    return issue()


def shake_hands(issued: Credentials, folder: Path, name: str, authority: str) -> None:
    """Do a whole TLS handshake in memory, the client as strict as Python can be; raises when it fails."""
    pair = folder / "server.pem"
    pair.write_text(issued.server_certificate + issued.server_key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pair)
    asking = ssl.create_default_context(cadata=authority)
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(to_client, to_server, server_hostname=name)
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "10.0.1.20", "10.49.0.1", "kubernetes.default.svc"])
def test_the_server_is_trusted_by_each_of_its_names(issued: Credentials, tmp_path: Path, name: str):
    shake_hands(issued, tmp_path, name, issued.certificate_authority)


def test_another_name_is_not_trusted(issued: Credentials, tmp_path: Path):
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(issued, tmp_path, "10.0.1.10", issued.certificate_authority)


def test_another_labs_authority_does_not_vouch_for_it(issued: Credentials, tmp_path: Path):
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(issued, tmp_path, "127.0.0.1", issue().certificate_authority)


def test_ssh_keys_are_pairs(issued: Credentials):
    for private, public in (
        (issued.ssh_host_key, issued.ssh_host_public_key),
        (issued.ssh_client_key, issued.ssh_client_public_key),
    ):
        own = asyncssh.import_private_key(private).convert_to_public()
        assert own == asyncssh.import_public_key(public)


def test_no_two_labs_share_a_secret(issued: Credentials):
    other = issue()
    assert not set(vars(issued).values()) & set(vars(other).values())
