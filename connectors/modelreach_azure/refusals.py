"""From what azure-core raises, or a status, to why a call was not answered."""

from __future__ import annotations

import re
from typing import Any, Final

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from modelreach.collect.answers import ABSENT, Refusal

#: What changes from one run to the next: ids of requests and times.
_VOLATILE: Final = re.compile(
    r"(?i)(?:trace id|correlation id|request id|client-request-id|timestamp)[:=]?\s*\S+(?: \S+Z)?"
)
_LONGEST: Final = 300
_BY_STATUS: Final = {
    401: "denied",
    403: "denied",
    404: "not-collected",
    408: "unreachable",
    410: "not-collected",
    429: "throttled",
}
#: Codes of a refusal for want of a permission, by services that answer them with 400.
_DENIED: Final = frozenset(
    {"AuthorizationFailed", "Authorization_RequestDenied", "AccessDenied", "Forbidden"}
)


class MalformedAnswer(Exception):
    """An answer that is not of the form that its service speaks."""


#: Everything that a refused call may raise.
REFUSED: Final = (AzureError, MalformedAnswer)


def refusal(error: Exception) -> Refusal:
    """Say why a call was not answered, for what was raised instead of an answer."""
    message = _message(str(error))
    name = type(error).__name__
    match error:
        case MalformedAnswer() | DecodeError() | IncompleteReadError():
            return Refusal("malformed", "", message)
        case ClientAuthenticationError():
            return Refusal("denied", name, message)
        case ServiceRequestError() | ServiceResponseError():
            return Refusal("unreachable", name, "the endpoint could not be reached")
        case HttpResponseError():
            return Refusal("malformed", name, message)
        case _:
            return Refusal("unreachable", name, message)


def refusal_of_status(status: int, body: Any, absent: frozenset[str]) -> Refusal:
    """Say why a call was not answered, for an answer with an error status."""
    code, message = _told(body)
    if code in absent or str(status) in absent:
        return Refusal(ABSENT, code, message)
    if code in _DENIED:
        return Refusal("denied", code, message)
    reason = _BY_STATUS.get(status, "unreachable" if status >= 500 else "unsupported")
    return Refusal(reason, code or str(status), message)


def _told(body: Any) -> tuple[str, str]:
    """Give code and message of an error in the form that ARM and Graph share.

    https://learn.microsoft.com/azure/azure-resource-manager/management/common-deployment-errors
    """
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code") or ""), _message(str(error.get("message") or ""))


def _message(text: str) -> str:
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if first.lower().startswith(("<!doctype", "<html")):
        return "the endpoint answered with a page for people"
    return _VOLATILE.sub("…", first)[:_LONGEST]
