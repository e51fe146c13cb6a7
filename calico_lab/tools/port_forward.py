"""A connection to a port inside a pod, over the Kubernetes API, as ``kubectl port-forward`` makes it.

The API server forwards over a WebSocket: each message begins with the number of its channel, 0 for data and 1 for
errors, and the first message of each channel says which port it is for (subprotocol v4.channel.k8s.io:
https://kubernetes.io/docs/reference/using-api/api-concepts/). The official client has this too, with a thread that
outlives its connection.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from calico_lab.errors import ApiError, NotFound

if TYPE_CHECKING:
    from calico_lab.cluster import Cluster

SECONDS = 10.0
_DATA, _ERRORS = b"\0", b"\1"
_PORT_BYTES = 2


def port_forward(cluster: Cluster, pod: str, namespace: str, port: int) -> Stream:
    """Connect to a port of a pod. Raises ``NotFound`` when there is no such pod, ``ApiError`` when it is refused."""
    from kubernetes.stream import ws_client

    api = cluster._api
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
    with api.speaking():
        _method, url, headers, *_ = api.client.param_serialize("GET", path, auth_settings=["BearerToken"])
        address = ws_client.get_websocket_url(url, [("ports", str(port))])  # type: ignore[no-untyped-call]
        try:
            websocket = ws_client.create_websocket(  # type: ignore[no-untyped-call]
                api.client.configuration, address, headers
            )
        except Exception as error:
            # The WebSocket library raises errors of its own, and the operating system's.
            if getattr(error, "status_code", 0) == NotFound.code:
                raise NotFound(f'pods "{pod}" not found') from None
            raise ApiError(f"the API server does not forward to port {port} of the pod {pod}: {error}") from None
    websocket.settimeout(SECONDS)
    return Stream(websocket)


class Stream(io.RawIOBase):
    """The data of one forwarded port: bytes are sent with :meth:`send` and read as from a file."""

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket
        self._begun: set[bytes] = set()
        self._received = b""

    def send(self, data: bytes) -> None:
        """Send bytes to the pod."""
        self._websocket.send_binary(_DATA + data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what http.client reads from a socket by."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come; 0 at the end. Raises ``OSError`` when the pod does not listen, or the time is over."""
        while not self._received:
            message = self._message()
            if not message:
                return 0
            channel, data = message[:1], message[1:]
            if channel not in self._begun:
                self._begun.add(channel)
                data = data[_PORT_BYTES:]
            if channel == _ERRORS and data:
                raise ConnectionError(data.decode(errors="replace"))
            if channel == _DATA:
                self._received = data
        count = min(len(buffer), len(self._received))
        buffer[:count], self._received = self._received[:count], self._received[count:]
        return count

    def _message(self) -> bytes:
        from websocket import WebSocketConnectionClosedException, WebSocketException

        try:
            message: bytes | str = self._websocket.recv()
        except WebSocketConnectionClosedException:
            return b""
        except WebSocketException as error:
            raise ConnectionError(str(error)) from None
        return message.encode() if isinstance(message, str) else message

    def close(self) -> None:
        """End the connection."""
        self._websocket.shutdown()
        super().close()
