"""One call over the wire: all its pages, or why not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore import xform_name
from botocore.exceptions import ConnectionError as NoConnection

from modelreach.collect.answers import Refusal
from modelreach_aws.calls import Call
from modelreach_aws.refusals import (
    REFUSED,
    MalformedAnswer,
    StillBusy,
    UnknownCall,
    UnsupportedAnswer,
    refusal,
)

#: Retrying a name that does not resolve ten times, with pauses, would hold the run up for a
#: minute at each service that a region does not have.
_CONNECT_ATTEMPTS: Final = 2
_READ_ATTEMPTS: Final = 3
#: How often, and with which pause in seconds, it is asked whether a report is ready. Reports on
#: roles take seconds: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html
_POLLS: Final = 40
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 3.0
_JSON: Final = frozenset({"json", "rest-json"})
#: Not those of a gateway that will be back: they are worth a retry.
_PAGE_STATUS: Final = frozenset({200, 404, 405, 500, 501})
#: Tokens of a page, and what the SDK adds: not part of the answer.
_NOT_ANSWER: Final = frozenset(
    {"ResponseMetadata", "Marker", "NextMarker", "NextToken", "nextToken", "IsTruncated"}
    | {"Truncated", "ContinuationToken", "LastEvaluatedTableName"}
)


def ask(
    client: Any, call: Call, parameters: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, Refusal | None]:
    """Make a call and give its response, its refusal, or both when a later page was refused.

    The lists of all pages are put together.
    """
    whole: dict[str, Any] | None = None
    try:
        for page in _pages(client, call, dict(parameters)):
            whole = _added(whole, page)
    except REFUSED as error:
        return whole, refusal(error, call.absent)
    return whole, None


def _pages(client: Any, call: Call, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    method = xform_name(call.operation)
    if method not in client.meta.method_to_api_mapping:
        raise UnknownCall(f"{call.service}:{call.operation}")
    if client.can_paginate(method):
        size = {"PageSize": call.page_size} if call.page_size else {}
        yield from client.get_paginator(method).paginate(**parameters, PaginationConfig=size)
        return
    while True:
        page = _ready(getattr(client, method), call, parameters)
        yield page
        # The SDK has no paginator for a few operations, of IAM and App Runner for two.
        token = _token(page)
        if token is None or parameters.get(token[0]) == token[1]:
            return
        parameters[token[0]] = token[1]


def _ready(method: Any, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Ask until the answer is there, or believe that it is not coming."""
    pause = _FIRST_PAUSE
    for _ in range(_POLLS):
        page: dict[str, Any] = method(**parameters)
        if call.busy is None or page.get(call.busy[0]) != call.busy[1]:
            return page
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    raise StillBusy(f"{call.operation} was not ready after {_POLLS} times of asking")


def _token(page: Mapping[str, Any]) -> tuple[str, str] | None:
    """Give the parameter that asks for the next page, and its value."""
    if page.get("IsTruncated") and page.get("Marker"):
        return "Marker", page["Marker"]
    for name in ("NextToken", "nextToken"):
        if page.get(name):
            return name, page[name]
    return None


def _added(whole: dict[str, Any] | None, page: dict[str, Any]) -> dict[str, Any]:
    found = {} if whole is None else whole
    for name, value in page.items():
        if name in _NOT_ANSWER:
            continue
        if isinstance(value, list):
            found[name] = [*found.get(name, ()), *value]
        else:
            found.setdefault(name, value)
    return found


def believe_early(attempts: int, caught_exception: Any = None, **_: Any) -> None:
    """Handle botocore's `needs-retry`: end at once what no retry will change."""
    if caught_exception is not None:
        connecting = isinstance(caught_exception, NoConnection)
        if attempts >= (_CONNECT_ATTEMPTS if connecting else _READ_ATTEMPTS):
            raise caught_exception


def check_form(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Handle botocore's `before-parse`: refuse what only looks like an answer.

    The SDK retries a page of HTML with status 500, and reads a body that is not JSON as an empty
    answer, which would say that there is nothing where nothing was read.
    """
    if _page_for_people(response_dict):
        status = response_dict["status_code"]
        raise UnsupportedAnswer(f"the endpoint does not answer this operation (HTTP {status})")
    protocol = operation_model.service_model.metadata.get("protocol")
    if protocol in _JSON and response_dict["status_code"] == 200:
        try:
            whole = isinstance(json.loads(response_dict["body"]), dict)
        except (ValueError, RecursionError):
            whole = False
        if not whole:
            raise MalformedAnswer("the endpoint gave an answer that is not JSON, or is cut off")


def _page_for_people(response: dict[str, Any]) -> bool:
    """Is this a page, and not from AWS, whose answers carry a request id?"""
    headers = {name.lower() for name in response["headers"]}
    start = bytes(response["body"][:64]).lstrip().lower()
    return (
        response["status_code"] in _PAGE_STATUS
        and start.startswith((b"<!doctype html", b"<html"))
        and headers.isdisjoint({"x-amzn-requestid", "x-amz-request-id"})
    )
