"""Is a bucket policy public, in the sense of S3 Block Public Access?

A policy is public when an allow means everyone without tying it to a fixed value of one of the
keys that S3 accepts for that.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
"""

from __future__ import annotations

from modelreach.policy.aws.operators import OPERATORS, network
from modelreach.policy.aws.statement import (
    Condition,
    Effect,
    PolicyDocument,
    Quantifier,
    Statement,
)

_FIXING = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
_WIDEST_V4, _WIDEST_V6 = 8, 32


def is_public(document: PolicyDocument) -> bool:
    """Does a statement of the policy allow the public something?

    Statements that are not understood do not count: they leave the answer unknown anyway.
    """
    return any(_is_public(statement) for statement in document.statements)


def _is_public(statement: Statement) -> bool:
    named = statement.principals
    if statement.effect is not Effect.ALLOW or named is None or statement.not_understood:
        return False
    if not named.everyone and not named.negated:
        return False
    return not any(_fixes(condition) for condition in statement.conditions)


def _fixes(condition: Condition) -> bool:
    if condition.key.lower() not in _FIXING or condition.if_exists:
        return False
    if condition.quantifier is Quantifier.FOR_ALL_VALUES:
        return False
    operator = OPERATORS[condition.operator]
    if operator.negated or operator.positive == "Null":
        return False
    return all(_is_fixed(operator.positive, value) for value in condition.values)


def _is_fixed(operator: str, value: str) -> bool:
    """Fixed means without wildcard and policy variable; an address range not too wide."""
    if operator == "IpAddress":
        given = network(value)
        widest = _WIDEST_V4 if given is not None and given.version == 4 else _WIDEST_V6
        return given is not None and given.prefixlen >= widest
    if "${" in value:
        return False
    if operator == "ArnLike":
        account = value.split(":", 5)[4:5]
        return bool(account and account[0]) and "*" not in account[0] and "?" not in account[0]
    return "*" not in value and "?" not in value
