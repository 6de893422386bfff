"""What is loaded across accounts costs what it reaches: no account is read, and nobody decided
anew, for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from modelreach.pipeline.decided import Decider
from modelreach.pipeline.kept import Counts, KeptDecisions
from modelreach.policy import providers
from modelreach.reach import reach
from modelreach.snapshot import (
    Attachment,
    Link,
    Principal,
    Resource,
    Runtime,
    canonical,
    document_bytes,
    document_id,
)
from modelreach.store import StoredSnapshot, write
from organisations import plan, whole

PUSH = [
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
]


class Made:
    """An organisation, in whose first account somebody pushes what the second one runs."""

    def __init__(self) -> None:
        self.snapshot = whole(plan(principals=40, resources=80, accounts=4, seed=3))
        accounts = sorted(s.id for s in self.snapshot.scopes if s.kind == "account")
        self.registry, self.runs, self.other = accounts[:3]
        self.repository = f"arn:aws:ecr:eu-west-1:{self.registry}:repository/base"
        self.pusher = self.role(self.registry, "pusher", PUSH)
        self.reader = self.role(self.registry, "reader", ["sqs:ReceiveMessage"])
        self.fed = self.role(self.runs, "fed", [])
        made = Resource(
            id=self.repository, provider="aws", kind="ecr:repository", scope=self.registry
        )
        self.add("resources", made)
        self.task(self.runs, self.fed, "base")

    def add(self, section: str, fact: Any) -> None:
        """Add a fact."""
        found = (*getattr(self.snapshot, section), fact)
        self.snapshot = canonical(replace(self.snapshot, **{section: found}))

    def role(self, account: str, name: str, actions: list[str]) -> str:
        """Add a role that may do these anywhere."""
        role = f"arn:aws:iam::{account}:role/{name}"
        self.add(
            "principals", Principal(id=role, provider="aws", kind="role", scope=account, name=name)
        )
        if actions:
            said = {"Effect": "Allow", "Action": actions, "Resource": "*"}
            raw = document_bytes({"Version": "2012-10-17", "Statement": [said]})
            documents = {**self.snapshot.documents, document_id(raw): msgspec.Raw(raw)}
            self.snapshot = replace(self.snapshot, documents=documents)
            self.add(
                "attachments",
                Attachment(target=role, kind="identity", document=document_id(raw), name="own"),
            )
        return role

    def task(self, account: str, role: str, repository: str) -> None:
        """Add something that runs an image of a repository of the first account."""
        name = f"arn:aws:ecs:eu-west-1:{account}:task-definition/{repository}:1"
        image = f"{self.registry}.dkr.ecr.eu-west-1.amazonaws.com/{repository}:1"
        fact = Runtime(
            id=name,
            provider="aws",
            kind="ecs:task-definition",
            scope=account,
            region="eu-west-1",
            identities=(role,),
            links=(Link(kind="pulls", target=image),),
        )
        self.add("runtimes", fact)


@pytest.fixture
def made() -> Made:
    """An organisation with a registry of which another account runs an image."""
    return Made()


def _read(path: Path, name: str) -> tuple[set[str], set[str]]:
    """Give whom somebody reaches, and the accounts that are read for it."""
    stored = StoredSnapshot.open(path)
    found = reach([name], providers.engines(stored.facts))
    accounts = {part for part in stored.facts.read_parts if part.isdecimal()}
    return set(found.identities), accounts


def test_only_those_accounts_are_read_that_load_from_there(tmp_path: Path, made: Made) -> None:
    path = tmp_path / "estate.mrdb"
    write(path, made.snapshot)
    _read(path, made.pusher)
    assert _read(path, made.pusher) == ({made.pusher, made.fed}, {made.registry, made.runs})
    assert _read(path, made.reader) == ({made.reader}, {made.registry})


def _decided(path: Path, made: Made, *names: str) -> tuple[Counts, list[set[str]]]:
    facts = StoredSnapshot.open(path, write(path, made.snapshot).digest).facts
    engines = providers.engines(facts)
    kept = KeptDecisions(facts, engines, Decider(facts, engines).decide, "")
    found = [kept.find(name) for name in names]
    kept.keep()
    return kept.counts, [{step.target for step in one.every} if one else set() for one in found]


def test_what_is_kept_falls_where_what_loads_from_there_changes(
    tmp_path: Path, made: Made
) -> None:
    path = tmp_path / "estate.mrdb"
    names = (made.pusher, made.reader)
    assert _decided(path, made, *names)[0] == Counts(taken=0, decided=2)
    lone = made.role(made.other, "lone", [])
    assert _decided(path, made, *names)[0] == Counts(taken=2, decided=0)
    made.task(made.other, lone, "base")
    counts, (reached, nobody) = _decided(path, made, *names)
    assert (reached, nobody) == ({made.fed, lone}, set())
    assert counts == Counts(taken=1, decided=1)
