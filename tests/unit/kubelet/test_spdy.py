"""Frames of SPDY/3.1: what one framer writes, another reads."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from calico_lab.local.kubelet import spdy


def test_the_dictionary_is_that_of_the_protocol():
    assert zlib.adler32(spdy.DICTIONARY) == 0xE3C6A7C2


def test_streams_open_with_their_headers_and_are_accepted():
    here, there = spdy.Framer(), spdy.Framer()
    for stream in (1, 3):  # the second header block is compressed with what the first has taught
        [frame] = there.feed(here.open_stream(stream, {"streamtype": "data", "port": "80"}))
        assert (frame.kind, frame.stream, frame.headers) == (
            spdy.SYN_STREAM,
            stream,
            {"streamtype": "data", "port": "80"},
        )
        [reply] = here.feed(there.accept_stream(stream))
        assert (reply.kind, reply.stream, reply.headers) == (spdy.SYN_REPLY, stream, {})


@given(some.lists(some.binary(min_size=1, max_size=50), max_size=5), some.integers(1, 9))
def test_data_may_come_in_pieces(payloads, size):
    framer = spdy.Framer()
    written = b"".join(spdy.data(5, payload) for payload in payloads) + spdy.data(5, b"", fin=True)
    frames = [frame for start in range(0, len(written), size) for frame in framer.feed(written[start : start + size])]
    assert [frame.data for frame in frames] == [*payloads, b""]
    assert [frame.ends_stream for frame in frames] == [False] * len(payloads) + [True]


def test_a_ping_is_answered_with_itself():
    ping = spdy._control(spdy.PING, b"\0\0\0\7")
    [frame] = spdy.Framer().feed(ping)
    assert spdy.pong(frame) == ping


@pytest.mark.parametrize("data", [b"\x80\x02\x00\x01" + b"\0" * 4, b"\x80\x03\x00\x01\x00\x00\x00\x0e" + b"x" * 14])
def test_other_bytes_are_refused(data):
    with pytest.raises(spdy.SpdyError):
        list(spdy.Framer().feed(data))
