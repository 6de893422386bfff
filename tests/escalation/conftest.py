"""Small estates from the compact notation of the catalogue's examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.aws.escalation import EscalationRule, Hit, Miss, SceneRuntime, ShownRule
from modelreach.policy.engine import Pivot
from modelreach.snapshot import (
    Attachment,
    AttachmentKind,
    Attributes,
    Coverage,
    Credential,
    Facts,
    Link,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_bytes,
    document_id,
)

ACCOUNT = "111122223333"
_VAULT = f"arn:aws:bedrock-agentcore:eu-west-1:{ACCOUNT}:token-vault/default"
_IAM = f"arn:aws:iam::{ACCOUNT}:"
GROUP = f"{_IAM}group/team"
POLICY = f"{_IAM}policy/kept"
_TARGETS = {
    "": f"{_IAM}role/target",
    "role": f"{_IAM}role/target",
    "user": f"{_IAM}user/target",
    "group": f"{_IAM}group/target",
    "service-linked-role": f"{_IAM}role/aws-service-role/x.amazonaws.com/target",
    "reserved-role": f"{_IAM}role/aws-reserved/sso.amazonaws.com/target",
    "root": f"{_IAM}root",
    "stored-api-key": f"{_VAULT}/apikeycredentialprovider/search",
    "stored-oauth2-client": f"{_VAULT}/oauth2credentialprovider/mail",
}


@dataclass
class Estate:
    """Facts as they are put together."""

    sections: dict[str, list[Any]] = field(default_factory=dict)
    documents: dict[str, msgspec.Raw] = field(default_factory=dict)

    def add(self, section: str, fact: Any) -> None:
        self.sections.setdefault(section, []).append(fact)

    def document(self, statements: Iterable[dict[str, Any]]) -> str:
        raw = document_bytes({"Version": "2012-10-17", "Statement": list(statements)})
        digest = document_id(raw)
        self.documents[digest] = msgspec.Raw(raw)
        return digest

    def attach(
        self,
        target: str,
        kind: AttachmentKind,
        statements: Iterable[dict[str, Any]],
        policy: str = "",
    ) -> None:
        digest = self.document(statements)
        self.add(
            "attachments",
            Attachment(
                target=target, kind=kind, document=digest, name="its policy", policy=policy
            ),
        )

    @property
    def snapshot(self) -> Snapshot:
        sections: dict[str, Any] = {key: tuple(found) for key, found in self.sections.items()}
        return Snapshot(
            schema="modelreach.snapshot/1",
            taken_at="2026-01-01T00:00:00Z",
            documents=self.documents,
            **sections,
        )

    def engine(self) -> AwsEngine:
        return AwsEngine(Facts(self.snapshot))


def caller_of(hit: Hit) -> str:
    return f"{_IAM}{hit.caller}/caller"


def target_of(hit: Hit) -> str:
    return _TARGETS[hit.target]


def _named(hit: Hit, name: str) -> str:
    names = {
        "self": caller_of(hit),
        "target": target_of(hit),
        "group": GROUP,
        "policy": POLICY,
        "other": f"{_IAM}role/other",
        "compute": hit.runtimes[0].id if hit.runtimes else "arn:aws:none:::none",
    }
    return names.get(name, name)


def _statement(hit: Hit, text: str) -> dict[str, Any]:
    text, _, condition = text.partition(" if ")
    action, _, thing = text.partition(" on ")
    found: dict[str, Any] = {"Effect": "Allow", "Action": action}
    found["Resource"] = _named(hit, thing) if thing else "*"
    if condition:
        key, _, value = condition.partition(" is ")
        found["Condition"] = {"StringEquals": {key: value}}
    return found


def _statements(hit: Hit, texts: Iterable[str]) -> list[dict[str, Any]]:
    return [_statement(hit, text) for text in texts]


def _trust(hit: Hit, whom: str) -> dict[str, Any]:
    principals = {
        "caller": {"AWS": caller_of(hit)},
        "account": {"AWS": f"{_IAM}root"},
    }
    whom, _, condition = whom.partition(" if ")
    action: Any = "sts:AssumeRole"
    principal = principals.get(whom, {"Service": whom})
    if ":saml-provider/" in whom:
        principal, action = {"Federated": whom}, "sts:AssumeRoleWithSAML"
    elif whom.startswith("rolesanywhere."):
        action = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    found: dict[str, Any] = {"Effect": "Allow", "Action": action, "Principal": principal}
    if condition:
        key, _, value = condition.partition(" is ")
        found["Condition"] = {"StringEquals": {key: value}}
    return found


def build(hit: Hit) -> AwsEngine:
    """Give the engine over the estate of an example."""
    return assembled(hit).engine()


def assembled(hit: Hit) -> Estate:
    """Give the estate of an example."""
    estate = Estate()
    estate.add("scopes", Scope(id=ACCOUNT, provider="aws", kind="account"))
    estate.add(
        "coverage", Coverage(provider="aws", scope=ACCOUNT, kind="credentials", complete=True)
    )
    _caller(hit, estate)
    _target(hit, estate)
    _policies(hit, estate)
    for kind in hit.collected:
        estate.add("coverage", Coverage(provider="aws", scope=ACCOUNT, kind=kind))
    for kind, name in hit.resources.items():
        if kind == "iam:saml-provider":
            estate.add("principals", _principal(name))
            continue
        authority = f"arn:aws:acm-pca:eu-west-1:{ACCOUNT}:certificate-authority/c1"
        more: Attributes = {}
        if kind == "rolesanywhere:trust-anchor":
            more = {"authority": authority}
        estate.add(
            "resources",
            Resource(id=name, provider="aws", kind=kind, scope=ACCOUNT, attributes=more),
        )
    for runtime in hit.runtimes:
        _runtime(hit, runtime, estate)
    return estate


def _principal(name: str, **more: Any) -> Principal:
    kind = name.split(":")[5].split("/")[0]
    short = name.rsplit("/", 1)[-1]
    return Principal(id=name, provider="aws", kind=kind, scope=ACCOUNT, name=short, **more)


def _caller(hit: Hit, estate: Estate) -> None:
    name = caller_of(hit)
    groups = (GROUP,) if hit.in_group and hit.caller == "user" else ()
    estate.add("principals", _principal(name, groups=groups))
    estate.add("principals", _principal(GROUP))
    estate.attach(name, "identity", _statements(hit, hit.may))
    if hit.boundary:
        estate.attach(name, "boundary", _statements(hit, hit.boundary))


def _target(hit: Hit, estate: Estate) -> None:
    name = target_of(hit)
    if ":iam:" not in name:
        kind = hit.target
        estate.add(
            "credentials",
            Credential(id=name, provider="aws", kind=kind, principal="", scope=ACCOUNT),
        )
        return
    estate.add("principals", _principal(name, attributes=hit.attributes))
    estate.add("principals", _principal(f"{_IAM}role/other"))
    estate.attach(name, "identity", _statements(hit, hit.target_may))
    if ":role/" in name:
        estate.attach(name, "trust", [_trust(hit, whom) for whom in hit.trusts])
    if hit.target_boundary:
        estate.attach(name, "boundary", _statements(hit, hit.target_boundary))
    for number, kind in enumerate(hit.credentials):
        credential = Credential(
            id=f"{name}#{number}", provider="aws", kind=kind, principal=name, scope=ACCOUNT
        )
        estate.add("credentials", credential)


def _policies(hit: Hit, estate: Estate) -> None:
    if not hit.versions:
        return
    versions = {
        name: estate.document(_statements(hit, texts)) for name, texts in hit.versions.items()
    }
    first = next(iter(versions))
    estate.add(
        "managed_policies",
        ManagedPolicy(
            id=POLICY, provider="aws", scope=ACCOUNT, default_version=first, versions=versions
        ),
    )
    if hit.policy_of:
        attachment = Attachment(
            target=_named(hit, hit.policy_of),
            kind="identity",
            document=versions[first],
            name="kept",
            policy=POLICY,
        )
        estate.add("attachments", attachment)


def _runtime(hit: Hit, runtime: SceneRuntime, estate: Estate) -> None:
    fact = Runtime(
        id=runtime.id,
        provider="aws",
        kind=runtime.kind,
        scope=ACCOUNT,
        region="eu-west-1",
        name=runtime.id.rsplit("/", 1)[-1],
        identities=tuple(_named(hit, one) for one in runtime.runs_as),
        links=tuple(
            Link(kind=kind, target=_named(hit, target)) for kind, target in runtime.links.items()
        ),
        attributes={
            name: _named(hit, value) if isinstance(value, str) else value
            for name, value in runtime.attributes.items()
        },
    )
    estate.add("runtimes", fact)
    if runtime.session:
        estate.attach(runtime.id, "session", _statements(hit, runtime.session))
    for text in runtime.lets:
        service, _, rest = text.partition(" ")
        statement = _statement(hit, rest)
        condition = statement.get("Condition")
        policy = {**statement, "Principal": {"Service": service}, "Resource": runtime.id}
        if condition:
            policy["Condition"] = {"ArnLike": condition["StringEquals"]}
        estate.attach(runtime.id, "resource", [policy])


def changed(rule: ShownRule, miss: Miss) -> Hit:
    """Give the hit that a miss starts from, with what it takes away or puts in place."""
    hit = next(h for h in rule.hits if h.path == miss.path) if miss.path else rule.hits[0]
    fields = {
        name: value
        for name in Hit.__struct_fields__
        if name not in ("path", "strength") and (value := getattr(miss, name, None)) is not None
    }
    found = msgspec.structs.replace(hit, **fields)
    return without(found, miss.without) if miss.without else found


def without(hit: Hit, action: str) -> Hit:
    """Take an action from the caller."""
    kept = tuple(text for text in hit.may if text.split(" ")[0] != action)
    assert kept != hit.may, f"the example does not hold {action}"
    return msgspec.structs.replace(hit, may=kept)


def by_rule(rule: EscalationRule, hit: Hit) -> list[Pivot]:
    """Give the hops that the rule makes in the estate."""
    found = build(hit).pivots(caller_of(hit))
    if rule.plain:
        return [pivot for pivot in found if pivot.kind == rule.kind and not pivot.rule]
    return [pivot for pivot in found if pivot.rule == rule.id]


class Scenes:
    """What tests may ask of the notation."""

    build = staticmethod(build)
    assembled = staticmethod(assembled)
    changed = staticmethod(changed)
    without = staticmethod(without)
    by_rule = staticmethod(by_rule)
    caller_of = staticmethod(caller_of)
    target_of = staticmethod(target_of)
    Estate: Callable[[], Estate] = Estate
    account = ACCOUNT

    @staticmethod
    def json(document: object) -> bytes:
        return json.dumps(document).encode()


@pytest.fixture
def scenes() -> type[Scenes]:
    """Builds estates from examples."""
    return Scenes
