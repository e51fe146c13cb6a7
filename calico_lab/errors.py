"""Every error that calico_lab raises, in one tree.

    CalicoLabError
    ├── NoClusterError           no kubeconfig, or nothing answers behind it
    ├── NoBastionError           no way to reach the bastion over SSH
    ├── CommandError             a command on the bastion or kubectl failed
    ├── WaitTimeout              a condition did not come true within its limit
    ├── ConsentError             others share what would be changed, and nobody has said yes
    ├── PrerequisiteError        the cluster or the bastion lacks what a lesson stands on
    ├── StepError                a step of the guide is not known, or cannot be taken from where the cluster is
    ├── ReportError              the output of a tool is not what that tool prints
    ├── ConversionError         there is nothing to convert to the Gateway API, or it is too much at once
    ├── QuizError                there is no such quiz, or its file is not well formed
    ├── LabError                 the local lab could not do what was asked
    │   ├── MissingProgramError  a program that the lab needs is not there
    │   └── UnsupportedHostError this machine does not allow what the lab needs
    └── ApiError                 the Kubernetes API answered with a Status of failure
        ├── BadRequest (400)
        ├── Unauthorized (401)
        ├── Forbidden (403)
        ├── NotFound (404)
        ├── MethodNotAllowed (405)
        ├── Conflict (409)
        │   └── AlreadyExists (409)
        ├── Gone (410)
        ├── UnsupportedMediaType (415)
        └── Invalid (422)

An error is written for the person who reads it: ``problem`` says what went wrong and where, ``remedy`` is the
next command to type. Both layers of the package, the course and the local lab, share this tree and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class CalicoLabError(Exception):
    """The root of the tree: catch this to catch everything that calico_lab raises on purpose."""

    def __init__(self, problem: str, *, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\nNext: {self.remedy}" if self.remedy else self.problem

    def _render_traceback_(self) -> list[str]:
        """Return what Jupyter shows in place of a traceback: the message alone (a hook of IPython's)."""
        return [f"{type(self).__name__}: {self}"]


class NoClusterError(CalicoLabError):
    """No kubeconfig was found, or no API server answers at the address it names."""


class NoBastionError(CalicoLabError):
    """No bastion is known, or it does not answer over SSH."""


class CommandError(CalicoLabError):
    """A command ran and failed; ``exit_code``, ``output`` and ``errors`` are what it left behind."""

    def __init__(self, problem: str, *, exit_code: int, output: str = "", errors: str = "", remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.exit_code = exit_code
        self.output = output
        self.errors = errors


class WaitTimeout(CalicoLabError):
    """A condition did not come true within its time limit."""


class ConsentError(CalicoLabError):
    """Something would be changed that others share, and nobody has said yes; nothing has been done."""


class PrerequisiteError(CalicoLabError):
    """The cluster or the bastion lacks what a lesson stands on, and is not ours to change."""


class StepError(CalicoLabError):
    """The guide has no such step, or the cluster is already beyond it."""


class ConversionError(CalicoLabError):
    """There is no Ingress to convert, or Ingresses that cannot be converted together."""


class QuizError(CalicoLabError):
    """There is no quiz of that name, or its questions are not well formed."""


class ReportError(CalicoLabError):
    """A tool printed something that is not the report which this course reads."""


class LabError(CalicoLabError):
    """The local lab could not do what was asked of it."""


class MissingProgramError(LabError):
    """A program that the lab needs was not found and could not be fetched."""


class UnsupportedHostError(LabError):
    """Something that the lab cannot do without is forbidden on this machine."""


class ApiError(CalicoLabError):
    """The Kubernetes API answered with a Status whose status is Failure.

    ``code``, ``reason`` and ``details`` are the fields of that Status
    (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/).
    """

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.details = dict(details or {})


class BadRequest(ApiError):
    """The request itself cannot be understood."""

    code = 400
    reason = "BadRequest"


class Unauthorized(ApiError):
    """No token, or one that this server did not issue."""

    code = 401
    reason = "Unauthorized"


class Forbidden(ApiError):
    """Admission denied the request."""

    code = 403
    reason = "Forbidden"


class NotFound(ApiError):
    """There is no such object, or no such resource."""

    code = 404
    reason = "NotFound"


class MethodNotAllowed(ApiError):
    """The resource does not take this verb."""

    code = 405
    reason = "MethodNotAllowed"


class Conflict(ApiError):
    """The object has changed since it was read, or the request contradicts its state."""

    code = 409
    reason = "Conflict"


class AlreadyExists(Conflict):
    """An object of this name exists."""

    reason = "AlreadyExists"


class Gone(ApiError):
    """The resourceVersion is older than what the server still remembers: list again."""

    code = 410
    reason = "Expired"


class UnsupportedMediaType(ApiError):
    """The body is of a type that this server does not read."""

    code = 415
    reason = "UnsupportedMediaType"


class Invalid(ApiError):
    """The object breaks a rule of its schema."""

    code = 422
    reason = "Invalid"
