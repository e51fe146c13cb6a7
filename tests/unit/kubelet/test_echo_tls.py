"""echo-basic over HTTPS, as a program of its own."""

import json
import signal
import ssl
import subprocess
import sys
import time

import pytest
from support import certificates, ports
from support.eventually import LIMIT_SECONDS
from support.ports import free_port

from calico_lab.local.kubelet.images.echo_tls import cipher_suite

NAME = "echo.example.com"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The program with a certificate: its HTTPS port and its log."""
    folder = tmp_path_factory.mktemp("echo-tls")
    content = certificates.pair(NAME)
    (folder / "tls.crt").write_text(content.certificate)
    (folder / "tls.key").write_text(content.key)
    environment = {"HTTP_PORT": str(free_port()), "H2C_PORT": str(free_port()), "HTTPS_PORT": str(free_port())}
    environment |= {"TLS_SERVER_CERT": str(folder / "tls.crt"), "TLS_SERVER_PRIVKEY": str(folder / "tls.key")}
    environment |= {"TLS_CLIENT_CACERTS": str(folder / "tls.crt")}
    with (folder / "log").open("wb") as log:
        process = run(environment, stdout=log, stderr=log)
        yield int(environment["HTTPS_PORT"]), folder
        process.terminate()
        assert process.wait(5) == -signal.SIGTERM


def run(environment, **streams):
    command = [sys.executable, "-I", "-m", "calico_lab.local.kubelet.images.echo_basic"]
    return subprocess.Popen(command, env=environment | {"PATH": "/bin"}, **streams)


def connect(port, protocols=(), *, certificate=None, version=None):

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    if certificate:
        context.load_cert_chain(certificate / "tls.crt", certificate / "tls.key")
    if version:
        context.maximum_version = version
    return context.wrap_socket(ports.connect(port), server_hostname=NAME)


def echo(port, **options):
    with connect(port, **options) as connection:
        connection.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def test_the_answer_tells_of_the_connection(served):
    answer = echo(served[0], protocols=["http/1.1"])
    assert list(answer)[-1] == "tls"
    assert answer["tls"] == {
        "version": "TLSv1.3",
        "serverName": NAME,
        "negotiatedProtocol": "http/1.1",
        "cipherSuite": "TLS_AES_256_GCM_SHA384",
    }


def test_older_tls_and_no_protocol(served):
    answer = echo(served[0], version=ssl.TLSVersion.TLSv1_2)
    assert (answer["tls"]["version"], "negotiatedProtocol" in answer["tls"]) == ("TLSv1.2", False)
    assert answer["tls"]["cipherSuite"].startswith("TLS_ECDHE_ECDSA_WITH_")


def test_a_client_with_a_certificate_is_told_of_it(served):
    port, folder = served
    assert echo(port, certificate=folder)["tls"]["peerCertificates"] == [(folder / "tls.crt").read_text()]


def test_http_2_is_agreed_on(served):
    with connect(served[0], ["h2", "http/1.1"]) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        assert connection.recv(9)[3] == 4  # a SETTINGS frame


def test_connections_that_come_to_nothing_leave_no_lines(served):
    import socket

    port, folder = served
    before = (folder / "log").read_text()
    for data in (b"", b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_SECONDS) as connection:
            connection.sendall(data)
    time.sleep(0.2)
    assert (folder / "log").read_text() == before
    assert before.splitlines()[2] == f"Starting server, listening on port {port} (https)"


def test_a_certificate_that_is_not_there_ends_it():
    environment = {"HTTP_PORT": str(free_port()), "H2C_PORT": str(free_port())}
    environment |= {"TLS_SERVER_CERT": "/nowhere", "TLS_SERVER_PRIVKEY": "/nowhere"}
    process = run(environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors.startswith(b"panic: Failed to start listening: ")) == (2, True)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
        ("ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ],
)
def test_cipher_suites_have_gos_names(name, told):
    assert cipher_suite(name) == told
