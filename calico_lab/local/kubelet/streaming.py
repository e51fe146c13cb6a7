"""Exec, attach and port-forward: what a client and a container, or a pod's port, say to each other.

The paths and parameters are those of the kubelet's own server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from calico_lab.errors import BadRequest, NotFound
from calico_lab.local.kubelet import channels, port_forward
from calico_lab.local.kubelet.channels import Channels
from calico_lab.local.kubelet.container import Container
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.wire import Request, Response, WebSocket

Talk = Callable[[WebSocket], Awaitable[None]]


def execute(pod: str, container: Container, request: Request) -> Response:
    """Answer a request to run a command. Raises ``NotFound`` where the container does not run."""
    run = container.last_run
    if run is None or not run.running:
        raise NotFound(f'container not found ("{container.state.name}") in pod "{pod}"')
    arguments = [value for key, value in request.query if key == "command"]
    if not arguments:
        raise BadRequest("you must specify at least 1 command for the container")
    serve = partial(run.commands.serve, arguments, stdin=_asked(request, "input"), terminal=_asked(request, "tty"))
    return _upgrade(request, serve)


def attach(pod: str, container: Container, request: Request) -> Response:
    """Answer a request for the input and output of a container itself."""
    run = container.last_run
    if run is None or not (run.running or run.console.unheard):
        raise NotFound(f"container {container.state.name} not found in pod {pod}")
    return _upgrade(request, run.console.attach)


def forward(inside: Namespaces | None, request: Request) -> Response:
    """Answer a request for ports of a pod."""
    if inside is None:
        raise NotFound("the pod has no network yet")
    protocol = channels.protocol_of(request.headers, port_forward.PROTOCOLS)
    return _switch(protocol, port_forward.talk(protocol, inside, request))


def _upgrade(request: Request, serve: Callable[[Channels], Awaitable[None]]) -> Response:
    protocol = channels.protocol_of(request.headers)

    async def talk(socket: WebSocket) -> None:
        with suppress(ConnectionError):  # the client is gone
            await serve(Channels(socket))

    return _switch(protocol, talk)


def _switch(protocol: str, talk: Talk) -> Response:
    return Response(101, headers={"Sec-WebSocket-Protocol": protocol}, websocket=talk)


def _asked(request: Request, name: str) -> bool:
    return request.parameter(name) in ("1", "true")
