"""From one answer to the parameters of the calls that it leads to.

A binding is a path in the item (`Policy.Arn`), the item itself (`.`), a parameter of the call
that was answered (`^cluster`) or a constant (`=DRAFT`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Parameters = dict[str, Any]
#: Takes the parameters and the response of an answered call.
Select = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Parameters]]


def at(value: Any, path: str) -> Any:
    """Give what is at a dotted path, None where there is nothing."""
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, dict) else None
    return value


def over(
    items: str,
    *,
    batch: tuple[str, int] | None = None,
    having: tuple[str, str] | None = None,
    lacking: tuple[str, str] | None = None,
    **bind: str,
) -> Select:
    """Select one call for each item at a path (a list, or a single structure).

    `batch` names the parameter that takes up to so many items at once. `having` and `lacking`
    keep items whose field has, or has not, a value. An item without a bound value gives no call.
    """

    def wanted(item: Any) -> bool:
        return (having is None or at(item, having[0]) == having[1]) and (
            lacking is None or at(item, lacking[0]) != lacking[1]
        )

    def select(parameters: Mapping[str, Any], response: Mapping[str, Any]) -> Iterator[Parameters]:
        found = [item for item in _listed(at(response, items)) if wanted(item)]
        if batch:
            name, size = batch
            for start in range(0, len(found), size):
                yield {**_bound(bind, None, parameters), name: found[start : start + size]}
            return
        for item in found:
            values = _bound(bind, item, parameters)
            if all(values.values()):
                yield values

    return select


def once(path: str) -> Select:
    """Select one call, of no parameters of its own, where there is something at a path."""

    def select(
        _parameters: Mapping[str, Any], response: Mapping[str, Any]
    ) -> Iterator[Parameters]:
        if at(response, path):
            yield {}

    return select


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _bound(bind: Mapping[str, str], item: Any, parameters: Mapping[str, Any]) -> Parameters:
    return {name: _value(source, item, parameters) for name, source in bind.items()}


def _value(source: str, item: Any, parameters: Mapping[str, Any]) -> Any:
    match source[0]:
        case "^":
            return parameters.get(source[1:])
        case "=":
            return source[1:]
        case ".":
            return item
        case _:
            return at(item, source)


def policies_left_out(
    _parameters: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[Parameters]:
    """Select the policies that account details refer to and do not have.

    An AWS managed policy that is only a boundary is one: the details list attached ones.
    """
    listed = {policy.get("Arn") for policy in response.get("Policies", ())}
    for arn in sorted(set(policies_referred_to(response)) - listed):
        yield {"PolicyArn": arn}


def policies_referred_to(response: Mapping[str, Any]) -> Iterator[str]:
    """Give the ARN of each managed policy that is attached to something or bounds it."""
    for section in ("UserDetailList", "GroupDetailList", "RoleDetailList"):
        for entity in response.get(section, ()):
            for policy in entity.get("AttachedManagedPolicies", ()):
                if arn := at(policy, "PolicyArn"):
                    yield arn
            if arn := at(entity, "PermissionsBoundary.PermissionsBoundaryArn"):
                yield arn
