"""Status errors in Kubernetes' words (apimachinery pkg/api/errors)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from reactor.sandbox.documents import Document

MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


class Subject(msgspec.Struct, frozen=True):
    """What a status speaks of: a group and a resource (or kind), and perhaps a name."""

    group: str
    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


class Cause(msgspec.Struct, frozen=True):
    """One field's fault."""

    reason: str
    message: str
    field: str


class StatusError(Exception):
    """An answer other than success; `document` is its body."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Document | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = headers or {}
        self.metadata: Document = {}

    @property
    def document(self) -> Document:
        """The Status object."""
        body: Document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


def _details(subject: Subject, **more: Any) -> Document:
    details: Document = {}
    if subject.name:
        details["name"] = subject.name
    if subject.group:
        details["group"] = subject.group
    if subject.kind:
        details["kind"] = subject.kind
    details.update(more)
    return details


def not_found(subject: Subject) -> StatusError:
    return StatusError(
        404, "NotFound", f'{subject} "{subject.name}" not found', details=_details(subject)
    )


def already_exists(subject: Subject) -> StatusError:
    return StatusError(
        409,
        "AlreadyExists",
        f'{subject} "{subject.name}" already exists',
        details=_details(subject),
    )


def conflict(subject: Subject, why: str = MODIFIED) -> StatusError:
    message = f'Operation cannot be fulfilled on {subject} "{subject.name}": {why}'
    return StatusError(409, "Conflict", message, details=_details(subject))


def forbidden(subject: Subject, why: str, causes: Sequence[Cause] = ()) -> StatusError:
    if not subject.kind:
        message = f"forbidden: {why}"
    elif subject.name:
        message = f'{subject} "{subject.name}" is forbidden: {why}'
    else:
        message = f"{subject} is forbidden: {why}"
    details = _details(subject)
    if causes:
        details["causes"] = [msgspec.to_builtins(cause) for cause in causes]
    return StatusError(403, "Forbidden", message, details=details)


def terminating(subject: Subject, namespace: str) -> StatusError:
    """A create in a namespace that is going away."""
    return forbidden(
        subject,
        f"unable to create new content in namespace {namespace} because it is being terminated",
        [
            Cause(
                reason="NamespaceTerminating",
                message=f"namespace {namespace} is being terminated",
                field="metadata.namespace",
            )
        ],
    )


def uid_differs(subject: Subject, wanted: str, held: str) -> StatusError:
    """A delete whose precondition names another object. `subject` names the kind."""
    return conflict(
        subject,
        f"the UID in the precondition ({wanted}) does not match the UID in record ({held}). "
        "The object might have been deleted and then recreated",
    )


def other_uid(subject: Subject, namespace: str, wanted: str, held: str) -> StatusError:
    """An update whose document names another object."""
    key = "/".join(part for part in (subject.group, subject.kind, namespace, subject.name) if part)
    return conflict(
        subject,
        f"StorageError: invalid object, Code: 4, Key: /registry/{key}, ResourceVersion: 0, "
        f"AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted}, "
        f"UID in object meta: {held}",
    )


def version_differs(subject: Subject, wanted: str, held: int) -> StatusError:
    """A delete whose precondition names another version. `subject` names the kind."""
    return conflict(
        subject,
        f"the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion "
        f"in record ({held}). The object might have been modified",
    )


def invalid(subject: Subject, causes: Sequence[Cause]) -> StatusError:
    """`subject` names the KIND; each cause's message is its body without the field."""
    lines = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    told = lines[0] if len(lines) == 1 else "[" + ", ".join(lines) + "]"
    return StatusError(
        422,
        "Invalid",
        f'{subject} "{subject.name}" is invalid: {told}',
        details=_details(subject, causes=[msgspec.to_builtins(cause) for cause in causes]),
    )


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def unauthorized() -> StatusError:
    return StatusError(401, "Unauthorized", "Unauthorized")


def expired(message: str) -> StatusError:
    return StatusError(410, "Expired", message)


def too_large(limit: int) -> StatusError:
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def method_not_allowed() -> StatusError:
    return StatusError(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
        details={},
    )


def unsupported_media_type(accepted: Sequence[str]) -> StatusError:
    return StatusError(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted),
    )


def unknown_path() -> StatusError:
    """A path under /api that nobody serves."""
    return StatusError(
        404, "NotFound", "the server could not find the requested resource", details={}
    )


def page_not_found() -> StatusError:
    """A path nobody serves; the real server answers it in plain text."""
    return StatusError(404, "", "404 page not found")


def success(subject: Subject, uid: str) -> Document:
    """The answer to a delete that took effect at once."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": _details(subject, uid=uid),
    }
