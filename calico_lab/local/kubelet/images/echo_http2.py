"""HTTP/2 with prior knowledge (RFC 9113, section 3.3) for echo-basic, on the ``h2`` package."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import cast

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from calico_lab.local.kubelet.images.echo_answer import EchoRequest, EchoResponse, canonical_name

STANDARD_OUTPUT = 1


class Http2Connection(asyncio.Protocol):
    """One HTTP/2 connection; each stream is a request, answered when it is whole."""

    def __init__(self, answer: Callable[[EchoRequest], EchoResponse]) -> None:
        self._answer_to = answer
        self._connection = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )
        self._requests: dict[int, EchoRequest] = {}
        self._unsent: dict[int, bytes] = {}
        self._transport: asyncio.Transport
        self._peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the server's preface."""
        self._transport = cast(asyncio.Transport, transport)
        address, port = transport.get_extra_info("peername")[:2]
        self._peer = f"{address}:{port}"
        self._connection.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Act on the frames that arrived."""
        try:
            for event in self._connection.receive_data(data):
                self._act(event)
        except h2.exceptions.ProtocolError:
            self._flush()
            self._transport.close()
            return
        self._flush()

    def _act(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            self._requests[event.stream_id] = self._request(cast(list[tuple[str, str]], event.headers))
        elif isinstance(event, h2.events.DataReceived):
            self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self._answer(event.stream_id, self._requests.pop(event.stream_id))
        elif isinstance(event, h2.events.StreamReset):
            self._requests.pop(event.stream_id, None)
            self._unsent.pop(event.stream_id, None)
        elif isinstance(event, h2.events.WindowUpdated | h2.events.RemoteSettingsChanged):
            for stream in list(self._unsent):
                self._send_body(stream)
        elif isinstance(event, h2.events.ConnectionTerminated):
            self._transport.close()

    def _request(self, fields: list[tuple[str, str]]) -> EchoRequest:
        pseudo = {name: value for name, value in fields if name.startswith(":")}
        headers = [(canonical_name(name), value) for name, value in fields if not name.startswith(":")]
        host = pseudo.get(":authority") or next((value for name, value in headers if name == "Host"), "")
        return EchoRequest(pseudo[":method"], pseudo.get(":path", ""), "HTTP/2.0", host, headers, self._peer)

    def _answer(self, stream: int, request: EchoRequest) -> None:
        response = self._answer_to(request)
        if response.log:
            os.write(STANDARD_OUTPUT, response.log.encode())
        head_only = request.method == "HEAD" or response.status in (204, 304)
        if response.delay:
            asyncio.get_running_loop().call_later(response.delay, self._send_delayed, stream, response, head_only)
        else:
            self._send(stream, response, head_only)

    def _send_delayed(self, stream: int, response: EchoResponse, head_only: bool) -> None:
        try:
            self._send(stream, response, head_only)
        except h2.exceptions.ProtocolError:
            return  # the client has given the stream up in the meantime
        self._flush()

    def _send(self, stream: int, response: EchoResponse, head_only: bool) -> None:
        fields = [(":status", str(response.status))]
        fields += [(name.lower(), value) for name, value in sorted(response.headers.items())]
        fields += [] if response.status in (204, 304) else [("content-length", str(len(response.body)))]
        ends = head_only or not response.body
        self._connection.send_headers(stream, fields, end_stream=ends)
        if not ends:
            self._unsent[stream] = response.body
            self._send_body(stream)

    def _send_body(self, stream: int) -> None:
        """Send as much of a body as the client's flow control window takes."""
        body = self._unsent[stream]
        while body:
            room = min(
                self._connection.local_flow_control_window(stream), self._connection.max_outbound_frame_size, len(body)
            )
            if room <= 0:
                break
            self._connection.send_data(stream, body[:room], end_stream=room == len(body))
            body = body[room:]
        if body:
            self._unsent[stream] = body
        else:
            del self._unsent[stream]

    def _flush(self) -> None:
        self._transport.write(self._connection.data_to_send())
