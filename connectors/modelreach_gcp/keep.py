"""Answers are made here, so that nothing is kept that is not listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelreach.collect.answers import Refusal
from modelreach_gcp.answers import UNREACHABLE, Answer, plain
from modelreach_gcp.calls import call_of
from modelreach_gcp.estate import LIST, SEARCH
from modelreach_gcp.kept import kept, kept_asset, kept_result


def answer(
    place: str,
    call: tuple[str, str],
    parameters: Mapping[str, Any],
    response: Mapping[str, Any] | None,
    error: Refusal | None = None,
) -> Answer:
    """Make an answer of what came over the wire, or from a file."""
    found = None if response is None else _kept(call, plain(response))
    return Answer(place, *call, plain(parameters), found, error)


def _kept(name: tuple[str, str], response: dict[str, Any]) -> dict[str, Any]:
    call = call_of(name)
    if name == LIST:
        return {"assets": [kept_asset(item) for item in _items(response, "assets")]}
    if name == SEARCH:
        return {"results": [kept_result(item) for item in _items(response, "results")]}
    if call is None or not call.asset:
        return response
    if not call.items:
        return kept(call.asset, response)
    items = [kept(call.asset, item) for item in _items(response, call.list_name)]
    unreachable = {name: response[name] for name in (UNREACHABLE,) if name in response}
    return {call.list_name: items, **unreachable}


def _items(response: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = response.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
