"""The client through which every controller and the kubelet reach the API server, and the only way they do.

A client stands on a *handler*: an async function from a Request to a Response. In the lab's own process that is the
API server itself; elsewhere (a controller that runs in a pod) it is a TLS connection to it. Nothing else differs.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from calico_lab import errors
from calico_lab.local.resources import Resource
from calico_lab.local.wire import Handler, JsonObject, Request, Response

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"

_ERRORS_BY_REASON: Mapping[str, type[errors.ApiError]] = {
    error.reason: error
    for error in (
        errors.BadRequest,
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.MethodNotAllowed,
        errors.Conflict,
        errors.AlreadyExists,
        errors.Gone,
        errors.UnsupportedMediaType,
        errors.Invalid,
    )
}


@dataclass(frozen=True)
class WatchEvent:
    """One line of a watch: ``type`` is ADDED, MODIFIED, DELETED or BOOKMARK."""

    type: str
    object: JsonObject


class _Content(TypedDict, total=False):
    """What a request may carry; ``content_type`` is that of the body, plain JSON where it is not said."""

    query: tuple[tuple[str, str], ...]
    body: JsonObject
    content_type: str


class ApiClient:
    """Typed by resource, not by kind: objects go in and come out as the JSON that the API speaks.

    Every method raises the ``ApiError`` that matches the server's Status.
    """

    def __init__(self, handler: Handler, *, user: str = "", token: str = "") -> None:
        self._handler = handler
        self._headers = {"accept": "application/json"}
        if user:
            self._headers["user-agent"] = user
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    async def discover(self) -> list[Resource]:
        """Return every resource that can be listed, watched and deleted, each in its group's preferred version."""
        groups = (await self._call("GET", "/apis"))["groups"]
        versions = [group["preferredVersion"]["groupVersion"] for group in groups]
        answers = [await self._call("GET", path) for path in ("/api/v1", *(f"/apis/{each}" for each in versions))]
        return [
            Resource(*group_of(answer["groupVersion"]), entry["name"], entry["kind"], entry["namespaced"])
            for answer in answers
            for entry in answer["resources"]
            if {"list", "watch", "delete"} <= set(entry["verbs"]) and "/" not in entry["name"]
        ]

    async def get(self, resource: Resource, name: str, namespace: str = "") -> JsonObject:
        """Return one object."""
        return await self._call("GET", resource.path(namespace, name))

    async def list(
        self, resource: Resource, namespace: str = "", *, label_selector: str = ""
    ) -> tuple[list[JsonObject], str]:
        """Return the objects, of one namespace or of all, and the resourceVersion to watch from."""
        query = (("labelSelector", label_selector),) if label_selector else ()
        answer = await self._call("GET", resource.path(namespace), query=query)
        identity = {"apiVersion": resource.api_version, "kind": resource.kind}
        return [identity | item for item in answer["items"]], answer["metadata"]["resourceVersion"]

    async def create(self, resource: Resource, item: JsonObject) -> JsonObject:
        """Create an object in the namespace that its metadata names."""
        namespace = item["metadata"].get("namespace", "")
        return await self._call("POST", resource.path(namespace), body=item)

    async def create_subresource(
        self, resource: Resource, name: str, namespace: str, subresource: str, item: JsonObject
    ) -> JsonObject:
        """Create through a subresource: a pod's ``binding``, a service account's ``token``."""
        return await self._call("POST", resource.path(namespace, name, subresource), body=item)

    async def replace(self, resource: Resource, item: JsonObject, *, subresource: str = "") -> JsonObject:
        """Replace an object; a resourceVersion in its metadata must be the current one."""
        metadata = item["metadata"]
        path = resource.path(metadata.get("namespace", ""), metadata["name"], subresource)
        return await self._call("PUT", path, body=item)

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        change: JsonObject,
        *,
        subresource: str = "",
        content_type: str = MERGE_PATCH,
    ) -> JsonObject:
        """Change parts of an object; by default with a JSON merge patch (RFC 7396)."""
        path = resource.path(namespace, name, subresource)
        return await self._call("PATCH", path, body=change, content_type=content_type)

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        grace_seconds: int | None = None,
        propagation: str = "Background",
    ) -> None:
        """Delete an object; with ``uid`` only if it is still that one."""
        options: JsonObject = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        await self._call("DELETE", resource.path(namespace, name), body=options)

    async def watch(self, resource: Resource, resource_version: str, namespace: str = "") -> AsyncIterator[WatchEvent]:
        """Yield what happens after ``resource_version``. Raises ``Gone`` when the server no longer remembers it."""
        query = (("watch", "true"), ("resourceVersion", resource_version), ("allowWatchBookmarks", "true"))
        response = await self._send("GET", resource.path(namespace), query=query)
        if response.stream is None:
            raise errors.ApiError(f"the watch of {resource.plural} was answered without a stream")
        async for line in _lines(response.stream):
            event = json.loads(line)
            if event["type"] == "ERROR":
                raise error_of(event["object"])
            yield WatchEvent(event["type"], event["object"])

    async def _call(self, method: str, path: str, **content: Unpack[_Content]) -> JsonObject:
        answer: JsonObject = json.loads((await self._send(method, path, **content)).body)
        return answer

    async def _send(self, method: str, path: str, **content: Unpack[_Content]) -> Response:
        headers, encoded = self._headers, b""
        if "body" in content:
            headers = headers | {"content-type": content.get("content_type", "application/json")}
            encoded = json.dumps(content["body"]).encode()
        response = await self._handler(Request(method, path, content.get("query", ()), headers, encoded))
        if response.status >= 400:
            raise error_of(json.loads(response.body))
        return response


def group_of(api_version: str) -> tuple[str, str]:
    """Split an apiVersion into group, empty for the core one, and version."""
    group, _, version = api_version.rpartition("/")
    return group, version


def error_of(status: Mapping[str, Any]) -> errors.ApiError:
    """Turn a Status of failure into the error that stands for its reason."""
    kind = _ERRORS_BY_REASON.get(status.get("reason", ""), errors.ApiError)
    return kind(status.get("message", "the API server gave no reason"), details=status.get("details"))


async def _lines(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in stream:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
