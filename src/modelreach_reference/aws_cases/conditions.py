"""Random Condition elements and random contexts over one small set of keys."""

from __future__ import annotations

import random
from dataclasses import dataclass

from modelreach_reference.aws_cases.alphabet import AWAY, HOME, one_or_list, some

STRING = (
    *("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"),
    *("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
)
ARN = ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike", "StringEquals")
NUMERIC = (
    *("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals"),
    *("NumericGreaterThan", "NumericGreaterThanEquals"),
)
DATE = (
    *("DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals"),
    *("DateGreaterThan", "DateGreaterThanEquals"),
)
ADDRESS = ("IpAddress", "NotIpAddress")


@dataclass(frozen=True, slots=True)
class Key:
    """A condition key: what operators suit it, what policies ask, what requests have."""

    name: str
    operators: tuple[str, ...]
    asked: tuple[object, ...]
    given: tuple[object, ...]
    several: bool = False


TEAM = ("a", "b", "A", "ab", "a*", "?", "u")
VARIABLES = (
    *("${aws:PrincipalTag/team}", "${aws:username}", "${aws:username, 'a'}", "${*}"),
    *("${aws:principaltag/TEAM, 'b'}", "a${?}", "${aws:PrincipalTag/team}*", "${aws:absent}"),
)

KEYS = (
    Key("aws:PrincipalTag/team", STRING, TEAM, ("a", "b", "A", "ab", "*", "u")),
    Key("aws:ResourceTag/team", STRING, (*TEAM, *VARIABLES), ("a", "b", "ab", "a?", "*")),
    Key("aws:username", STRING, ("u", "U", "*", "${aws:PrincipalTag/team}"), ("u", "v", "x")),
    Key("aws:PrincipalOrgID", STRING, ("o-1", "o-2", "o-*"), ("o-1", "o-2")),
    Key("aws:SourceVpce", STRING, ("vpce-1", "vpce-*"), ("vpce-1", "vpce-2")),
    Key(
        "aws:PrincipalArn",
        ARN,
        (
            *(f"arn:aws:iam::{HOME}:role/r", f"arn:aws:iam::{HOME}:role/*", "arn:aws:iam::*:*/?"),
            *(f"arn:aws:iam::{AWAY}:*", f"arn:aws:iam::{HOME}:user/${{aws:username}}"),
        ),
        (
            *(f"arn:aws:iam::{HOME}:role/r", f"arn:aws:iam::{HOME}:user/u"),
            *(f"arn:aws:iam::{AWAY}:role/r", f"arn:aws:iam::{HOME}:role/a:b"),
        ),
    ),
    Key(
        "aws:SourceArn",
        ARN,
        (f"arn:aws:sns:*:{HOME}:t*", f"arn:aws:sns:us-?:{AWAY}:t", "arn:aws:sns:*:*:t"),
        (f"arn:aws:sns:us-1:{HOME}:t", f"arn:aws:sns:us-1:{AWAY}:t", f"arn:aws:sns:x:y:{HOME}:t"),
    ),
    Key("s3:max-keys", NUMERIC, ("10", 10, "10.0", "9.5", 11), ("9", 10, "10", "11", "10.5")),
    Key(
        "aws:CurrentTime",
        DATE,
        ("2018-08-10T00:00:00Z", "1533859200", "2018-08-10", 1533859201, "2018-08-09T23:59:59Z"),
        ("2018-08-10T00:00:00Z", "1533859200", 1533859199, "2018-08-10T02:00:00+02:00"),
    ),
    Key("aws:MultiFactorAuthPresent", ("Bool",), ("true", "false", True, False), ("true", False)),
    Key("aws:SecureTransport", ("Bool",), ("true", "false"), (True, "false")),
    Key(
        "aws:SourceIp",
        ADDRESS,
        ("10.0.0.0/8", "10.1.2.3", "10.1.2.3/31", "2001:db8::/32", "0.0.0.0/0"),
        ("10.1.2.3", "10.1.2.2", "192.0.2.1", "2001:db8::1"),
    ),
    Key("kms:EncryptionContext:app", STRING[:4], ("x", "y*"), ("x", "y")),
    Key("kms:EncryptionContext:env", STRING[:4], ("x", "p*"), ("x", "prod")),
    Key("app:Blob", ("BinaryEquals",), ("QmluYXJ5", "YWJj"), ("QmluYXJ5", "eA==")),
    Key("aws:TagKeys", STRING[:4], ("a", "b", "a*", "${aws:username}"), ("a", "b", "ab"), True),
    Key("aws:PrincipalOrgPaths", STRING[:4], ("o/r/*", "o/r/x/"), ("o/r/x/", "o/r/y/"), True),
)


def random_condition(rng: random.Random, keys: tuple[Key, ...]) -> dict[str, object]:
    """Write a Condition element of one test, sometimes of two or three."""
    condition: dict[str, dict[str, object]] = {}
    for key in some(rng, keys, 3):
        operator, wanted = random_test(rng, key)
        condition.setdefault(operator, {})[_spelled(rng, key.name)] = wanted
    return dict(condition)


def random_test(rng: random.Random, key: Key) -> tuple[str, object]:
    """Write an operator that suits the key, and values for it."""
    if rng.random() < 0.08:
        return "Null", rng.choice(("true", "false", True, False))
    operator = rng.choice(key.operators)
    if key.several or rng.random() < 0.15:
        operator = f"{rng.choice(('ForAllValues', 'ForAnyValue'))}:{operator}"
    if rng.random() < 0.2:
        operator += "IfExists"
    return operator, one_or_list(rng, some(rng, key.asked, 3))


def _spelled(rng: random.Random, name: str) -> str:
    return rng.choice((name.upper(), name.swapcase())) if rng.random() < 0.12 else name


def random_context(rng: random.Random, keys: tuple[Key, ...], present: float) -> dict[str, object]:
    """Give each key a value or none."""
    context: dict[str, object] = {}
    for key in keys:
        if rng.random() < present:
            values = some(rng, key.given, 3) if key.several else [rng.choice(key.given)]
            context[_spelled(rng, key.name)] = values if key.several else values[0]
    return context
