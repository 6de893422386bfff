"""What each condition operator does with one value of the policy and one of the request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import operator as relation
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from modelreach.policy import glob

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    Network = IPv4Network | IPv6Network
Test = Callable[[str, str], bool]


class Operator(msgspec.Struct, frozen=True):
    """One operator. `positive` is the operator it negates, or its own name.

    `wild`: the policy's value is a glob. `test` takes the policy's value and the request's.
    """

    positive: str
    test: Test
    wild: bool = False
    negated: bool = False


# --- reading values ------------------------------------------------------------------------

# Compiled when one is read: few policies ask for numbers or dates.
_NUMBER = r"[+-]?(\d{1,60}(\.\d{0,60})?|\.\d{1,60})([eE][+-]?\d{1,4})?"
_DATE = (
    r"(?P<y>\d{4})(-(?P<m>\d\d)(-(?P<d>\d\d)"
    r"([Tt ](?P<H>\d\d):(?P<M>\d\d)(:(?P<S>\d\d)(\.(?P<f>\d{1,9}))?)?"
    r"(?P<z>[Zz]|[+-]\d\d:?\d\d)?)?)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(4096)
def number(text: str) -> Decimal | None:
    """Give the number, or None."""
    if not re.fullmatch(_NUMBER, text.strip()):
        return None
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None


@lru_cache(4096)
def moment(text: str) -> Decimal | None:
    """Give a date as seconds since 1970: ISO 8601 as the W3C profiles it, or epoch time.

    Four digits are a year. Without a zone it is UTC.
    """
    text = text.strip()
    found = re.fullmatch(_DATE, text)
    if found is None:
        return number(text)
    second = min(int(found["S"] or 0), 59)
    try:
        day = datetime(int(found["y"]), int(found["m"] or 1), int(found["d"] or 1), tzinfo=UTC)
        at = day.replace(hour=int(found["H"] or 0), minute=int(found["M"] or 0), second=second)
        whole = at - _EPOCH - _offset(found["z"])
    except (ValueError, OverflowError):
        return None
    return Decimal(whole.days * 86400 + whole.seconds) + Decimal(f"0.{found['f'] or 0}")


def _offset(zone: str | None) -> timedelta:
    if not zone or zone in "Zz":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)


@lru_cache(4096)
def network(text: str) -> Network | None:
    """Give the address or range, or None. Host bits below the prefix are ignored."""
    import ipaddress

    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def truth(text: str) -> bool | None:
    """Give the boolean, whatever its case, or None."""
    return {"true": True, "false": False}.get(text.strip().lower())


def _bytes(text: str) -> bytes | None:
    from base64 import b64decode

    try:
        return b64decode(text, validate=True)
    except ValueError:  # which `binascii.Error` is
        return None


# --- tests ---------------------------------------------------------------------------------


def _equal(wanted: str, given: str) -> bool:
    return wanted == given


def _equal_ignoring_case(wanted: str, given: str) -> bool:
    return wanted.lower() == given.lower()


def arn_like(pattern: str, arn: str) -> bool:
    """Do the six parts of the ARN match, each on its own?

    A pattern with fewer parts that ends in `*` leaves the remaining parts free.
    """
    wanted, given = pattern.split(":", 5), arn.split(":", 5)
    if len(given) < 6 or given[0] != "arn":
        return False
    if len(wanted) < 6:
        if not pattern.endswith("*"):
            return False
        cut = len(wanted) - 1
        given = [*given[:cut], ":".join(given[cut:])]
    # What tells ARNs apart mostly stands last.
    for part, text in zip(wanted[::-1], given[::-1], strict=True):
        if part not in ("*", text) and not glob.match(part, text):
            return False
    return True


def _read(reader: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Test:
    """Give the test that reads both values; what cannot be read does not match."""

    def test(wanted: str, given: str) -> bool:
        left, right = reader(given), reader(wanted)
        return left is not None and right is not None and compare(left, right)

    return test


def _inside(given: Network, wanted: Network) -> bool:
    if given.version != wanted.version or given.prefixlen < wanted.prefixlen:
        return False
    return given.network_address in wanted


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": relation.eq,
    "LessThan": relation.lt,
    "LessThanEquals": relation.le,
    "GreaterThan": relation.gt,
    "GreaterThanEquals": relation.ge,
}


def _table() -> dict[str, Operator]:
    table = {
        "StringEquals": Operator("StringEquals", _equal),
        "StringEqualsIgnoreCase": Operator("StringEqualsIgnoreCase", _equal_ignoring_case),
        "StringLike": Operator("StringLike", glob.match, wild=True),
        "Bool": Operator("Bool", _read(truth, relation.eq)),
        "BinaryEquals": Operator("BinaryEquals", _read(_bytes, relation.eq)),
        "IpAddress": Operator("IpAddress", _read(network, _inside)),
        # "ArnEquals and ArnLike behave identically": both take wildcards.
        "ArnLike": Operator("ArnLike", arn_like, wild=True),
        "ArnEquals": Operator("ArnLike", arn_like, wild=True),
        "Null": Operator("Null", _equal),
    }
    for order, compare in _ORDERS.items():
        for kind, reader in (("Numeric", number), ("Date", moment)):
            table[kind + order] = Operator(kind + order, _read(reader, compare))
    for negated, positive in _NEGATED.items():
        known = table[positive]
        table[negated] = Operator(known.positive, known.test, known.wild, negated=True)
    return table


_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnLike",
    "ArnNotLike": "ArnLike",
}

OPERATORS: dict[str, Operator] = _table()
"""Every operator of the policy language by name."""

_READERS: tuple[tuple[str, Callable[[str], object | None]], ...] = (
    ("Numeric", number),
    ("Date", moment),
    ("Bool", truth),
    ("Null", truth),
    ("IpAddress", network),
    ("NotIpAddress", network),
    ("Binary", _bytes),
)


def fits(operator: str, value: str) -> bool:
    """Can the operator do anything with this value of a policy?"""
    for start, reader in _READERS:
        if operator.startswith(start):
            return reader(value) is not None
    return True
