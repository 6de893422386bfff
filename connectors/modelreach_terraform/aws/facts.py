"""What facts of AWS have in common when they come from a plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modelreach.snapshot import AttachmentKind, AttributeValue, Link
from modelreach_terraform.edits import Attach, Edit, Uses
from modelreach_terraform.told import Told
from modelreach_terraform.values import UNKNOWN

#: What a gap says is missing when a document of that kind is not known.
_FACETS = {
    "identity": "identity-policy",
    "boundary": "boundary",
    "trust": "trust",
    "resource": "resource-policy",
    "grant": "resource-policy",
}


def common(told: Told, kind: str, arn: str, name: str = "", *, region: bool = True) -> Any:
    """Give the fields that resources and runtimes share."""
    return {
        "id": arn,
        "provider": "aws",
        "kind": kind,
        "scope": told.place["account"],
        "region": told.place.get("region", "") if region else "",
        "name": name,
        "tags": told.tags(),
    }


def links(*pairs: tuple[str, str]) -> tuple[Link, ...]:
    """Give links to the targets that are there, sorted, each once."""
    found = {(kind, target) for kind, target in pairs if target}
    return tuple(Link(kind=kind, target=target) for kind, target in sorted(found))


def attached(
    told: Told,
    target: str,
    kind: AttachmentKind,
    path: str,
    *,
    name: str,
    policy: str = "",
) -> Iterator[Edit]:
    """Give the attachment of the document at a path; a gap where it is not known."""
    document = told.document(path)
    if document is UNKNOWN:
        what = name if name.endswith("policy") else f"policy `{name}`"
        yield told.unknown(_FACETS.get(kind, kind), target, f"its {what}")
    elif document not in (None, "", {}):
        yield Attach(target, kind, document, name, policy)


def uses(told: Told, target: str, kind: AttachmentKind, path: str) -> Iterator[Edit]:
    """Give the attachment of the managed policy whose ARN is at a path."""
    arn = told.text(path)
    if arn:
        yield Uses(target, kind, arn)
    elif told.unread(path):
        yield told.unknown(_FACETS.get(kind, kind), target, "which policy is attached")


def entity(told: Told, kind: str, name: str) -> str:
    """Give the ARN of a user, group or role by its name, with its path where that is known."""
    account, partition = told.place["account"], told.place["partition"]
    known = told.world.named(kind, account, name)
    return known or f"arn:{partition}:iam::{account}:{kind}/{name}"


def role_arn(told: Told, path: str) -> str:
    """Give the ARN of the role that is named, or told by its ARN, at a path."""
    named = told.text(path)
    return named if not named or named.startswith("arn:") else entity(told, "role", named)


def runs_as(told: Told, kind: str, arn: str, *roles: str) -> Iterator[Edit]:
    """Give a gap for each role that is not known: what runs there may be anybody."""
    for path in roles:
        if told.unread(path):
            yield told.unknown(f"runtimes:{kind}", arn, "as which role it runs")


def in_profile(told: Told, path: str) -> tuple[str, ...]:
    """Give the roles that are in the instance profile named at a path."""
    profile = told.text(path)
    found = [
        one.id
        for one in told.world.principals.values()
        for held in _texts(one.attributes.get("instance_profiles", ()))
        if profile and profile in (held, held.rpartition("/")[2])
    ]
    return tuple(sorted(found))


def _texts(value: AttributeValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
