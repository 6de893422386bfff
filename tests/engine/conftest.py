"""Small estates, drawn by hypothesis: two accounts, users, roles, groups, every kind of policy."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from modelreach.deployment import Deployment, Identity, Metadata, Model, Spec
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, diff_report, evaluate
from modelreach.pipeline.evaluate import Estates, Side
from modelreach.report import DiffReport
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Coverage,
    Credential,
    Facts,
    Gap,
    Principal,
    Resource,
    Scope,
    Snapshot,
    document_bytes,
    document_id,
    documents_of,
)

settings.register_profile(
    "engine",
    deadline=None,
    max_examples=20,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

A, B, ORG = "111111111111", "222222222222", "o-example"
Json = dict[str, Any]


def role(name: str, account: str = A) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


ONE, TWO, FAR = role("one"), role("two"), role("far", B)
ANN, TEAM = f"arn:aws:iam::{A}:user/ann", f"arn:aws:iam::{A}:group/team"
NEAR_BUCKET, FAR_BUCKET = "arn:aws:s3:::near", "arn:aws:s3:::far"
SECRET = f"arn:aws:secretsmanager:eu-west-1:{A}:secret:prod/db-AbCdEf"
QUEUE = f"arn:aws:sqs:eu-west-1:{A}:jobs"
PRINCIPALS = (ONE, TWO, FAR, ANN)
ACTORS = PRINCIPALS
RESOURCES = {
    NEAR_BUCKET: ("s3:bucket", A),
    FAR_BUCKET: ("s3:bucket", B),
    SECRET: ("secretsmanager:secret", A),
    QUEUE: ("sqs:queue", A),
}

ACTIONS = (
    *("s3:GetObject", "s3:PutObject", "s3:Get*", "s3:List*", "s3:*", "*", "s3:GetBucketPolicy"),
    *("secretsmanager:GetSecretValue", "secretsmanager:*", "sqs:SendMessage", "sqs:*"),
    *("sts:AssumeRole", "sts:*", "iam:PutRolePolicy", "iam:CreateAccessKey", "*:Get*"),
)
PLACES = (
    *("*", NEAR_BUCKET, f"{NEAR_BUCKET}/*", f"{NEAR_BUCKET}/x", f"{NEAR_BUCKET}/x*"),
    *(FAR_BUCKET, f"{FAR_BUCKET}/*", "arn:aws:s3:::n*", SECRET, SECRET[:-6] + "??????"),
    *("arn:aws:secretsmanager:*:*:secret:prod/*", QUEUE, ONE, TWO, FAR, role("*")),
)
CONDITIONS: tuple[Json, ...] = (
    {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
    {"StringLike": {"aws:PrincipalTag/team": "ml*"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"aws:ResourceTag/stage": "prod"}},
    {"StringNotEquals": {"aws:PrincipalAccount": A}},
    {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
)
NAMED: tuple[Any, ...] = (
    *({"AWS": name} for name in (*PRINCIPALS, A, f"arn:aws:iam::{B}:root", "*")),
    *("*", {"AWS": [ONE, FAR]}, {"AWS": [A, B]}, {"AWS": [ANN, TWO]}),
    {"Service": "lambda.amazonaws.com"},
)


@dataclass(frozen=True)
class Written:
    """One policy on one target: the statements before they are a document."""

    target: str
    kind: str
    name: str
    statements: tuple[Json, ...]


@dataclass(frozen=True)
class Drawn:
    """An estate as it was drawn, to be changed and made into a snapshot."""

    policies: tuple[Written, ...]
    resources: tuple[str, ...] = tuple(RESOURCES)
    principals: tuple[str, ...] = PRINCIPALS
    gaps: tuple[Gap, ...] = ()
    incomplete: frozenset[str] = frozenset()
    bounded: frozenset[str] = frozenset()
    shuffled: Callable[[list[Any]], None] = field(default=lambda _facts: None)

    def but(self, **changes: Any) -> Drawn:
        return dataclasses.replace(self, **changes)

    def snapshot(self) -> Snapshot:
        texts = [
            document_bytes({"Version": "2012-10-17", "Statement": list(policy.statements)})
            for policy in self.policies
        ]
        attachments = [
            Attachment(
                target=policy.target,
                kind=policy.kind,  # type: ignore[arg-type]
                document=document_id(text),
                name=policy.name,
            )
            for policy, text in zip(self.policies, texts, strict=True)
        ]
        sections: dict[str, list[Any]] = {
            "scopes": [
                Scope(id=ORG, provider="aws", kind="organization"),
                *(
                    Scope(
                        id=account,
                        provider="aws",
                        kind="account",
                        parent=ORG,
                        attributes={"organization": ORG},
                    )
                    for account in (A, B)
                ),
            ],
            "principals": [*map(self._principal, self.principals), _group()],
            "resources": [_resource(name) for name in self.resources],
            "credentials": [
                Credential(
                    id="AKIAEXAMPLE", provider="aws", kind="access-key", principal=ANN, scope=A,
                    status="active", created="2025-01-01T00:00:00Z", expires="never",
                )
            ],
            "attachments": attachments,
            "coverage": [
                Coverage(
                    provider="aws", scope=account, kind=kind, complete=kind not in self.incomplete
                )
                for account in (A, B)
                for kind in ("s3:bucket", "secretsmanager:secret", "sqs:queue", "principals")
            ],
            "gaps": list(self.gaps),
        }  # fmt: skip
        for facts in sections.values():
            self.shuffled(facts)
        return Snapshot(
            schema=SCHEMA,
            taken_at="2026-11-23T00:00:00Z",
            documents=documents_of({document_id(text): text for text in texts}),
            **cast(Any, {name: tuple(facts) for name, facts in sections.items()}),
        )

    def _principal(self, name: str) -> Principal:
        account = name.split(":")[4]
        return Principal(
            id=name,
            provider="aws",
            kind="user" if ":user/" in name else "role",
            scope=account,
            name=name.rsplit("/", 1)[-1],
            tags={"team": "ml"} if name.startswith(ONE) else {},
            groups=(TEAM,) if name == ANN else (),
            attributes={"boundary": "limit"} if name in self.bounded else {},
        )


def _group() -> Principal:
    return Principal(id=TEAM, provider="aws", kind="group", scope=A, name="team")


def _resource(name: str) -> Resource:
    kind, account = RESOURCES[name]
    tags = {"stage": "prod"} if name == SECRET else {}
    return Resource(
        id=name, provider="aws", kind=kind, scope=account, name=name.rsplit(":", 1)[-1], tags=tags
    )


# --- drawing -------------------------------------------------------------------------------


# One seed is drawn for a whole estate: drawn piece by piece, estates come out too poor for the
# laws to say anything, and slowly.


def _some(random: Random, values: Sequence[Any]) -> list[Any]:
    return random.sample(values, random.choice((1, 1, 2)))


def _statement(random: Random, kind: str, *, only_allow: bool = False) -> Json:
    def sometimes_not() -> str:
        return "Not" if not only_allow and random.random() < 0.12 else ""

    denies = not only_allow and random.random() < 0.25
    found: Json = {"Effect": "Deny" if denies else "Allow"}
    if kind == "trust":
        found["Action"] = random.choice(("sts:AssumeRole", "sts:AssumeRole", "sts:*", "sts:Tag*"))
    else:
        found[f"{sometimes_not()}Action"] = _some(random, ACTIONS)
        found[f"{sometimes_not()}Resource"] = _some(random, PLACES)
        if kind == "identity" and random.random() < 0.3:
            found = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role("*", "*")}
    if kind in ("trust", "resource"):
        found["Principal"] = random.choice(NAMED)
    if random.random() < 0.2:
        found["Condition"] = random.choice(CONDITIONS)
    return found


def statements(kind: str, *, only_allow: bool = False) -> st.SearchStrategy[Json]:
    """Draw a statement."""
    return _SEEDS.map(lambda seed: _statement(Random(seed), kind, only_allow=only_allow))


#: Where policies are put, and how often.
_SPOTS = (
    (ONE, "identity", 1.0),
    *((name, "identity", 0.8) for name in (TWO, FAR, ANN, TEAM)),
    *((name, "boundary", 0.25) for name in (ONE, ANN)),
    *((name, "trust", 1.0) for name in (ONE, TWO, FAR)),
    *((name, "resource", 0.5) for name in (NEAR_BUCKET, FAR_BUCKET, SECRET, QUEUE)),
    *((name, "scp", 0.2) for name in (ORG, A)),
)
_SEEDS = st.integers(0, 2**32 - 1)


def _estate(random: Random) -> Drawn:
    policies = tuple(
        Written(
            target,
            kind,
            f"{kind}-policy",
            tuple(_statement(random, kind) for _ in range(random.choice((1, 2, 3)))),
        )
        for target, kind, often in _SPOTS
        if random.random() < often
    )
    bounded = frozenset(p.target for p in policies if p.kind == "boundary")
    return Drawn(policies, bounded=bounded)


def estates() -> st.SearchStrategy[Drawn]:
    """Draw an estate."""
    return _SEEDS.map(lambda seed: _estate(Random(seed)))


# --- evaluating ----------------------------------------------------------------------------


def release(snapshot: Snapshot, *starts: str) -> Release:
    identities = tuple(
        Identity(id=f"i{n}", cloud="aws", principal=start) for n, start in enumerate(starts)
    )
    deployment = Deployment(
        api_version="modelreach/v1",
        kind="ModelDeployment",
        metadata=Metadata(name="agent", version="1", owner="ml"),
        spec=Spec(model=Model(provider="p", id="m"), identities=identities),
    )
    return Release(deployment, snapshot)


def side(drawn: Drawn, *starts: str) -> Side:
    return evaluate(release(drawn.snapshot(), *(starts or (ONE,))), JudgePolicy(), Estates())


def compare(old: Side, new: Side) -> DiffReport:
    return diff_report(old, new, GateOptions())


@dataclass(frozen=True)
class World:
    """What the tests of this folder share."""

    estates: Callable[[], st.SearchStrategy[Drawn]] = estates
    statements: Callable[..., st.SearchStrategy[Json]] = statements
    side: Callable[..., Side] = side
    compare: Callable[[Side, Side], DiffReport] = compare
    written: type[Written] = Written
    drawn: type[Drawn] = Drawn
    one: str = ONE
    two: str = TWO
    far: str = FAR
    ann: str = ANN
    team: str = TEAM
    near_bucket: str = NEAR_BUCKET
    far_bucket: str = FAR_BUCKET
    secret: str = SECRET
    accounts: tuple[str, str] = (A, B)
    principals: tuple[str, ...] = PRINCIPALS
    resources: dict[str, tuple[str, str]] = field(default_factory=lambda: dict(RESOURCES))
    rows: Callable[[DiffReport], list[tuple[str, ...]]] = lambda report: sorted(
        (c.kind, c.resource, c.capability, json.dumps(c.actions), c.verdict)
        for c in report.changes
    )

    @staticmethod
    def facts(drawn: Drawn) -> Facts:
        return Facts(drawn.snapshot())


WORLD = World()


@pytest.fixture(scope="session")
def world() -> World:
    return WORLD
