"""Whether a bucket policy is public, as S3 Block Public Access means it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from modelreach_reference.aws.conditions import Over, read_operator, read_values
from modelreach_reference.aws.principals import entries
from modelreach_reference.aws.request import Request
from modelreach_reference.aws.shapes import as_list, as_object
from modelreach_reference.aws.statements import Layer, Statement, is_understood, read_document

FIXING_KEYS = frozenset(
    {
        *("aws:principalaccount", "aws:principalarn", "aws:principalorgid"),
        *("aws:principalorgpaths", "aws:sourceaccount", "aws:sourcearn", "aws:sourceip"),
        *("aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner", "aws:sourcevpc"),
        *("aws:sourcevpce", "aws:userid", "s3:dataaccesspointaccount"),
        *("s3:dataaccesspointarn", "s3:x-amz-server-side-encryption-aws-kms-key-id"),
    }
)
"""Keys that tie a grant to someone or to some place, if their values are fixed."""


def is_public(policy: object, request: Request) -> bool:
    """Say whether a statement allows everyone, and nothing in it fixes who that is.

    A statement that AWS would refuse does not count.
    """
    return any(
        _is_public(statement)
        for document in as_list(policy)
        if document is not None
        for statement in read_document(document, Layer.RESOURCE)
        if is_understood(statement, request)
    )


def _is_public(statement: Statement) -> bool:
    for_everyone = statement.effect == "Allow" and _is_everyone(statement)
    fixed = any(
        _fixes(operator, key, wanted)
        for operator, key, wanted in _tests(statement.elements.get("Condition"))
    )
    return for_everyone and not fixed


def _is_everyone(statement: Statement) -> bool:
    """Everyone is `*`, and whoever a NotPrincipal leaves over."""
    if "NotPrincipal" in statement.elements:
        return True
    principal = statement.elements.get("Principal")
    return principal == "*" or any(name == "*" for _, name in entries(principal))


def _tests(condition: object) -> Iterator[tuple[str, str, object]]:
    for operator, keys in as_object(condition).items():
        for key, wanted in as_object(keys).items():
            yield operator, key, wanted


def _fixes(name: str, key: str, wanted: object) -> bool:
    """Say whether a test wants one of the keys, for certain, to have one of some fixed values."""
    operator, texts = read_operator(name), read_values(wanted)
    certain = not operator.negated and not operator.if_exists and operator.over is not Over.ALL
    return (
        key.lower() in FIXING_KEYS
        and certain
        and operator.name != "Null"
        and all(_is_fixed(operator.name, text) for text in texts)
    )


def _is_fixed(operator: str, text: str) -> bool:
    """A fixed value has no wildcard and no variable; an ARN may have them after its account.

    A range of addresses is not fixed if it is wider than /8, or /32 in version 6.
    """
    if operator == "IpAddress":
        return _is_narrow(text)
    if operator.startswith("Arn"):
        account = (text.split(":", 5) + [""] * 5)[4]
        return bool(account) and "${" not in text and not set("*?") & set(account)
    return "${" not in text and not set("*?") & set(text)


def _is_narrow(text: str) -> bool:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= (8 if network.version == 4 else 32)
