"""How the server answers: JSON bodies, and Status objects for what failed.

The words of the messages are the API server's own, since people search for them
(https://github.com/kubernetes/apimachinery, package ``api/errors``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from calico_lab import errors
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.wire import JsonObject, Response

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


class ResourceVersionTooLarge(errors.ApiError):
    """The client knows a resourceVersion that this server has not reached: it comes from another server's life."""

    code = 504
    reason = "Timeout"


class NotImplementedHere(errors.Forbidden):
    """Kubernetes can do this and the local lab cannot; the message names what."""


def encode(value: Any) -> bytes:
    """Return a value as compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def answer(item: Any, status: int = 200, *, warnings: Sequence[str] = ()) -> Response:
    """Return a JSON response; ``warnings`` go into Warning headers, which kubectl prints."""
    return Response(status, encode(item), headers=warning_headers(warnings))


def with_warning(response: Response, warning: str) -> Response:
    """Return a response with one warning more."""
    added = warning_headers([warning])["Warning"]
    before = response.headers.get("Warning")
    return replace(response, headers={**response.headers, "Warning": f"{before}, {added}" if before else added})


def warning_headers(warnings: Sequence[str]) -> Mapping[str, str]:
    """Return the header that carries warnings (RFC 7234, section 5.5, code 299)."""
    # Escaped as JSON is: what a client named its field must not break out of the header.
    value = ", ".join(f"299 - {json.dumps(warning)}" for warning in warnings)
    return {"Warning": value} if value else {}


def status_of(error: errors.ApiError) -> JsonObject:
    """Return the Status object that tells of an error."""
    status: JsonObject = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.problem,
        "reason": error.reason,
        "code": error.code,
    }
    if error.details:
        status["details"] = error.details
    return status


def failure(error: errors.ApiError) -> Response:
    """Return the response that tells of an error."""
    return answer(status_of(error), error.code)


def success(kind: Kind, name: str, uid: str) -> JsonObject:
    """Return the Status that a deletion is answered with."""
    details = _details(kind, name) | {"uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def no_such_path() -> errors.NotFound:
    """Return the error for a path or a resource that is not served."""
    return errors.NotFound("the server could not find the requested resource", details={})


def not_found(kind: Kind, name: str) -> errors.NotFound:
    """Return the error for an object that is not there."""
    return errors.NotFound(f'{kind.resource} "{name}" not found', details=_details(kind, name))


def already_exists(kind: Kind, name: str) -> errors.AlreadyExists:
    """Return the error for a name that is taken."""
    return errors.AlreadyExists(f'{kind.resource} "{name}" already exists', details=_details(kind, name))


def conflict(kind: Kind, name: str, why: str) -> errors.Conflict:
    """Return the error for a write that contradicts the object as it stands."""
    problem = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return errors.Conflict(problem, details=_details(kind, name))


def forbidden(kind: Kind, name: str, why: str) -> errors.Forbidden:
    """Return the error for what admission denies."""
    subject = f'{kind.resource} "{name}"' if name else kind.resource
    return errors.Forbidden(f"{subject} is forbidden: {why}", details=_details(kind, name))


def not_implemented(kind: Kind, name: str, what: str) -> NotImplementedHere:
    """Return the denial of something that Kubernetes has and the lab does not."""
    problem = f'{kind.resource} "{name}" is forbidden: the local lab does not implement {what}'
    return NotImplementedHere(problem, details=_details(kind, name))


def method_not_allowed() -> errors.MethodNotAllowed:
    """Return the error for a verb that the resource does not take."""
    return errors.MethodNotAllowed("the server does not allow this method on the requested resource", details={})


def invalid(kind: Kind, name: str, problems: Sequence[FieldProblem]) -> errors.Invalid:
    """Return the error for an object that breaks rules: one cause a rule."""
    texts = [f"{problem.path}: {problem.message}" if problem.path else problem.message for problem in problems]
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    causes = [{"reason": p.reason, "message": p.message, "field": p.path} for p in problems]
    details = {"name": name, "group": kind.group, "kind": kind.kind, "causes": causes}
    return errors.Invalid(f'{kind.qualified_kind} "{name}" is invalid: {joined}', details=details)


def _details(kind: Kind, name: str) -> JsonObject:
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return {key: value for key, value in details.items() if value}
