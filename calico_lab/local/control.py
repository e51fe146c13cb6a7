"""What can be asked of the lab itself, beside its Kubernetes API and on the same port: parts, restarts, cables.

    GET    /calico-lab/parts             every part, and how often it was started again
    DELETE /calico-lab/parts/NAME        end a part, to see what becomes of the lab
    GET    /calico-lab/hosts             every host, and whether its cable carries
    PUT    /calico-lab/hosts/NAME/cable  {"carries": false} pulls it, true puts it back

Only the lab's owner, who has the administrator's token, may ask.
"""

from __future__ import annotations

import json
import secrets
from urllib.parse import unquote

from calico_lab import errors
from calico_lab.local.network.switch import Switch
from calico_lab.local.parts import Parts
from calico_lab.local.topology import HOSTS, Host
from calico_lab.local.wire import Handler, JsonObject, Request, Response

PREFIX = "/calico-lab/"


class Control:
    """Answers requests below ``/calico-lab/`` and leaves all others to ``api_server``."""

    def __init__(self, api_server: Handler, token: str, parts: Parts, switch: Switch) -> None:
        self._api_server = api_server
        self._authorization = f"Bearer {token}"
        self._parts = parts
        self._switch = switch

    async def handle(self, request: Request) -> Response:
        """Answer a request."""
        if not request.path.startswith(PREFIX):
            return await self._api_server(request)
        try:
            if not secrets.compare_digest(request.headers.get("authorization", ""), self._authorization):
                raise errors.Unauthorized("Unauthorized")
            return Response(200, json.dumps(self._answer(request)).encode())
        except errors.ApiError as error:
            return Response(error.code, json.dumps({"message": str(error)}).encode())

    def _answer(self, request: Request) -> JsonObject | list[JsonObject]:
        match request.method, request.path.removeprefix(PREFIX).split("/"):
            case "GET", ["parts"]:
                return self._parts.as_json()
            case "DELETE", ["parts", name]:
                if not self._parts.kill(unquote(name)):
                    raise errors.NotFound(f"there is no part {unquote(name)!r} that can be ended from here")
                return {}
            case "GET", ["hosts"]:
                return [self._describe(host) for host in HOSTS]
            case "PUT", ["hosts", name, "cable"]:
                return self._plug(_host(name), request)
            case _:
                raise errors.NotFound("404 page not found")

    def _plug(self, host: Host, request: Request) -> JsonObject:
        try:
            carries = bool(json.loads(request.body)["carries"])
        except (ValueError, KeyError, TypeError) as error:
            raise errors.BadRequest('the body must be {"carries": true} or {"carries": false}') from error
        (self._switch.join if carries else self._switch.cut)(host)
        return self._describe(host)

    def _describe(self, host: Host) -> JsonObject:
        return {"name": host.name, "address": str(host.address), "carries": self._switch.carries(host)}


def _host(name: str) -> Host:
    for host in HOSTS:
        if host.name == name:
            return host
    raise errors.NotFound(f"there is no host {name!r}; there are: {', '.join(host.name for host in HOSTS)}")
