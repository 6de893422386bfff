"""The typed condition operators: numbers, dates, Booleans, bytes, addresses.

A policy value that is not of the operator's type is not understood; a request value that is not
simply does not fit.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address, ip_network
from typing import TypeVar

from modelreach_reference.aws.logic import NotUnderstood

_Value = TypeVar("_Value")


def typed_test(name: str, wanted: str) -> Callable[[str], bool]:
    """Give the comparison of a typed operator with one policy value."""
    if name == "Bool":
        wish = boolean(wanted)
        return lambda found: found.lower() == ("true" if wish else "false")
    if name == "BinaryEquals":
        content = _bytes(wanted)
        return lambda found: _or_none(_bytes, found) == content
    if name == "IpAddress":
        return _address_test(wanted)
    if name.startswith("Numeric"):
        return _ordered_test(name.removeprefix("Numeric"), number, wanted)
    return _ordered_test(name.removeprefix("Date"), date, wanted)


def boolean(text: str) -> bool:
    """Read `true` or `false`."""
    if text.lower() not in ("true", "false"):
        raise NotUnderstood(f"`{text}` is neither true nor false")
    return text.lower() == "true"


def number(text: str) -> Decimal:
    """Read a whole or decimal number."""
    if not text or text.strip("+-.0123456789eE"):
        raise NotUnderstood(f"`{text}` is not a number")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise NotUnderstood(f"`{text}` is not a number") from None


def date(text: str) -> Decimal:
    """Read an ISO 8601 date, or seconds since 1970, as seconds since 1970.

    Four digits alone are a year. Year and month, and times without a zone (UTC), are accepted:
    https://www.w3.org/TR/NOTE-datetime
    """
    if len(text) not in (4, 7) and text.lstrip("-").replace(".", "", 1).isdecimal():
        return number(text)
    padded = text + {4: "-01-01", 7: "-01"}.get(len(text), "")
    try:
        moment = datetime.fromisoformat(padded)
    except ValueError:
        raise NotUnderstood(f"`{text}` is not a date") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Decimal(repr(aware.timestamp()))


def _ordered_test(
    order: str, read: Callable[[str], Decimal], wanted: str
) -> Callable[[str], bool]:
    limit = read(wanted)

    def test(text: str) -> bool:
        found = _or_none(read, text)
        if found is None:
            return False
        match order:
            case "Equals":
                return found == limit
            case "LessThan":
                return found < limit
            case "LessThanEquals":
                return found <= limit
            case "GreaterThan":
                return found > limit
            case _:
                return found >= limit

    return test


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotUnderstood(f"`{text}` is not in base 64") from None


def _address_test(wanted: str) -> Callable[[str], bool]:
    """Say whether an address is in a range; an address alone is a range of one."""
    try:
        network = ip_network(wanted, strict=False)
    except ValueError:
        raise NotUnderstood(f"`{wanted}` is not a range of addresses") from None

    def test(text: str) -> bool:
        try:
            return ip_address(text) in network
        except ValueError:
            return False

    return test


def _or_none(read: Callable[[str], _Value], text: str) -> _Value | None:
    try:
        return read(text)
    except NotUnderstood:
        return None
