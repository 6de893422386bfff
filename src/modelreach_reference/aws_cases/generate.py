"""Whole cases: a request, its context, and policies in every layer around it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import cast

from modelreach_reference.aws_cases.alphabet import (
    HOME,
    REQUESTERS,
    TOPICS,
    UNIQUE_ID,
    Topic,
    near,
)
from modelreach_reference.aws_cases.conditions import KEYS, Key, random_context
from modelreach_reference.aws_cases.statements import (
    ALLOW_ALL,
    ENDPOINT,
    IDENTITY,
    LIMIT,
    RCP,
    RESOURCE,
    TRUST,
    Document,
    Writer,
)

Record = dict[str, object]

SETTINGS = ("management_account", "resource_in_management_account", "resource_managed_by_aws")


def closed_case(seed: int | str) -> Record:
    """Give a case whose context is whole."""
    rng = random.Random(f"closed/{seed}")  # noqa: S311 - repeatable, not secret
    keys = tuple(rng.sample(KEYS, rng.randint(2, 5)))
    present = rng.choice((0.4, 0.75, 0.9))
    return _case(f"closed/{seed}", "strict", rng, keys, random_context(rng, keys, present))


def open_case(seed: int | str) -> Record:
    """Give a case of which at most two keys that policies ask about may be anything."""
    rng = random.Random(f"open/{seed}")  # noqa: S311 - repeatable, not secret
    keys = tuple(rng.sample(KEYS, rng.choice((1, 2, 2))))
    context = random_context(rng, keys, 0.2)
    context = {
        key: value
        for key, value in context.items()
        if key.lower() not in ("aws:username", "aws:principalarn")
    }
    record = _case(f"open/{seed}", "exists", rng, keys, context)
    request = cast("Record", record["request"])
    request["context"] = {**context, **_of_principal(str(request["principal"]))}
    return record


def _of_principal(name: str) -> Record:
    """Give the keys that a principal fixes; `null` says that a key is known to be absent.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
    """
    user = name.split("/")[-1] if ":user/" in name else None
    if not name.startswith("arn:") or "-provider/" in name:
        return {"aws:username": user}
    account, path = name.split(":")[4:6]
    if path.startswith("assumed-role/"):
        name = f"arn:aws:iam::{account}:role/{path.split('/')[1]}"
    return {"aws:username": user, "aws:PrincipalArn": name}


def _case(
    name: str, mode: str, rng: random.Random, keys: tuple[Key, ...], context: Document
) -> Record:
    topic = rng.choices(TOPICS, [topic.weight for topic in TOPICS])[0]
    action, resource = rng.choice(topic.requests)
    requester = rng.choices([name for name, _ in REQUESTERS], [often for _, often in REQUESTERS])
    writer = Writer(rng, topic, requester[0], action, resource, keys)
    request: Record = {
        "principal": requester[0],
        "action": _spelled(rng, action),
        "resource": resource,
        "resource_account": HOME,
        "context": context,
        "wildcard_only": resource == "*",
    }
    return {
        "id": name,
        "name": name,
        "mode": mode,
        "request": request,
        "policies": _policies(writer, topic),
        "settings": _settings(rng, topic, requester[0]),
    }


def _settings(rng: random.Random, topic: Topic, requester: str) -> Record:
    """Say now and then something about the accounts and the resource."""
    settings: Record = {name: True for name in SETTINGS if rng.random() < 0.05}
    if topic.name == "s3" and rng.random() < 0.15:
        settings["restrict_public_buckets"] = True
    has_id = any(kind in requester for kind in (":user/", ":role/", ":assumed-role/"))
    if has_id and rng.random() < 0.2:
        settings["unique_id"] = UNIQUE_ID
    return settings


def _spelled(rng: random.Random, action: str) -> str:
    return action.lower() if rng.random() < 0.05 else action


def _policies(writer: Writer, topic: Topic) -> Record:
    """Write the layers; most limits allow everything at first, or nothing would get through."""
    rng = writer.rng
    has_identity = writer.requester.startswith("arn:") and "-provider/" not in writer.requester
    in_session = ":sts:" in writer.requester
    rooted = writer.requester.endswith(":root")
    return {
        "identity": [writer.policy(IDENTITY) for _ in range(rng.randint(0, 2))]
        if has_identity
        else [],
        "resource": _maybe(rng, 0.65, lambda: _resource_policy(writer)),
        "boundaries": _maybe(rng, 0.3, lambda: [_limit(writer)])
        if has_identity and not rooted
        else None,
        "session": _maybe(rng, 0.4, lambda: _limit(writer)) if in_session else None,
        "endpoint": _maybe(rng, 0.1, lambda: [_endpoint(writer)]),
        "scps": _levels(rng, 0.3, lambda: [_limit(writer)]),
        "rcps": _levels(rng, 0.3 if topic.rcp else 0.6, lambda: _rcps(writer)),
        "grants": [_grant(writer)] if topic.name == "kms" and rng.random() < 0.4 else [],
    }


def _grant(writer: Writer) -> Record:
    """Write a grant, often to the requester or its role."""
    rng = writer.rng
    grantees = [name for name in near(writer.requester) if "/" in name] or [writer.requester]
    return {
        "id": "grant",
        "grantee": rng.choice(grantees),
        "operations": rng.sample(("Decrypt", "Encrypt", "RetireGrant"), 2),
        "constraints": rng.choice(
            (
                {},
                {},
                {"EncryptionContextEquals": {"app": "x"}},
                {"EncryptionContextSubset": {"app": "x"}},
            )
        ),
    }


def _maybe(rng: random.Random, chance: float, write: Callable[[], object]) -> object:
    return write() if rng.random() < chance else None


def _resource_policy(writer: Writer) -> Document:
    if not writer.resource.startswith("arn:aws:iam:"):
        return writer.policy(RESOURCE)
    return writer.policy(TRUST)


def _limit(writer: Writer) -> Document:
    """Write a boundary, a session policy or an SCP: all but something, or only something."""
    wide = writer.rng.random() < 0.65
    return writer.policy(LIMIT, ALLOW_ALL, most=2) if wide else writer.policy(LIMIT)


def _endpoint(writer: Writer) -> Document:
    wide = {**ALLOW_ALL, "Principal": "*"}
    return (
        writer.policy(ENDPOINT, wide, most=2)
        if writer.rng.random() < 0.6
        else writer.policy(ENDPOINT)
    )


def _rcps(writer: Writer) -> list[Document]:
    full: Document = {"Version": "2012-10-17", "Statement": [dict(ALLOW_ALL)]}
    return [full, writer.policy(RCP, most=1)] if writer.rng.random() < 0.6 else [full]


def _levels(rng: random.Random, chance: float, write: Callable[[], object]) -> list[Record]:
    """Write the levels of an organisation; now and then one without any policy."""
    if rng.random() >= chance:
        return []
    return [
        {"target": f"level-{depth}", "policies": write() if rng.random() < 0.98 else []}
        for depth in range(rng.randint(1, 3))
    ]


BREAKS: tuple[Callable[[Document], object], ...] = (
    lambda statement: statement.pop("Effect", None),
    lambda statement: statement.update(Effect="allow"),
    lambda statement: statement.update(NotAction="s3:*", Action="s3:*"),
    lambda statement: (statement.pop("Action", None), statement.pop("NotAction", None)),
    lambda statement: statement.update(Action=7),
    lambda statement: statement.update(Resource={"a": "b"}),
    lambda statement: statement.update(Unknown="x"),
    lambda statement: statement.update(Condition=[]),
    lambda statement: statement.update(Condition={"StringSame": {"aws:username": "u"}}),
    lambda statement: statement.update(Condition={"StringEquals": {"aws:username": {"a": 1}}}),
    lambda statement: statement.update(Condition={"NumericEquals": {"s3:max-keys": "ten"}}),
    lambda statement: statement.update(Principal={"Group": "g"}),
)


def malformed_case(seed: int | str) -> Record:
    """Give a closed case with one statement broken, or a whole policy."""
    rng = random.Random(f"malformed/{seed}")  # noqa: S311 - repeatable, not secret
    record = cast("Record", json.loads(json.dumps(closed_case(seed))))
    statements = _statements_of(record["policies"])
    if statements:
        rng.choice(BREAKS)(rng.choice(statements))
    return {**record, "id": f"malformed/{seed}", "name": f"malformed/{seed}"}


def _statements_of(part: object) -> list[Document]:
    if isinstance(part, list):
        return [found for item in cast("list[object]", part) for found in _statements_of(item)]
    if not isinstance(part, dict):
        return []
    document = cast("Document", part)
    inner = [found for item in document.values() for found in _statements_of(item)]
    return [document, *inner] if "Effect" in document else inner
