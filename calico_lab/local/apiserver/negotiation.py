"""In which form a client wants objects: whole, as rows of a table, or their metadata only.

Reference: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables.
"""

from __future__ import annotations

from enum import Enum

from calico_lab import errors
from calico_lab.local.wire import Request


class NotAcceptable(errors.ApiError):
    """The client takes none of the forms in which this server answers."""

    code = 406
    reason = "NotAcceptable"


class Form(Enum):
    """The forms of an answer."""

    OBJECT = "object"
    TABLE = "Table"
    METADATA = "PartialObjectMetadata"


def wanted_form(request: Request) -> Form:
    """Return the first form in the Accept header that this server can give. Raises ``NotAcceptable``."""
    accept = request.headers.get("accept", "")
    for media_range in accept.split(",") if accept.strip() else ["*/*"]:
        name, *parameters = (part.strip() for part in media_range.split(";"))
        if name not in ("application/json", "application/*", "*/*"):
            continue
        settings = dict(parameter.partition("=")[::2] for parameter in parameters)
        transformed = settings.get("as", "")
        if not transformed:
            return Form.OBJECT
        if settings.get("g") == "meta.k8s.io" and settings.get("v") in ("v1", "v1beta1"):
            if transformed == "Table":
                return Form.TABLE
            if transformed in ("PartialObjectMetadata", "PartialObjectMetadataList"):
                return Form.METADATA
    raise NotAcceptable("only the following media types are accepted: application/json")
