"""What the API server hands on to the kubelet of a pod's node: logs, exec, attach and port-forward.

Paths and parameters are those of the kubelet's own server
(https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/).
"""

from __future__ import annotations

from calico_lab import errors
from calico_lab.local.wire import Handler, JsonObject, Request, Response

STREAMING = ("exec", "attach", "portforward")
_LOG_OPTIONS = ("follow", "tailLines", "timestamps", "sinceSeconds", "sinceTime", "limitBytes", "previous")
# The API server calls the streams by their names, the kubelet by what they are to it.
_STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
_HANDSHAKE = ("upgrade", "connection", "sec-websocket-protocol", "sec-websocket-version", "sec-websocket-key")


class Kubelets:
    """The kubelets by node."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def connect(self, node: str, handler: Handler) -> None:
        """Hand requests about a node's pods on to ``handler``."""
        self._handlers[node] = handler

    async def logs(self, pod: JsonObject, request: Request) -> Response:
        """Answer a GET of ``log``."""
        container = container_of(pod, request.parameter("container"))
        query = tuple((key, value) for key, value in request.query if key in _LOG_OPTIONS)
        return await self._kubelet(pod)(Request("GET", f"/containerLogs/{_path(pod)}/{container}", query))

    async def stream(self, pod: JsonObject, subresource: str, request: Request) -> Response:
        """Answer a request for exec, attach or portforward with a response that upgrades to a WebSocket."""
        headers = {name: request.headers[name] for name in _HANDSHAKE if name in request.headers}
        if subresource == "portforward":
            path, query = f"/portForward/{_path(pod)}", request.query
        else:
            path = f"/{subresource}/{_path(pod)}/{container_of(pod, request.parameter('container'))}"
            query = _stream_options(request)
        if pod.get("status", {}).get("phase") in ("Succeeded", "Failed") and subresource != "portforward":
            phase = pod["status"]["phase"]
            raise errors.BadRequest(f"cannot exec into a container in a completed pod; current phase is {phase}")
        kubelet = self._kubelet(pod)
        _require_websocket(request)
        return await kubelet(Request("GET", path, query, headers))

    def _kubelet(self, pod: JsonObject) -> Handler:
        name, node = pod["metadata"]["name"], pod["spec"].get("nodeName")
        if not node:
            raise errors.BadRequest(f"pod {name} does not have a host assigned")
        if node not in self._handlers:
            raise errors.NotFound(f'nodes "{node}" not found', details={"name": node, "kind": "nodes"})
        return self._handlers[node]


def _path(pod: JsonObject) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _stream_options(request: Request) -> tuple[tuple[str, str], ...]:
    """Return the query for exec and attach. Raises ``BadRequest`` for a request that wants no stream at all."""
    streams = [(_STREAMS[key], "1") for key, value in request.query if key in _STREAMS and value in ("true", "1")]
    if not any(name != "tty" for name, _ in streams):
        raise errors.BadRequest("you must specify at least one of stdin, stdout, stderr")
    return (*(("command", value) for key, value in request.query if key == "command"), *streams)


def _require_websocket(request: Request) -> None:
    protocol = request.headers.get("upgrade", "")
    if not protocol:
        raise errors.BadRequest("Upgrade request required")
    if protocol.lower() != "websocket":
        raise errors.BadRequest(
            f"unable to upgrade to {protocol}: the local lab speaks exec, attach and port-forward over WebSocket only, "
            "as kubectl does from 1.31 on"
        )


def container_of(pod: JsonObject, wanted: str) -> str:
    """Return the name of the container that a request means. Raises ``BadRequest`` where that is not clear."""
    name = pod["metadata"]["name"]
    names = [entry["name"] for entry in pod["spec"].get("containers") or ()]
    others = [entry["name"] for entry in pod["spec"].get("initContainers") or ()]
    if wanted:
        if wanted not in names + others:
            raise errors.BadRequest(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(names) != 1:
        choices = f"choose one of: [{' '.join(names)}]"
        if others:
            choices += f" or one of the init containers: [{' '.join(others)}]"
        raise errors.BadRequest(f"a container name must be specified for pod {name}, {choices}")
    return str(names[0])
