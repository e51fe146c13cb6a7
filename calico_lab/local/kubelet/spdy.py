"""The frames of SPDY/3.1, as far as Kubernetes' port-forward needs them: streams, data, and pings.

kubectl speaks SPDY through a WebSocket. There is no flow control here, as there is none in kubectl.
Format: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

_VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY, HEADERS = 1, 2, 3, 6, 7, 8
FIN = 1
_LARGEST_FRAME = 1 << 24

# Both ends start to compress header blocks with what is likely to be in them (section 2.6.10.1).
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow"
    " authorization cache-control connection content-base content-encoding content-language content-length"
    " content-location content-md5 content-range content-type date etag expect expires from host if-match"
    " if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma"
    " proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade"
    " user-agent vary via warning www-authenticate method get status 200+OK version HTTP/1.1 url public set-cookie"
    " keep-alive origin"
)
_TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative"
    " Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500"
    " Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec"
    " 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8"
    "charset=iso-8859-1,utf-,*,enq=0."
)


def _with_length(text: str) -> bytes:
    return struct.pack(">I", len(text)) + text.encode()


DICTIONARY = b"".join(_with_length(word.replace("+", " ")) for word in _WORDS.split()) + _TEXT.encode()


class SpdyError(ValueError):
    """What came is not SPDY/3.1."""


@dataclass(frozen=True)
class Frame:
    """A frame: ``kind`` is 0 for data, of which ``data`` is the payload; ``headers`` come with a new stream."""

    kind: int
    stream: int = 0
    flags: int = 0
    data: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def ends_stream(self) -> bool:
        """Whether the sender will send no more on this stream."""
        return bool(self.flags & FIN)


class Framer:
    """One end of a connection: turns bytes into frames, and frames into bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are whole with these bytes. Raises :class:`SpdyError`."""
        self._bytes += data
        while len(self._bytes) >= 8:
            first, rest = struct.unpack(">II", self._bytes[:8])
            length, flags = rest & (_LARGEST_FRAME - 1), rest >> 24
            if len(self._bytes) < 8 + length:
                return
            payload = bytes(self._bytes[8 : 8 + length])
            del self._bytes[: 8 + length]
            yield self._frame(first, flags, payload) if first >> 31 else Frame(0, first, flags, payload)

    def _frame(self, first: int, flags: int, payload: bytes) -> Frame:
        version, kind = first >> 16 & 0x7FFF, first & 0xFFFF
        if version != _VERSION:
            raise SpdyError(f"version {version}")
        stream = int.from_bytes(payload[:4]) & 0x7FFFFFFF
        block = {SYN_STREAM: payload[10:], SYN_REPLY: payload[4:], HEADERS: payload[4:]}.get(kind)
        headers = self._headers(block) if block is not None else {}
        return Frame(kind, stream, flags, payload, headers)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._inflate.decompress(block)
        except zlib.error as error:
            raise SpdyError(str(error)) from error
        place = 4
        texts = []
        for _ in range(2 * int.from_bytes(plain[:4])):
            length = int.from_bytes(plain[place : place + 4])
            texts.append(plain[place + 4 : place + 4 + length].decode(errors="replace"))
            place += 4 + length
            if place > len(plain):
                raise SpdyError("header block cut off")
        return dict(zip(texts[::2], texts[1::2], strict=True))

    def open_stream(self, stream: int, headers: dict[str, str], *, fin: bool = False) -> bytes:
        """Return the frame that opens a stream."""
        return _control(SYN_STREAM, struct.pack(">IIH", stream, 0, 0) + self._block(headers), FIN if fin else 0)

    def accept_stream(self, stream: int) -> bytes:
        """Return the frame that accepts a stream."""
        return _control(SYN_REPLY, struct.pack(">I", stream) + self._block({}))

    def _block(self, headers: dict[str, str]) -> bytes:
        plain = struct.pack(">I", len(headers))
        plain += b"".join(_with_length(text) for pair in headers.items() for text in pair)
        return self._deflate.compress(plain) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


def data(stream: int, payload: bytes, *, fin: bool = False) -> bytes:
    """Return a frame of data."""
    return struct.pack(">II", stream, (FIN if fin else 0) << 24 | len(payload)) + payload


def pong(ping: Frame) -> bytes:
    """Return the answer to a ping."""
    return _control(PING, ping.data)


def _control(kind: int, payload: bytes, flags: int = 0) -> bytes:
    return struct.pack(">HHI", 0x8000 | _VERSION, kind, flags << 24 | len(payload)) + payload
