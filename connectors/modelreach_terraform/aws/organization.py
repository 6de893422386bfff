"""Organizations: service and resource control policies, and what they are attached to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelreach.snapshot import AttachmentKind, Scope
from modelreach_terraform.edits import Attach, Edit, Is, Renews
from modelreach_terraform.told import RELATIONS, Row, Table, Told
from modelreach_terraform.values import UNKNOWN

_KINDS: Final[dict[str, AttachmentKind]] = {
    "SERVICE_CONTROL_POLICY": "scp",
    "RESOURCE_CONTROL_POLICY": "rcp",
}


def _policy(told: Told) -> Iterator[Edit]:
    """A policy of an organization is a fact where it is attached, and nowhere else."""
    arn, document = told.text("arn", "id"), told.document("content")
    kind = _kind(told)
    if kind and document is UNKNOWN:
        yield told.unknown(kind, "", "what this policy says")
    elif kind:
        yield Renews(arn, document, told.text("name"))


def _kind(told: Told) -> AttachmentKind | None:
    return _KINDS.get(told.text("type") or "SERVICE_CONTROL_POLICY")


def _attachment(told: Told) -> Iterator[Edit]:
    target, policy = told.text("target_id"), told.text("policy_id")
    for found in told.others("aws_organizations_policy"):
        if policy and target and policy == found.text("id") and (kind := _kind(found)):
            document, arn = found.document("content"), found.text("arn", "id")
            if document is not UNKNOWN:
                yield Attach(target, kind, document, found.text("name"), arn)
                return
    for known in told.world.applied(f"/{policy}") if policy and target else ():
        document = told.world.document(known.document)
        yield Attach(target, known.kind, document, known.name, known.policy)
        return
    yield told.unknown("scp", "", "what this policy says, or where it is attached")


def _unit(told: Told) -> Iterator[Edit]:
    yield Is(
        Scope(
            id=told.text("id"),
            provider="aws",
            kind="organizational-unit",
            name=told.text("name"),
            parent=told.text("parent_id"),
        )
    )


TABLE: Final[Table] = {
    "aws_organizations_policy": Row(_policy, {"id": "{address}", "arn": "{address}"}, RELATIONS),
    "aws_organizations_policy_attachment": Row(_attachment, phase=RELATIONS),
    "aws_organizations_organizational_unit": Row(_unit, {"id": "{address}"}),
}
