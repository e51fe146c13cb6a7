"""The ports at which a lab listens on the machine's own loopback."""

import socket

import pytest
from support.ports import free_ports

from calico_lab.errors import LabError
from calico_lab.local.start import beginning


@pytest.fixture
def taken():
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        yield port


def test_a_new_lab_passes_over_ports_that_are_taken(taken, monkeypatch):
    (free,) = free_ports(1)
    monkeypatch.setattr(beginning.random, "sample", lambda _ports, _number: [taken, free])
    with beginning._listen(0) as listening:
        assert listening.getsockname() == ("127.0.0.1", free)


def test_a_lab_that_begins_again_wants_its_own(taken):
    with pytest.raises(LabError, match=rf"port {taken} of this machine's loopback cannot be had: .*in use") as caught:
        beginning._listen(taken)
    assert caught.value.remedy == "calico-lab down, then up: a new lab takes ports that are free"
