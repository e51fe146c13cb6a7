import json
import os
import re
import signal
import subprocess
import sys

import h2.config
import h2.connection
import h2.events
import pytest
from support.ports import connect, free_port


class Echo:
    """The program, started as the kubelet does."""

    def __init__(self, log):
        self.http, self.h2c = free_port(), free_port()
        self.log = log
        environment = {"HTTP_PORT": str(self.http), "H2C_PORT": str(self.h2c), "POD_NAME": "backend-1", "PATH": "/bin"}
        command = [sys.executable, "-I", "-m", "calico_lab.local.kubelet.images.echo_basic"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        connect(self.h2c).close()

    def lines(self):
        return self.log.read_text().splitlines()

    def send(self, text, port=None):
        """Send bytes, read to the end."""
        with connect(port or self.http) as connection:
            connection.sendall(text)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    echo = Echo(tmp_path_factory.mktemp("echo") / "log")
    yield echo
    echo.process.terminate()
    assert echo.process.wait(5) == -signal.SIGTERM


def get(path, *headers):
    lines = [f"GET {path} HTTP/1.1", "Host: www.example.com", *headers, "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_two_lines_stand_in_the_log_before_any_request(echo):
    assert echo.lines()[:2] == [
        f"Starting server, listening on port {echo.http} (http)",
        f"Starting server, listening on port {echo.h2c} (h2c)",
    ]


def test_answers_as_go_would(echo):
    head, _, body = echo.send(get("/round")).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[:3] == ["HTTP/1.1 200 OK", "Content-Type: application/json", "X-Content-Type-Options: nosniff"]
    assert re.fullmatch(r"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", lines[3])
    assert lines[4:] == [f"Content-Length: {len(body)}", "Connection: close"]
    assert json.loads(body)["pod"] == "backend-1"


def test_every_request_answered_is_in_the_log_already(echo):
    before = len(echo.lines())
    with connect(echo.http) as connection:
        for number in range(50):
            connection.sendall(f"GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert connection.recv(65536)
            assert len(echo.lines()) == before + number + 1


def test_log_names_the_peer(echo):
    with connect(echo.http) as connection:
        connection.sendall(get("/peer"))
        assert connection.recv(65536)
        port = connection.getsockname()[1]
    assert echo.lines()[-1] == f"Echoing back request made to /peer to client (127.0.0.1:{port})"


def test_requests_sent_ahead_are_answered_in_order(echo):
    first, second = b"GET /1?delay=50ms HTTP/1.1\r\nHost: a\r\n\r\n", get("/2")
    assert re.findall(rb'"path": "(.*?)"', echo.send(first + second)) == [b"/1?delay=50ms", b"/2"]


def test_chunked_body_is_taken(echo):
    head = b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    answer = echo.send(head + b"3\r\nabc\r\n0\r\n\r\n")
    assert b'"method": "POST"' in answer
    assert b"Transfer-Encoding" not in answer


def test_head_has_no_body(echo):
    head, _, body = echo.send(get("/round").replace(b"GET", b"HEAD", 1)).partition(b"\r\n\r\n")
    assert b"Content-Length: " in head
    assert body == b""


def test_status_without_a_name(echo):
    assert echo.send(get("/status/799")).startswith(b"HTTP/1.1 799 status code 799\r\n")


def test_nonsense_is_a_bad_request(echo):
    assert echo.send(b"nonsense\r\n\r\n").endswith(b"\r\n\r\n400 Bad Request")


def test_request_must_name_its_host(echo):
    answer = echo.send(b"GET / HTTP/1.1\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n400 Bad Request: missing required Host header")
    assert echo.send(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")


def test_offer_to_upgrade_is_passed_over(echo):
    answer = echo.send(get("/round", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk").replace(b"close", b"Upgrade, close"))
    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_h2c_port_refuses_http_1(echo):
    answer = echo.send(get("/round"), echo.h2c)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\nExpected h2c request\n")


def test_h2c_port_speaks_http_2(echo):
    client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    client.initiate_connection()
    request = [(":method", "GET"), (":path", "/two"), (":authority", "www.example.com"), (":scheme", "http")]
    client.send_headers(1, request, end_stream=True)
    received = {}
    with connect(echo.h2c) as connection:
        connection.sendall(client.data_to_send())
        while "StreamEnded" not in received:
            received |= {type(event).__name__: event for event in client.receive_data(connection.recv(65536))}
    body = json.loads(received["DataReceived"].data)
    assert dict(received["ResponseReceived"].headers)[":status"] == "200"
    assert (body["path"], body["proto"], body["host"]) == ("/two", "HTTP/2.0", "www.example.com")
    assert echo.lines()[-1].startswith("Echoing back request made to /two to client (127.0.0.1:")


def test_needs_little_memory(tmp_path):
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    echo = Echo(tmp_path / "log")
    pages = int((tmp_path.__class__(f"/proc/{echo.process.pid}/statm")).read_text().split()[1])
    echo.process.kill()
    echo.process.wait()
    assert pages * 4096 < 40e6
