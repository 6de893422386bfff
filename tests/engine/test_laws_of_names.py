"""What accounts are called tells nothing of what is reached in them."""

from __future__ import annotations

import re
from random import Random

import pytest
from msgspec.structs import replace

from modelreach.policy import providers
from modelreach.reach import BlastRadius, reach
from modelreach.snapshot import (
    Snapshot,
    decode,
    document_id,
    documents_of,
    encode,
    facts_of,
)
from organisations.wild import wild

#: Digits of which accounts are made, and those in their place: in another order, as nothing may
#: hang on it.
CALLED = str.maketrans("123", "951")
#: Accounts, and what patterns have of their beginnings.
_ACCOUNT = re.compile(r"""([123])\1{3,11}|(?<=[:"])([123])\2*(?=[*?])|(?<=[*?])([123])\3*(?=:)""")
_DIGEST = re.compile("sha256:[0-9a-f]{64}")


def _called(text: str) -> str:
    return _ACCOUNT.sub(lambda found: found[0].translate(CALLED), text)


def _renamed(made: Snapshot) -> Snapshot:
    """Give an estate whose accounts are called otherwise, in all facts and documents."""
    facts = encode(replace(made, documents={})).decode()
    documents: dict[str, bytes] = {}
    for number, (name, raw) in enumerate(made.documents.items()):
        # As it is written: some are not understood, and have to stay so.
        documents[f"document-{number}."] = _called(bytes(raw).decode()).encode()
        facts = facts.replace(name, f"document-{number}.")
    facts = _called(facts)
    for name, document in documents.items():
        facts = facts.replace(name, document_id(document))
    found = {document_id(document): document for document in documents.values()}
    return replace(decode(facts.encode(), place="x"), documents=documents_of(found))


def _said(radius: BlastRadius, called: bool) -> object:
    def name(text: str) -> str:
        # Who has a session's policies is named by their digest.
        return _DIGEST.sub("", _called(text) if called else text)

    return (
        {
            (name(node), path.strength, path.certainty, len(path.pivots))
            for node, path in radius.graph.paths.items()
        },
        {
            (
                name(access.grant.principal),
                name(access.grant.resource),
                tuple(map(name, access.grant.actions)),
                access.path.strength,
                access.verdict,
            )
            for access in (*radius.accesses, *radius.patterns)
        },
    )


def _compare(seed: int, many: int) -> None:
    made = decode(encode(wild(Random(seed))), place="x")
    renamed = _renamed(made)
    starts = sorted(one.id for one in made.principals if one.kind == "role")
    engines, others = (providers.engines(facts_of(one)) for one in (made, renamed))
    for start in Random(seed).sample(starts, min(many, len(starts))):
        there = reach([_called(start)], others, whole=True)
        assert _said(there, called=False) == _said(
            reach([start], engines, whole=True), called=True
        )


@pytest.mark.parametrize("seed", [12, 35])
def test_accounts_may_be_called_anything(seed: int) -> None:
    _compare(seed, 1)


@pytest.mark.soak
def test_accounts_may_be_called_anything_at_length() -> None:
    for seed in range(300):
        _compare(seed, 3)
