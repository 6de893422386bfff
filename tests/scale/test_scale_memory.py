"""What was read of an account is let go of when the account is gone through, and nothing shows."""

from __future__ import annotations

import gc
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from types import FunctionType, ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.decided import Decider
from modelreach.pipeline.kept import Counts
from modelreach.pipeline.many import Many
from modelreach.pipeline.survey import SurveyRow
from modelreach.policy import providers
from modelreach.policy.aws import brief_hops, shelves
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Credential,
    Facts,
    Principal,
    Resource,
    Scope,
    Snapshot,
    canonical,
    documents_of,
    encode,
)
from modelreach.store import StoredSnapshot, write
from organisations import deployments, manifest, plan, whole
from organisations.crossings import tied

PLAN = plan(principals=200, resources=600, accounts=20, deployments=24)


def _held_by(root: object) -> Counter[str]:
    """Count the facts that are held by something, however deep."""
    found, seen, stack = Counter[str](), {id(root)}, [root]
    while stack:
        one = stack.pop()
        if isinstance(one, Resource | Principal | Attachment | Raw):
            found[type(one).__name__] += 1
        for other in gc.get_referents(one):
            if id(other) not in seen and not isinstance(other, ModuleType | FunctionType | type):
                seen.add(id(other))
                stack.append(other)
    return found


def test_facts_of_accounts_that_are_gone_through_are_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More accounts are kept than this estate has.
    monkeypatch.setattr(brief_hops, "_MOST", 2)
    monkeypatch.setattr(shelves, "_MOST", 2)
    made = whole(PLAN)
    write(tmp_path / "estate.mrdb", made)
    stored = StoredSnapshot.open(tmp_path / "estate.mrdb")
    many = Many(stored.as_snapshot(), stored.digest, JudgePolicy())
    releases = [(None, "m", manifest(one).encode()) for one in deployments(PLAN, made)]
    held: list[Counter[str]] = []

    def deciding(done: int, of: int) -> None:
        if done == of:
            held.append(_held_by(many))

    rows = many.survey(releases, lambda _: None, deciding=deciding)
    accounts = len(made.scopes)
    assert len(stored.facts.read_parts) > accounts / 2
    all_of_it = {"Resource": len(made.resources), "Principal": len(made.principals)}
    for kind, count in all_of_it.items():
        # Those of the account that is gone through, and what others ask about.
        assert 0 < held[-1][kind] < count / 2, (kind, held[-1], count)
    again = Many(made, stored.digest, JudgePolicy()).survey(releases, lambda _: None)
    assert rows == again


def test_what_was_packed_is_taken_by_the_next_run(tmp_path: Path) -> None:
    """Account by account, some of them in pieces; on a day on which something changed."""
    path, made = tmp_path / "estate.mrdb", whole(PLAN)
    releases = [(None, "m", manifest(one).encode()) for one in deployments(PLAN, made)]

    def rows(of: Snapshot, some: list[tuple[None, str, bytes]]) -> tuple[list[SurveyRow], Counts]:
        digest = write(path, of).digest
        many = Many(StoredSnapshot.open(path, digest).as_snapshot(), digest, JudgePolicy())
        found = many.survey(some, lambda _: None)
        assert found == Many(of, digest, JudgePolicy()).survey(some, lambda _: None)
        return found, many.counts

    _, first = rows(made, releases[:12])
    _, more = rows(made, releases)
    everybody = first.decided + more.decided
    for bucket in [one.id for one in made.resources if one.kind == "s3:bucket"][:2]:
        left = tuple(one for one in made.resources if one.id != bucket)
        said = tuple(one for one in made.attachments if one.target != bucket)
        made = canonical(replace(made, resources=left, attachments=said))
        _, after = rows(made, releases)
        assert after.taken > after.decided
        assert after.taken + after.decided == everybody


def _everything(facts: Facts, *, letting_go: bool) -> dict[str, object]:
    decider = Decider(facts, providers.engines(facts))
    found: dict[str, object] = {}
    for name in sorted(one.id for one in facts.snapshot.principals):
        decided = decider.decide(name)
        found[name] = decided and (
            sorted(map(repr, decided.every)),
            decided.held,
            decided.patterns,
        )
        if letting_go:
            decider.let_go()
    return found


def _same(seed: int, size: int) -> None:
    made = whole(plan(principals=size, resources=2 * size, accounts=3, seed=seed % 7))
    made = canonical(tied(made, Random(seed), 12))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "estate.mrdb"
        write(path, made)
        first = _everything(Facts(made), letting_go=False)
        assert _everything(StoredSnapshot.open(path).facts, letting_go=True) == first
        # Once more, when names are known and accounts are read in part.
        assert _everything(StoredSnapshot.open(path).facts, letting_go=True) == first


