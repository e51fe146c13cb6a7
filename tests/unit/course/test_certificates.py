import subprocess
from datetime import timedelta

import pytest

from calico_lab.errors import ReportError
from calico_lab.lessons import certificates
from calico_lab.lessons.certificates import Authority


class Cluster:
    """Keeps what is applied."""

    def apply(self, text):
        self.applied = text
        return "applied"


@pytest.fixture(scope="module")
def authority():
    return Authority()


def verify(tmp_path, authority, certificate, *options):
    (tmp_path / "ca.crt").write_text(authority.certificate.pem)
    (tmp_path / "tls.crt").write_text(certificate.pem)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", tmp_path / "ca.crt", *options, tmp_path / "tls.crt"]
    return subprocess.run(command, capture_output=True, text=True).returncode


def test_openssl_trusts_what_the_authority_has_signed(authority, tmp_path):
    issued = authority.issue("www.example.com")
    assert verify(tmp_path, authority, issued.certificate, "-verify_hostname", "www.example.com") == 0
    assert verify(tmp_path, authority, issued.certificate, "-verify_hostname", "shop.example.com") != 0
    assert verify(tmp_path, Authority(), issued.certificate) != 0


def test_what_has_expired_is_not_trusted(authority, tmp_path):
    issued = authority.issue("www.example.com", lifetime=-timedelta(minutes=1))
    assert verify(tmp_path, authority, issued.certificate) != 0


def test_the_authority_numbers_what_it_signs():
    authority = Authority()
    issued = [authority.issue("www.example.com") for _ in range(3)]
    assert [each.certificate.serial for each in issued] == [1, 2, 3]
    assert repr(issued[2]) == "Certificate for www.example.com, serial 3, signed by the course's authority"


def test_a_certificate_is_read_from_what_stands_around_it(authority):
    issued = authority.issue("www.example.com", "shop.example.com")
    found = certificates.read(f"CONNECTED(00000003)\n{issued.certificate.pem}subject=\n")
    assert found == issued.certificate
    assert (found.names, found.issuer) == (issued.certificate.names, authority.certificate.names[0])


@pytest.mark.parametrize("text", ["", "no peer certificate available", f"{certificates._FIRST_LINE}\nx\n"])
def test_no_certificate_is_told(text):
    with pytest.raises(ReportError):
        certificates.read(text)


@pytest.mark.parametrize(
    ("host", "fits"),
    [("shop.example.com", True), ("example.org", True), ("a.shop.example.com", False), ("example.com", False)],
)
def test_a_star_stands_for_one_label(authority, host, fits):
    assert authority.issue("*.example.com", "example.org").certificate.is_for(host) is fits


def test_the_key_is_in_the_secret_and_in_nothing_that_is_shown(authority):
    import base64

    import yaml
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    cluster, issued = Cluster(), authority.issue("www.example.com")
    issued.into_secret(cluster, "www-certificate")
    data = yaml.safe_load(cluster.applied)["data"]
    texts = {name: base64.b64decode(value).decode() for name, value in data.items()}
    assert texts["tls.crt"] == issued.certificate.pem
    assert texts["ca.crt"] == authority.certificate.pem
    key = load_pem_private_key(texts["tls.key"].encode(), None)
    assert key.public_key() == issued._key.public_key()
    for shown in (issued, issued.certificate, authority, [issued], {"it": issued}):
        assert "PRIVATE" not in f"{shown!r}{shown}"
        assert texts["tls.key"].splitlines()[1] not in f"{shown!r}{shown}"
