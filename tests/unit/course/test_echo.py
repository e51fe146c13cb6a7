import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from calico_lab.bastion import Bastion
from calico_lab.errors import CommandError, ReportError
from calico_lab.tools import echo

HERE = Bastion.find(None, {"CALICO_LAB_BASTION": "here"})


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        headers = {name: self.headers.get_all(name) for name in self.headers}
        body = json.dumps({"pod": "backend-1", "path": self.path, "headers": headers}).encode()
        found = self.path.startswith("/round")
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body) if found else 0))
        self.end_headers()
        self.wfile.write(body if found else b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def port():
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_the_answer_tells_who_gave_it_and_what_it_was_sent(port):
    answer = echo.ask(HERE, "127.0.0.1", port=port, headers={"X-Forwarded-For": "192.0.2.7"})
    assert (answer.status, answer.pod, answer.headers["X-Forwarded-For"]) == (200, "backend-1", "192.0.2.7")
    assert answer.headers["Host"] == "www.example.com"
    assert repr(answer) == "status 200, from a pod of the backend"


def test_an_answer_that_no_pod_gave(port):
    assert repr(echo.ask(HERE, "127.0.0.1", port=port, path="/")) == "status 404, from no pod"


def test_nobody_takes_the_connection(port):
    with pytest.raises(CommandError, match="Connection refused"):
        echo.ask(HERE, "127.0.0.1", port=1)


def test_what_is_not_http_is_refused():
    with pytest.raises(ReportError):
        echo.parse("220 mail.example.com ESMTP\r\n")


class Logs:
    def __init__(self, *texts):
        self.texts = list(texts)

    def logs(self, pod):
        return self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]


LINE = "Echoing back request made to {} to client ({})\n"


def test_the_client_of_the_last_request_for_a_path():
    log = (
        LINE.format("/round/a", "10.0.0.1:1") + LINE.format("/round/b", "10.0.0.2:2") + LINE.format("/x", "10.0.0.3:3")
    )
    assert echo.client_of(Logs(log), "pod", "/round/b") == "10.0.0.2"


def test_a_line_that_comes_late_is_waited_for():
    assert echo.client_of(Logs("", "", LINE.format("/round", "10.0.0.1:1")), "pod", "/round") == "10.0.0.1"


def test_no_such_request(monkeypatch):
    monkeypatch.setattr(echo, "_PAUSE", 0)
    with pytest.raises(ReportError, match="no request for /round"):
        echo.client_of(Logs("Starting server\n"), "pod", "/round")
