"""Watches: what happens to a resource from a resourceVersion on, as a stream of JSON lines.

Reference: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes, streaming lists
(``sendInitialEvents``) and bookmarks included.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from calico_lab import errors
from calico_lab.local.apiserver import answers, tables
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.negotiation import Form, wanted_form
from calico_lab.local.apiserver.reads import require_reached, shown
from calico_lab.local.apiserver.selectors import Predicate, selection
from calico_lab.local.apiserver.store import Change, History, Store, Stored
from calico_lab.local.wire import JsonObject, Request, Response

BOOKMARK_SECONDS = 60.0
# So that a watcher that is far behind gives others their turn between two portions.
MOST_EVENTS_AT_ONCE = 200
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_TOO_OLD = "too old resource version"


@dataclass
class Watch:
    """One client's watch of one resource, as it asked for it."""

    store: Store
    history: History
    kind: Kind
    namespace: str
    request: Request
    form: Form
    matches: Predicate | None
    bookmarks: bool
    position: int
    initial: list[Stored] | None
    started_at: int
    announce_end: bool
    columns_sent: bool = False

    async def stream(self, seconds: float | None) -> AsyncIterator[bytes]:
        """Yield events as lines until ``seconds`` are over, the history is lost or the resource is served no longer."""
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + seconds
        history = self.history
        something = asyncio.Event()
        history.listen(something)
        try:
            if initial := self._initial_events():
                yield initial
            while not history.closed:
                something.clear()
                portion = history.read(self.position, MOST_EVENTS_AT_ONCE)
                if portion is None:
                    yield _line("ERROR", answers.status_of(errors.Gone(_TOO_OLD)))
                    return
                changes, self.position = portion
                if lines := b"".join(self._event(change) for change in changes):
                    yield lines
                if changes:
                    continue
                left = BOOKMARK_SECONDS if end is None else min(BOOKMARK_SECONDS, end - loop.time())
                if left <= 0:
                    return
                if not await _within(something, left) and self.bookmarks:
                    yield self._bookmark(self.store.resource_version)
        finally:
            history.unlisten(something)

    def _initial_events(self) -> bytes:
        lines = [self._render("ADDED", stored) for stored in self.initial or ()]
        if self.announce_end:
            lines.append(self._bookmark(self.started_at, {INITIAL_EVENTS_END: "true"}))
        self.initial = None
        return b"".join(lines)

    def _event(self, change: Change) -> bytes:
        if self.namespace and change.new.item["metadata"].get("namespace") != self.namespace:
            return b""
        before = change.old is not None and self._selected(change.old)
        after = not change.gone and self._selected(change.new)
        if after:
            return self._render("MODIFIED" if before else "ADDED", change.new)
        if not before or change.old is None:
            return b""
        # An object that stops matching is shown as it was, with the version of the change that took it away.
        version = {"resourceVersion": str(change.resource_version)}
        last = change.old.item | {"metadata": change.old.item["metadata"] | version}
        return self._render("DELETED", change.new if change.gone else Stored(last))

    def _selected(self, stored: Stored) -> bool:
        return self.matches is None or self.matches(stored.item)

    def _render(self, event: str, stored: Stored) -> bytes:
        if self.form is Form.OBJECT:
            return b'{"type":"%b","object":%b}\n' % (event.encode(), stored.encoded(self.kind.api_version))
        columns, self.columns_sent = not self.columns_sent, True
        return _line(event, shown(self.kind, self.form, stored, self.request, columns=columns))

    def _bookmark(self, version: int, annotations: dict[str, str] | None = None) -> bytes:
        metadata: JsonObject = {"resourceVersion": str(version), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        item: JsonObject = {"kind": self.kind.kind, "apiVersion": self.kind.api_version, "metadata": metadata}
        if self.form is Form.TABLE:
            row = {"cells": [], "object": tables.partial_metadata(item)}
            item = tables.META | {"kind": "Table", "metadata": {"resourceVersion": str(version)}} | {"rows": [row]}
        elif self.form is Form.METADATA:
            item = tables.partial_metadata(item)
        return _line("BOOKMARK", item)


def watch(store: Store, kind: Kind, namespace: str, request: Request) -> Response:
    """Answer a watch. Raises ``Gone`` where its resourceVersion is forgotten, ``Invalid`` for options that clash."""
    version = request.parameter("resourceVersion")
    send_initial = request.parameter("sendInitialEvents")
    _check_options(request)
    require_reached(version, store.resource_version)
    bookmarks = request.parameter("allowWatchBookmarks") in ("true", "1")
    matches = selection(kind, request)
    from_now = version in ("", "0") or send_initial == "true"
    start = store.resource_version if from_now else int(version)
    history = store.history(kind.storage_key)
    position = history.position_after(start)
    if position is None:
        raise errors.Gone(f"{_TOO_OLD}: {version} ({history.forgotten})")
    initial = None
    if from_now and send_initial != "false":
        everything = store.list(kind.storage_key, namespace)
        initial = [stored for stored in everything if matches is None or matches(stored.item)]
    stream = Watch(
        store=store,
        history=history,
        kind=kind,
        namespace=namespace,
        request=request,
        form=wanted_form(request),
        matches=matches,
        bookmarks=bookmarks,
        position=position,
        initial=initial,
        started_at=start,
        announce_end=send_initial == "true" and bookmarks,
    ).stream(_seconds(request.parameter("timeoutSeconds")))
    return Response(200, content_type="application/json", stream=stream)


def _check_options(request: Request) -> None:
    match = request.parameter("resourceVersionMatch")
    wanted = request.parameter("sendInitialEvents")
    if wanted and match != "NotOlderThan":
        problem = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    elif match and not wanted:
        problem = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
    else:
        return
    kind = Kind("meta.k8s.io", "v1", "listoptions", "ListOptions")
    raise answers.invalid(
        kind, "", [FieldProblem("resourceVersionMatch", "FieldValueForbidden", f"Forbidden: {problem}")]
    )


def _seconds(text: str) -> float | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise errors.BadRequest(f'timeoutSeconds: Invalid value: "{text}"')
    return float(text) or None


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _line(event: str, item: JsonObject) -> bytes:
    return answers.encode({"type": event, "object": item}) + b"\n"
