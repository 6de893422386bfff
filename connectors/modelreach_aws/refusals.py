"""From what the SDK raises to why a call was not answered."""

from __future__ import annotations

import re
from typing import Final

from botocore import exceptions
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PaginationError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSOError,
    UnknownEndpointError,
    UnknownServiceError,
)
from botocore.parsers import ResponseParserError

from modelreach.collect.answers import ABSENT, Refusal

_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "ExpiredToken",
        "ExpiredTokenException",
        "NotAuthorized",
        "RequestExpired",
        "UnauthorizedOperation",
        "UnauthorizedException",
    }
)
_THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
#: What a region that is not enabled answers to credentials that are good elsewhere.
#: https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
_NOT_THERE: Final = frozenset(
    {"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"}
)
_UNSUPPORTED: Final = frozenset(
    {
        "InvalidAction",
        "NotImplemented",
        "OptInRequired",
        "UnknownOperation",
        "UnknownOperationException",
        "UnsupportedOperation",
        "UnsupportedOperationException",
    }
)
_GONE: Final = re.compile(r"NotFound|NoSuch|DoesNotExist|NonExistent|NotExist")
_CREDENTIALS: Final = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    # Not in the oldest SDK that we take.
    *filter(None, [getattr(exceptions, "LoginError", None)]),
)
_NETWORK: Final = (
    EndpointConnectionError,
    ConnectTimeoutError,
    ReadTimeoutError,
    ConnectionClosedError,
    HTTPClientError,
)

#: Codes after which nothing else of the endpoint is asked: it would be waited for each time.
WHOLE_ENDPOINT: Final = _NOT_THERE | {
    kind.__name__ for kind in (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError)
}

#: What differs from one run to the next, or is meant for `sts decode-authorization-message`.
_VOLATILE: Final = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|(?<=Encoded authorization failure message: )\S+"
    r"|(?<=botocore-session-)\d+"
)
_LONGEST: Final = 300


#: The first SDK that knows every call that is made here, as `pyproject.toml` asks for it.
NEEDED_SDK: Final = "1.43.32"


class UnknownCall(Exception):
    """A call, `service:Operation`, that the installed SDK is too old to know."""

    def __str__(self) -> str:
        name = super().__str__()
        return f"the installed boto3 does not know {name}; boto3 {NEEDED_SDK} and newer do"


class UnsupportedAnswer(Exception):
    """A page for people instead of an answer: the endpoint does not know the operation."""


class MalformedAnswer(Exception):
    """An answer that is not of the form that its service speaks."""


class StillBusy(Exception):
    """A report that was not made in the time that is waited for it."""


#: Everything that a refused call may raise.
REFUSED: Final = (
    ClientError,
    BotoCoreError,
    ResponseParserError,
    UnknownCall,
    UnsupportedAnswer,
    MalformedAnswer,
    StillBusy,
)


def refusal(error: Exception, absent: frozenset[str] = frozenset()) -> Refusal:
    """Say why a call was not answered. `absent` are the codes that mean "there is none"."""
    match error:
        case ClientError():
            return _of_answer(error, absent)
        case UnknownCall():
            return Refusal("unsupported", type(error).__name__, str(error))
        case UnsupportedAnswer():
            return Refusal("unsupported", "", str(error))
        case StillBusy():
            return Refusal("throttled", "", str(error))
        case MalformedAnswer():
            return Refusal("malformed", "", str(error))
        case PaginationError():
            return Refusal("malformed", type(error).__name__, _message(str(error)))
        case ResponseParserError():
            message = "the endpoint gave an answer that is not of this service"
            return Refusal("malformed", type(error).__name__, message)
        case UnknownServiceError():
            service = str(error.kwargs.get("service_name", ""))
            return Refusal("unsupported", type(error).__name__, str(UnknownCall(service)))
    if isinstance(error, _CREDENTIALS):
        return Refusal("denied", type(error).__name__, _message(str(error)))
    if isinstance(error, (*_NETWORK, UnknownEndpointError)):
        return Refusal("unreachable", type(error).__name__, _message(str(error)))
    if isinstance(error, BotoCoreError):
        return Refusal("unsupported", type(error).__name__, _message(str(error)))
    raise error


def _of_answer(error: ClientError, absent: frozenset[str]) -> Refusal:
    found = error.response.get("Error", {})
    code = str(found.get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    message = _message(str(found.get("Message", "")))
    reason = ABSENT if code in absent else _reason(code, status)
    return Refusal(reason, code, message)


def _reason(code: str, status: int) -> str:
    # Query services put their errors in a name space: `AWS.SimpleQueueService.NonExistentQueue`.
    short = code.rpartition(".")[2]
    if short in _THROTTLED or status == 429:
        return "throttled"
    if short in _DENIED:
        return "denied"
    if short in _NOT_THERE:
        return "unreachable"
    if short in _UNSUPPORTED or status == 501:
        return "unsupported"
    if _GONE.search(short):
        return "not-collected"
    if status == 403:
        return "denied"
    return "unreachable" if status >= 500 else "unsupported"


def _message(text: str) -> str:
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if first.lower().startswith(("<!doctype", "<html")):
        return "the endpoint answered with a page for people"
    return _VOLATILE.sub("…", first)[:_LONGEST]


def is_throttled(code: str) -> bool:
    """Does an error code say that calls come too fast?"""
    return code.rpartition(".")[2] in _THROTTLED
