"""A lab that another version of calico_lab started: its API server knows nothing of what this version asks."""

import json

import pytest

from calico_lab import errors
from calico_lab.local.start import lifecycle, probe, requests
from calico_lab.local.start.status import Status

NOT_FOUND = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": "could not find it"}


class Answering:
    """A connection to such a server."""

    status = 404

    def __init__(self, content):
        self._content = content

    def request(self, *_arguments):
        pass

    def getresponse(self):
        return self

    def read(self):
        return json.dumps(self._content).encode()

    def close(self):
        pass


def answer_with(monkeypatch, content):
    monkeypatch.setattr(probe, "connect", lambda *_: (Answering(content), {}))


def test_it_is_said_with_the_way_out(monkeypatch):
    answer_with(monkeypatch, NOT_FOUND)
    with pytest.raises(errors.LabError, match="another version of calico_lab started it") as raised:
        requests.ask(Status("old", running=True), "GET", "hosts")
    assert raised.value.remedy == "calico-lab down --name old, then calico-lab up --name old"


def test_its_status_says_so(monkeypatch):
    answer_with(monkeypatch, NOT_FOUND)
    found = lifecycle._with_parts(Status("old", running=True, pid=1))
    assert (found.running, found.problem) == (False, "another version of calico_lab started it")


def test_a_host_that_does_not_exist_is_something_else(monkeypatch):
    answer_with(monkeypatch, {"message": "there is no host 'worker9'"})
    with pytest.raises(errors.LabError, match="there is no host 'worker9'"):
        requests.ask(Status("new", running=True), "PUT", "hosts/worker9/cable")
