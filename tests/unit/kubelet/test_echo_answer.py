import json

import pytest

from calico_lab.local.kubelet.images.echo_answer import Context, EchoRequest, answer, canonical_name, seconds

CONTEXT = Context("default", "", "", "backend-1")


def ask(uri="/round", method="GET", headers=()):
    return answer(EchoRequest(method, uri, "HTTP/1.1", "www.example.com", list(headers), "10.48.1.5:40000"), CONTEXT)


def test_echoes_the_request_and_the_pod_in_order():
    body = json.loads(ask("/round?a=1", headers=[("Accept", "*/*")]).body)
    assert list(body) == ["path", "host", "method", "proto", "headers", "namespace", "ingress", "service", "pod"]
    assert (body["path"], body["host"], body["pod"]) == ("/round?a=1", "www.example.com", "backend-1")
    assert body["headers"] == {"Accept": ["*/*"]}


def test_body_is_written_as_go_does():
    body = ask("/a?b=<c>&d", headers=[("B", "2"), ("A", "1"), ("B", "3"), ("Host", "x")]).body.decode()
    assert body.startswith('{\n "path": "/a?b=\\u003cc\\u003e\\u0026d",\n "host"')
    assert ' "headers": {\n  "A": [\n   "1"\n  ],\n  "B": [\n   "2",\n   "3"\n  ]\n },\n' in body
    assert body.endswith(' "pod": "backend-1"\n}')


def test_no_header_at_all_is_an_empty_object():
    assert ' "headers": {},\n' in ask().body.decode()


def test_logs_the_uri_and_the_peer():
    assert ask("/round?a=1").log == "Echoing back request made to /round?a=1 to client (10.48.1.5:40000)\n"


@pytest.mark.parametrize(
    ("uri", "status", "body"),
    [
        ("/health", 200, b"OK"),
        ("//health", 200, b"OK"),
        ("/status/503", 503, b""),
        ("/status/5033", 400, b""),
        ("/status/503?a=1", 400, b""),
        ("/status/abc", 400, b""),
    ],
)
def test_health_and_status_are_not_logged(uri, status, body):
    response = ask(uri)
    assert (response.status, response.body, response.log) == (status, body, "")


@pytest.mark.parametrize(
    ("duration", "expected"), [("1s", 1), ("250ms", 0.25), ("1m30s", 90), ("1.5h", 5400), ("0", 0), ("2us", 2e-6)]
)
def test_durations_are_those_of_go(duration, expected):
    assert seconds(duration) == pytest.approx(expected)


def test_delay_waits_and_is_logged():
    response = ask("/round?delay=250ms")
    assert (response.status, response.delay) == (200, 0.25)
    assert "delay=250ms" in response.log


def test_bad_delay_is_an_error_with_gos_words():
    response = ask("/round?delay=soon")
    assert response.status == 500
    assert json.loads(response.body) == {"message": 'time: invalid duration "soon"'}


def test_sets_the_headers_that_the_client_asks_for():
    response = ask(headers=[("X-Echo-Set-Header", "x-a:1, X-B:2, x-a:3")])
    assert response.headers["x-a"] == "1,3"
    assert response.headers["X-B"] == "2"
    assert response.headers["Content-Type"] == "application/json"


def test_websocket_is_refused_in_words():
    assert ask("/ws").status == 501


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x-request-id", "X-Request-Id"),
        ("ACCEPT", "Accept"),
        ("x_under-score", "X_under-Score"),
        ("bad name", "bad name"),
    ],
)
def test_header_names_are_canonical(name, expected):
    assert canonical_name(name) == expected
