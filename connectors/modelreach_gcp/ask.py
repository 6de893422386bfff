"""One call over the wire: all its pages, or why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Final
from urllib.parse import quote

from google.api_core import exceptions
from google.api_core.retry import Retry
from google.protobuf.json_format import MessageToDict

from modelreach.collect.answers import Refusal
from modelreach_gcp.answers import UNREACHABLE
from modelreach_gcp.call import Call
from modelreach_gcp.refusals import (
    REFUSED,
    MalformedAnswer,
    UnsupportedAnswer,
    patient,
    refusal,
)

#: How the services call the locations that an answer lacks.
_UNREACHABLE: Final = ("unreachable", "unreachables", "missingZones")
_LONGEST_PAUSE: Final = 60
_NAME: Final = re.compile(r"{(\+?)(\w+)}")

Turn = Callable[[], None]


class Wire:
    """What calls are made with: a REST session, typed clients, and how long one is patient.

    `session` is an authorized session of google-auth; `client` gives an official client by module
    and class; `address` gives the base URL of a host, and the headers that name it.
    """

    def __init__(
        self,
        session: Any,
        client: Callable[[str, str, str], Any],
        address: Callable[[str], tuple[str, dict[str, str]]],
        *,
        timeout: float,
        patience: float,
        first_pause: float,
    ) -> None:
        self.session, self.client, self.address = session, client, address
        self.timeout = timeout
        self.patience, self.first_pause = patience, first_pause

    def retry(self, function: Any) -> Any:
        """Give a function that is called again, with pauses that double, while that may help."""
        again = Retry(
            predicate=patient(),
            initial=self.first_pause,
            maximum=self.first_pause * _LONGEST_PAUSE,
            multiplier=2.0,
            timeout=self.patience,
        )
        return again(function)

    def ask(
        self,
        call: Call,
        parameters: Mapping[str, Any],
        *,
        project: str = "",
        number: str = "",
        turn: Turn = lambda: None,
    ) -> tuple[dict[str, Any] | None, Refusal | None]:
        """Make a call and give its response, its refusal, or both when a later page was refused.

        The lists of all pages are put together. `turn` is waited for before each page.
        """
        whole: dict[str, Any] | None = None
        pages = _typed_pages if call.typed else _rest_pages
        try:
            for page in pages(self, call, parameters, turn):
                whole = _added(whole, page, call)
        except REFUSED as error:
            return whole, refusal(error, call.absent, project, number)
        return whole, None


def _added(whole: dict[str, Any] | None, page: Mapping[str, Any], call: Call) -> dict[str, Any]:
    if not call.items:
        return dict(page)
    found = whole or {call.list_name: []}
    found[call.list_name] += _items(page, call.items)
    lacking = [str(one) for name in _UNREACHABLE for one in page.get(name) or ()]
    if lacking:
        found[UNREACHABLE] = sorted({*found.get(UNREACHABLE, ()), *lacking})
    return found


def _items(page: Mapping[str, Any], path: str) -> list[Any]:
    values: list[Any] = [page]
    for name in path.split("."):
        if name == "*":
            values = [inner for value in values for inner in value.values()]
        else:
            values = [value[name] for value in values if isinstance(value, dict) and name in value]
    if not all(isinstance(value, list) for value in values):
        raise MalformedAnswer(f"`{path}` of the answer is no list")
    return [item for value in values for item in value]


# -- REST ------------------------------------------------------------------------------------


def _rest_pages(
    wire: Wire, call: Call, parameters: Mapping[str, Any], turn: Turn
) -> Iterator[dict[str, Any]]:
    sent = {name: value for name, value in parameters.items() if not name.startswith("_")}
    url, headers = wire.address(call.address(parameters))
    path, query = filled(call.path, sent)
    token = ""
    while True:
        turn()
        more = {"pageToken": token} if token else {}
        page = wire.retry(_page)(wire, call, f"{url}/{path}", {**query, **more}, headers)
        yield page
        following = page.get("nextPageToken")
        if not call.items or not following or following == token:
            return
        token = str(following)


def filled(template: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Fill the names of a path (`{name}`, and `{+name}`, which may have slashes) from parameters;
    give the path and what is left of them."""
    left = dict(parameters)

    def value(found: re.Match[str]) -> str:
        return quote(str(left.pop(found[2])), safe="/%:@" if found[1] else "")

    return _NAME.sub(value, template), left


def _page(
    wire: Wire, call: Call, url: str, query: Mapping[str, Any], headers: Mapping[str, str]
) -> dict[str, Any]:
    sent = {name: value for name, value in query.items() if not isinstance(value, Mapping)}
    body = {name: value for name, value in query.items() if isinstance(value, Mapping)}
    response = wire.session.request(
        call.http,
        url,
        params=sent,
        json=body or None,
        headers=dict(headers),
        timeout=wire.timeout,
    )
    if response.status_code >= 400:
        if _for_people(response):
            raise UnsupportedAnswer(
                f"the endpoint does not know this method (HTTP {response.status_code})"
            )
        failed: Any = exceptions.from_http_response
        raise failed(response)
    try:
        page = response.json()
    except (ValueError, RecursionError):
        page = None
    if not isinstance(page, dict):
        raise MalformedAnswer("the answer is not JSON, or is cut off")
    return page


def _for_people(response: Any) -> bool:
    """Is this a page of HTML, as the front of all Google services gives for an unknown path?"""
    page = response.content[:64].lstrip().lower().startswith((b"<!doctype html", b"<html"))
    return page and response.status_code in (404, 405, 501)


# -- typed clients ---------------------------------------------------------------------------


def _typed_pages(
    wire: Wire, call: Call, parameters: Mapping[str, Any], turn: Turn
) -> Iterator[dict[str, Any]]:
    module, _, name = call.typed.partition(":")
    kind, _, method = name.partition(".")
    client = wire.client(module, kind, call.address(parameters))
    request = {_snake(name): value for name, value in parameters.items() if name[:1] != "_"}
    ask = getattr(client, method)
    turn()
    answered = wire.retry(ask)(request=request, retry=None, timeout=wire.timeout)
    if not call.items:
        yield _plain(answered)
        return
    while True:
        page = next(iter(answered.pages))
        yield _plain(page)
        if not page.next_page_token:
            return
        turn()
        request = {**request, "page_token": page.next_page_token}
        answered = wire.retry(ask)(request=request, retry=None, timeout=wire.timeout)


def _plain(message: Any) -> dict[str, Any]:
    """Give a message as REST would: camel case, enumerations by name, defaults left out."""
    raw = type(message).pb(message) if hasattr(type(message), "pb") else message
    found: dict[str, Any] = MessageToDict(raw)
    return found


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name)


def client_class(module: str, name: str) -> Any:
    """Give an official client's class; its module is imported now."""
    return getattr(import_module(module), name)
