"""From what a client raises to why a call was not answered.

Both kinds of client, typed ones over gRPC and REST, raise the errors of google-api-core:
https://googleapis.dev/python/google-api-core/latest/exceptions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.exceptions import GoogleAuthError, TransportError
from requests.exceptions import RequestException, Timeout

from modelreach.collect.answers import ABSENT, Refusal

_LONGEST: Final = 300
_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_VOLATILE: Final = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)
#: How gRPC says that there was no answer at all.
_UNCONNECTED: Final = re.compile(r"failed to connect to all addresses|DNS resolution failed")
NO_CONNECTION: Final = "NoConnection"
NO_ANSWER: Final = "NoAnswer"
NO_CREDENTIALS: Final = "NoCredentials"
_ATTEMPTS: Final = 3
_PROJECT: Final = re.compile(r"\bproject (\S+)")
#: Reasons of an error's details, which say what a status does not.
#: https://cloud.google.com/service-infrastructure/docs/reference/rest/v1/ErrorReason
SERVICE_DISABLED: Final = "SERVICE_DISABLED"
#: As older services say it, with the project in the message only.
_NOT_CONFIGURED: Final = "accessNotConfigured"
_PERIMETER: Final = "VPC_SERVICE_CONTROLS"


class MalformedAnswer(Exception):
    """An answer that is not of the form that its service speaks."""


class UnsupportedAnswer(Exception):
    """A page for people instead of an answer: the endpoint does not know the method."""


#: Everything that a refused call may raise.
REFUSED: Final = (
    GoogleAPICallError,
    RetryError,
    GoogleAuthError,
    RequestException,
    MalformedAnswer,
    UnsupportedAnswer,
)


def patient() -> Callable[[BaseException], bool]:
    """Give what says, for one call, whether it may be answered a little later.

    A host that is not reached is believed after a few attempts: waiting for it at each call would
    hold the run up.
    """
    attempts = 0

    def worth_a_retry(error: BaseException) -> bool:
        nonlocal attempts
        if _no_connection(error):
            attempts += 1
            return attempts < _ATTEMPTS
        return isinstance(error, GoogleAPICallError) and _status(error) in _RETRIED

    return worth_a_retry


def _no_connection(error: BaseException) -> bool:
    if isinstance(error, GoogleAPICallError):
        return bool(_UNCONNECTED.search(str(error.message)))
    return isinstance(error, (RequestException, TransportError))


def refusal(error: Exception, absent: frozenset[int], project: str, number: str) -> Refusal:
    """Give the reason of a gap, or `absent` for what is an answer: nothing is there.

    `project` and `number` are of the place that was asked about: a service that is disabled in
    that project has nothing in it, one that is disabled in the project that pays has not been
    asked.
    """
    if isinstance(error, RetryError) and isinstance(error.cause, Exception):
        return refusal(error.cause, absent, project, number)
    match error:
        case MalformedAnswer():
            return Refusal("malformed", "MalformedAnswer", message(error))
        case UnsupportedAnswer():
            return Refusal("unsupported", "UnsupportedAnswer", message(error))
        case GoogleAPICallError():
            return _of_answer(error, absent, project, number)
        case Timeout():
            return Refusal("unreachable", NO_ANSWER, "the service did not answer in time")
        case GoogleAuthError() if not isinstance(error, TransportError):
            return Refusal("denied", NO_CREDENTIALS, message(error))
    return Refusal("unreachable", NO_CONNECTION, "the service could not be reached")


def _of_answer(
    error: GoogleAPICallError, absent: frozenset[int], project: str, number: str
) -> Refusal:
    if _no_connection(error):
        return Refusal("unreachable", NO_CONNECTION, "the service could not be reached")
    status, reason = _status(error), reason_of(error)
    code = reason or getattr(error.grpc_status_code, "name", "") or str(status)
    said = message(error)
    if reason in (SERVICE_DISABLED, _NOT_CONFIGURED):
        if _consumer(error) in {project, number} - {""}:
            return Refusal(ABSENT, SERVICE_DISABLED, "the service is not enabled in this project")
        return Refusal("unsupported", SERVICE_DISABLED, said)
    if status in absent:
        return Refusal(ABSENT, code, said)
    return Refusal(_reason(status, reason), code, said)


def _reason(status: int, reason: str) -> str:
    if status == 429:
        return "throttled"
    if status in (401, 403) or reason == _PERIMETER:
        return "denied"
    if status == 404:
        return "not-collected"
    return "unreachable" if status >= 500 else "unsupported"


def _status(error: GoogleAPICallError) -> int:
    return int(error.code) if error.code is not None else 500


def reason_of(error: GoogleAPICallError) -> str:
    """Give the machine-readable reason, of either form of details, "" for none."""
    return str(_info(error)[0] or _legacy(error).get("reason", ""))


def _info(error: GoogleAPICallError) -> tuple[str, dict[str, Any]]:
    """Give the reason and metadata in an error's details: of REST as JSON, of gRPC as messages.
    https://google.aip.dev/193"""
    for detail in error.details or ():
        if isinstance(detail, Mapping):
            if str(detail.get("@type", "")).endswith("google.rpc.ErrorInfo"):
                return str(detail.get("reason", "")), dict(detail.get("metadata") or {})
        elif hasattr(detail, "reason") and hasattr(detail, "metadata"):
            return str(detail.reason), dict(detail.metadata)
    return "", {}


def _consumer(error: GoogleAPICallError) -> str:
    """Give the project, by id or number, in which a service is not enabled."""
    consumer = str(_info(error)[1].get("consumer", ""))
    said = _PROJECT.search(str(error.message))
    return consumer.removeprefix("projects/") or (said[1] if said else "")


def _legacy(error: GoogleAPICallError) -> dict[str, Any]:
    """Give the first of the `errors` of an older service, such as Cloud Storage."""
    found = error.errors[0] if error.errors else {}
    return found if isinstance(found, dict) else {}


def message(error: BaseException) -> str:
    """Give the first line of what an error says, without what differs from run to run."""
    text = str(getattr(error, "message", "") or error)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return _VOLATILE.sub("…", first)[:_LONGEST]
