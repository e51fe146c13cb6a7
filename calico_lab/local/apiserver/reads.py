"""Get and list: objects out of the store, in the form and the portions that a client asks for."""

from __future__ import annotations

import secrets
from collections import OrderedDict

from calico_lab import errors
from calico_lab.local.apiserver import answers, tables
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.negotiation import Form, wanted_form
from calico_lab.local.apiserver.selectors import selection
from calico_lab.local.apiserver.store import Store, Stored
from calico_lab.local.wire import JsonObject, Request, Response

MOST_CONTINUATIONS = 64
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter."
)


_Portion = list[Stored]


class Reader:
    """Answers gets and lists. What is left of a list cut by ``limit`` is kept as it was, for the next portion."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._continuations: OrderedDict[str, tuple[int, _Portion]] = OrderedDict()

    def get(self, kind: Kind, namespace: str, name: str, request: Request) -> Response:
        """Answer a get of one object."""
        form = wanted_form(request)
        stored = self._store.get(kind.storage_key, namespace, name)
        if stored is None:
            raise answers.not_found(kind, name)
        if form is Form.OBJECT:
            return Response(200, stored.encoded(kind.api_version))
        return answers.answer(shown(kind, form, stored, request))

    def list(self, kind: Kind, namespace: str, request: Request) -> Response:
        """Answer a list of a collection."""
        form = wanted_form(request)
        version, matching = self._matching(kind, namespace, request)
        metadata: JsonObject = {"resourceVersion": str(version)}
        portion = self._cut(version, matching, metadata, request)
        if form is Form.OBJECT:
            head = {"kind": kind.list_kind or f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata}
            items = b",".join([stored.encoded(kind.api_version) for stored in portion])
            return Response(200, answers.encode(head)[:-1] + b',"items":[' + items + b"]}")
        items_shown = [stored.in_version(kind.api_version) for stored in portion]
        if form is Form.TABLE:
            return answers.answer(tables.table(kind, items_shown, metadata, request.parameter("includeObject")))
        partial = [tables.partial_metadata(item) for item in items_shown]
        return answers.answer(
            tables.META | {"kind": "PartialObjectMetadataList", "metadata": metadata, "items": partial}
        )

    def _matching(self, kind: Kind, namespace: str, request: Request) -> tuple[int, _Portion]:
        token = request.parameter("continue")
        if token:
            if token not in self._continuations:
                raise errors.Gone(_TOO_OLD)
            return self._continuations[token]
        version = request.parameter("resourceVersion")
        if request.parameter("resourceVersionMatch") == "Exact" and version != str(self._store.resource_version):
            raise errors.Gone(f"The resourceVersion for the provided list is too old: {version}")
        require_reached(version, self._store.resource_version)
        matches = selection(kind, request)
        everything = self._store.list(kind.storage_key, namespace)
        return self._store.resource_version, [s for s in everything if matches is None or matches(s.item)]

    def _cut(self, version: int, items: _Portion, metadata: JsonObject, request: Request) -> _Portion:
        limit = _number(request.parameter("limit"))
        if not limit or len(items) <= limit:
            return items
        token = secrets.token_urlsafe(12)
        self._continuations[token] = (version, items[limit:])
        if len(self._continuations) > MOST_CONTINUATIONS:
            self._continuations.popitem(last=False)
        metadata["continue"] = token
        metadata["remainingItemCount"] = len(items) - limit
        return items[:limit]


def shown(kind: Kind, form: Form, stored: Stored, request: Request, *, columns: bool = True) -> JsonObject:
    """Return one object in a form."""
    item = stored.in_version(kind.api_version)
    if form is Form.OBJECT:
        return item
    if form is Form.METADATA:
        return tables.partial_metadata(item)
    metadata = {"resourceVersion": item["metadata"]["resourceVersion"]}
    return tables.table(kind, [item], metadata, request.parameter("includeObject"), columns=columns)


def require_reached(wanted: str, current: int) -> None:
    """Raise where a client asks for a resourceVersion that is no number, or that lies ahead of the server's."""
    if wanted and _number(wanted) > current:
        message = f"Too large resource version: {wanted}, current: {current}"
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        raise answers.ResourceVersionTooLarge(f"Timeout: {message}", details={"causes": causes, "retryAfterSeconds": 1})


def _number(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > 20:
        raise errors.BadRequest(f'Invalid value: "{text}": must be a number')
    return int(text)
