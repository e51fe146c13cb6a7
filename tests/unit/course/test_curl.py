"""What curl prints of many requests is read answer by answer."""

import re
from types import SimpleNamespace

import pytest

from calico_lab.errors import PrerequisiteError
from calico_lab.tools import curl
from calico_lab.tools.curl import Answer


class Host:
    """Answers each request with its path and a header, as curl writes it, and knows how often it was run."""

    name = "the bastion"

    def __init__(self, exit_code=0):
        self.commands, self.exit_code = [], exit_code

    def run(self, command, *, check=True, time_limit=0.0):
        self.commands.append(command)
        paths = re.findall(r"http://a(\S*)", command)
        head = "HTTP/1.1 200 OK\r\nx-a: 1\r\nx-a: 2\r\n\r\n" if " -i" in command else ""
        output = "".join(f"{head}{path}\n\nend\n--answered 200\n" for path in paths)
        return SimpleNamespace(output=output, exit_code=self.exit_code)


def test_bodies_and_headers_are_told_apart():
    (answer,) = curl.ask(Host(), [["http://a/x"]], headers=True)
    assert (answer.status, answer.body, answer.headers.get_all("X-A")) == (200, "/x\n\nend\n", ["1", "2"])
    (plain,) = curl.ask(Host(), [["http://a/x"]])
    assert (plain.body, plain.headers.keys()) == ("/x\n\nend\n", [])


def test_a_thousand_requests_are_no_single_command():
    host = Host()
    answers = curl.ask(host, ([f"http://a/{number}"] for number in range(1000)))
    assert [answer.body.split("\n")[0] for answer in answers] == [f"/{number}" for number in range(1000)]
    assert len(host.commands) == 4
    assert max(map(len, host.commands)) < 128 * 1024


def test_no_answer_has_the_status_0():
    host = SimpleNamespace(
        name="it", run=lambda *_arguments, **_options: SimpleNamespace(output="\n--answered 000\n", exit_code=7)
    )
    (answer,) = curl.ask(host, [["http://a/"]], headers=True)
    assert (answer.status, answer.body) == (0, "")
    assert isinstance(answer, Answer)


def test_a_host_without_curl_is_told():
    with pytest.raises(PrerequisiteError, match="the bastion has no curl"):
        curl.ask(Host(exit_code=127), [["http://a/"]])


def test_nothing_to_ask():
    assert curl.ask(Host(), []) == []
