"""One call over the wire: all its pages, or why not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from azure.core.rest import HttpRequest, HttpResponse

from modelreach.collect.answers import Refusal
from modelreach_azure.call import Call, Service
from modelreach_azure.refusals import REFUSED, MalformedAnswer, refusal, refusal_of_status
from modelreach_azure.wire import Wire

#: Set when there are more subscriptions than a query goes through, which then says nothing of it.
#: https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
_LIMIT_HIT: Final = "x-ms-tenant-subscription-limit-hit"
#: In a path everything of a name is escaped but what ids of ARM consist of.
_SAFE: Final = "/-._~()"


#: Services that give the items of a list as `data`, others as `value`.
_IN_DATA: Final = (Service.RESOURCE_GRAPH, Service.FOUNDRY)


class _Refused(Exception):
    def __init__(self, why: Refusal) -> None:
        self.why = why


def ask(
    wire: Wire, call: Call, place: str, parameters: Mapping[str, str]
) -> tuple[dict[str, Any] | None, Refusal | None]:
    """Make a call and give its response, its refusal, or both when a later page was refused.

    The lists of all pages are put together. A query goes through the `subscriptions` of the
    parameters, through all that can be read without them.
    """
    found: list[Any] | None = None
    single: dict[str, Any] = {}
    try:
        for page in _pages(wire, call, place, parameters):
            items = page.get("data" if call.service in _IN_DATA else "value")
            if isinstance(items, list):
                found = found if found is not None else []
                found.extend(items)
            else:
                single = {name: value for name, value in page.items() if name[0] != "@"}
    except _Refused as error:
        return _whole(found, single), error.why
    except REFUSED as error:
        return _whole(found, single), refusal(error)
    return _whole(found, single), None


def _whole(found: list[Any] | None, single: dict[str, Any]) -> dict[str, Any] | None:
    if found is not None:
        return {"value": found}
    return single or None


def _pages(
    wire: Wire, call: Call, place: str, parameters: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    request = _first(wire, call, place, parameters)
    seen: set[str] = set()
    while True:
        response = wire.send(call.service, request)
        page = _page(response, call.absent)
        yield page
        token = _next(page)
        if response.headers.get(_LIMIT_HIT, "").lower() == "true":
            raise _Refused(_CUT)
        if not token:
            if str(page.get("resultTruncated", "")).lower() == "true":
                raise _Refused(_CUT)
            return
        if token in seen:
            raise MalformedAnswer("the endpoint gives the same page over and over")
        seen.add(token)
        request = _further(wire, call, place, parameters, token)


_CUT: Final = Refusal(
    "not-collected", "Truncated", "the query went through a part of the tenant only"
)


def _next(page: Mapping[str, Any]) -> str:
    if page.get("has_more") is True:
        return str(page.get("last_id") or "")
    for name in ("nextLink", "@odata.nextLink", "$skipToken"):
        if page.get(name):
            return str(page[name])
    return ""


def _first(wire: Wire, call: Call, place: str, parameters: Mapping[str, str]) -> HttpRequest:
    values = {name: quote(str(value), safe=_SAFE) for name, value in parameters.items()}
    path = call.path.format(place=quote(place, safe=_SAFE), **values)
    url = _of_project(wire, parameters) if call.service is Service.FOUNDRY else ""
    url = f"{url}/agents" if url else wire.bases[call.service] + path
    if call.body is None:
        return HttpRequest("GET", url, params=_query(call, parameters))
    bound = parameters.get("subscriptions", "")
    body = {**call.body, "subscriptions": bound.split(",")} if bound else call.body
    return HttpRequest("POST", url, params=dict(call.query), json=body)


def _query(call: Call, parameters: Mapping[str, str]) -> dict[str, str]:
    """Give the query of a call. An apostrophe in a text is written twice.

    https://learn.microsoft.com/graph/query-parameters#escaping-single-quotes
    """
    values = {name: str(value).replace("'", "''") for name, value in parameters.items()}
    return {name: text.format_map(values) for name, text in call.query.items()}


def _of_project(wire: Wire, parameters: Mapping[str, str]) -> str:
    """Give where the agents of a project answer; it must be Microsoft's, as a token is sent."""
    told = urlsplit(parameters.get("endpoint", ""))
    base = wire.bases[Service.FOUNDRY]
    if base:
        return base + quote(told.path, safe=_SAFE)
    if told.scheme != "https" or not (told.hostname or "").endswith(wire.foundry):
        raise MalformedAnswer("the project names an endpoint that is not Microsoft's")
    return f"https://{told.hostname}{quote(told.path, safe=_SAFE)}"


def _further(
    wire: Wire,
    call: Call,
    place: str,
    parameters: Mapping[str, str],
    token: str,
) -> HttpRequest:
    if call.service is Service.FOUNDRY:
        first = _first(wire, call, place, parameters)
        return HttpRequest("GET", first.url, params={"after": token})
    if call.body is None:
        if urlsplit(token)[:2] != urlsplit(wire.bases[call.service])[:2]:
            # The token of this service must not be sent to whoever a page names.
            raise MalformedAnswer("the endpoint gives a next page on another host")
        return HttpRequest("GET", token)
    first = _first(wire, call, place, parameters)
    body = json.loads(first.content) if isinstance(first.content, str | bytes) else {}
    body["options"] = {**body.get("options", {}), "$skipToken": token}
    return HttpRequest("POST", first.url, json=body)


def _page(response: HttpResponse, absent: frozenset[str]) -> dict[str, Any]:
    """Give the page of a response. What only looks like an answer is refused."""
    try:
        page = json.loads(response.text()) if response.content else None
    except (ValueError, RecursionError):
        page = None
    if response.status_code >= 400:
        why = refusal_of_status(response.status_code, page, absent)
        raise _Refused(why)
    if not isinstance(page, dict):
        raise MalformedAnswer("the endpoint gave an answer that is not JSON, or is cut off")
    return page