@settings(max_examples=2)
@given(seed=st.integers(0, 10_000))
def test_letting_go_of_all_after_each_changes_nothing(seed: int) -> None:
    _same(seed, 24)


@pytest.mark.soak
@settings(max_examples=100)
@given(seed=st.integers(0, 1_000_000))
def test_letting_go_changes_nothing_at_length(seed: int) -> None:
    _same(seed, 60)


# --- facts by id ------------------------------------------------------------------------------


FIRST, SECOND = "111111111111", "222222222222"
POLICY = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


def _arn(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def _role(account: str, name: str) -> Principal:
    arn = _arn(account, name)
    return Principal(id=arn, provider="aws", kind="role", scope=account, name=name)


def _key(name: str, principal: str, scope: str) -> Credential:
    return Credential(id=name, provider="aws", kind="access-key", principal=principal, scope=scope)


@pytest.fixture
def stored(tmp_path: Path) -> StoredSnapshot:
    made = Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-26T00:00:00Z",
        scopes=tuple(Scope(id=one, provider="aws", kind="account") for one in (FIRST, SECOND)),
        principals=tuple(_role(scope, name) for scope in (FIRST, SECOND) for name in ("a", "b")),
        credentials=(_key("k1", _arn(FIRST, "a"), FIRST), _key("k2", _arn(FIRST, "a"), SECOND)),
        attachments=(
            Attachment(target=_arn(FIRST, "a"), kind="trust", document=POLICY),
            Attachment(target=_arn(FIRST, "b"), kind="identity", document=OTHER),
        ),
        documents=documents_of({POLICY: b'{"Statement":[]}', OTHER: b'{"Id":"other"}'}),
    )
    write(tmp_path / "estate.mrdb", made)
    return StoredSnapshot.open(tmp_path / "estate.mrdb")


def test_what_was_let_go_of_is_read_again(stored: StoredSnapshot) -> None:
    facts = stored.facts
    before = encode(stored.whole())
    part, attached = facts.part(FIRST), facts.attachments[_arn(FIRST, "a")]
    facts.let_go()
    assert facts.attachments[_arn(FIRST, "a")] == attached
    assert _arn(FIRST, "nobody") not in facts.principals
    assert facts.part(FIRST) == part
    facts.let_go()
    assert encode(StoredSnapshot.whole(stored)) == before


def test_documents_are_found_by_whoever_still_knows_their_digest(stored: StoredSnapshot) -> None:
    facts = stored.facts
    facts.part(FIRST)
    facts.let_go()
    assert not _held_by(facts.documents)["Raw"]
    assert bytes(facts.documents[OTHER]) == b'{"Id":"other"}'
    assert "sha256:" + "c" * 64 not in facts.documents
    assert facts.documents.get("sha256:" + "c" * 64) is None


def test_what_others_ask_about_stays_with_its_documents(stored: StoredSnapshot) -> None:
    facts = stored.facts
    facts.cherish([_arn(FIRST, "a")])
    for _ in range(2):
        facts.part(FIRST)
        facts.let_go()
        assert _held_by(facts.principals)["Principal"] == 1
        assert bytes(facts.documents[POLICY]) == b'{"Statement":[]}'
        assert _held_by(facts.documents)["Raw"] == 1


def test_of_an_account_only_that_is_read_what_others_ask_about(stored: StoredSnapshot) -> None:
    facts = stored.facts
    facts.cherish([_arn(FIRST, "a")])
    assert facts.attachments[_arn(FIRST, "a")][0].document == POLICY
    assert _held_by(facts.attachments)["Attachment"] == _held_by(facts.documents)["Raw"] == 1
    assert [one.document for one in facts.attachments[_arn(FIRST, "b")]] == [OTHER]
    assert len(facts.attachments[_arn(FIRST, "a")]) == 1
    facts.let_go()
    assert len(facts.attachments[_arn(FIRST, "a")]) == 1


@pytest.mark.parametrize("first", [FIRST, SECOND])
def test_all_credentials_of_somebody_are_found_wherever_they_lie(
    stored: StoredSnapshot, first: str
) -> None:
    facts = stored.facts
    for part in (first, FIRST, SECOND):
        facts.part(part)
        facts.let_go()
        facts.section(part, "credentials")
        found = facts.credentials[_arn(FIRST, "a")]
        assert sorted(one.id for one in found) == ["k1", "k2"]
