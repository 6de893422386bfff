"""Policies of OpenSearch Serverless, in the words of resource policies.

A data access policy says who may do what in the collections and indexes that match its patterns;
a network policy, from where they are reached. Neither is written as policies of IAM are, and both
speak of names. A request has to be let by an identity policy (`aoss:APIAccessAll` on the
collection), by a data access policy and by a network policy.

https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-data-access.html
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-network.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

_ACTION: Final = "aoss:APIAccessAll"
#: A statement's elements, or a whole document.
Said = dict[str, Any]


class Rule(msgspec.Struct, frozen=True, rename="pascal"):
    """What a policy is about: names of collections or indexes, in which `*` stands for any."""

    resource_type: str = ""
    resource: tuple[str, ...] = ()

    def touches(self, name: str, types: tuple[str, ...]) -> bool:
        """Is it about the collection of that name, or anything in it?"""
        patterns = [text.split("/")[1] for text in self.resource if "/" in text]
        return self.resource_type in types and any(_fits(one, name) for one in patterns)


class Entry(msgspec.Struct, frozen=True, rename="pascal"):
    """One part of a policy of either type."""

    rules: tuple[Rule, ...]
    principal: tuple[str, ...] = ()
    allow_from_public: bool = False
    endpoints: tuple[str, ...] = msgspec.field(default=(), name="SourceVPCEs")
    source_services: tuple[str, ...] = ()


#: A policy that was read.
Policy = tuple[Entry, ...]


def read(policy: object) -> Policy | None:
    """Read a policy as the service gives it; None where it is not written as one."""
    try:
        return msgspec.convert(policy, Policy)
    except msgspec.ValidationError:
        return None


def data_access(policy: Policy, name: str, arn: str) -> Said | None:
    """Give what a data access policy says of the collection of that name; None for nothing."""
    return _document(policy, name, arn, ("collection", "index", "model"), _let_in)


def network(policy: Policy, name: str, arn: str) -> Said | None:
    """Give from where a network policy lets the collection of that name be reached; None where
    it says nothing of it."""
    return _document(policy, name, arn, ("collection",), _let_through)


def _document(
    policy: Policy,
    name: str,
    arn: str,
    types: tuple[str, ...],
    said: Callable[[Entry], Iterator[Said]],
) -> Said | None:
    found: list[Said] = [
        {"Effect": "Allow", **one, "Action": _ACTION, "Resource": arn}
        for entry in policy
        if any(rule.touches(name, types) for rule in entry.rules)
        for one in said(entry)
    ]
    return {"Version": "2012-10-17", "Statement": found} if found else None


def _fits(pattern: str, name: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


def _let_in(entry: Entry) -> Iterator[Said]:
    """Whom of AWS an entry names; users and groups of SAML providers are none."""
    named = sorted({one for one in entry.principal if one == "*" or one.startswith("arn:")})
    if whole := [one for one in named if "*" not in one]:
        yield {"Principal": {"AWS": whole}}
    if globs := [one for one in named if "*" in one]:
        everyone = {"AWS": "*"}
        yield {"Principal": everyone, "Condition": {"ArnLike": {"aws:PrincipalArn": globs}}}


def _let_through(entry: Entry) -> Iterator[Said]:
    if entry.allow_from_public:
        yield {"Principal": "*"}
        return
    for key, operator, values in (
        ("aws:SourceVpce", "StringEquals", entry.endpoints),
        ("aws:CalledVia", "ForAnyValue:StringEquals", entry.source_services),
    ):
        if values:
            yield {"Principal": "*", "Condition": {operator: {key: sorted(values)}}}
