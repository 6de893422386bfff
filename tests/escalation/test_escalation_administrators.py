"""What an administrator comes to in other accounts: as anybody whom they name, with any policy."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from modelreach.model import Verdict
from modelreach.policy import providers
from modelreach.reach import reach
from modelreach.snapshot import Principal, Snapshot, facts_of
from organisations.corner import OTHER, OWN, ROLE, bucket, corner

WORKER = f"arn:aws:iam::{OWN}:role/worker"
FAR = f"arn:aws:iam::{OTHER}:role/far"
SHARED = bucket("shared", OTHER)


def _said(action: str, **more: Any) -> dict[str, Any]:
    said = {"Effect": "Allow", "Action": action, **more}
    return {"Version": "2012-10-17", "Statement": [said]}


def _made(*limits: tuple[str, Any, dict[str, Any]]) -> Snapshot:
    """A bucket and a role of another account let in a worker that has no policy of its own."""
    worker, far = (
        Principal(id=one, provider="aws", kind="role", scope=scope, name=one.rpartition("/")[2])
        for one, scope in ((WORKER, OWN), (FAR, OTHER))
    )
    named = {"AWS": WORKER}
    made = corner(
        [SHARED],
        [_said("*", Resource="*")],
        [
            (SHARED.id, "resource", _said("s3:GetObject", Principal=named, Resource="*")),
            (FAR, "trust", _said("sts:AssumeRole", Principal=named)),
            *limits,
        ],
    )
    return replace(made, principals=(*made.principals, worker, far))


@pytest.mark.parametrize("limited", [False, True])
def test_an_administrator_gives_whom_others_let_in_what_is_missing(limited: bool) -> None:
    """Both accounts have to allow it. Within a boundary the worker cannot be let further."""
    boundary = (WORKER, "boundary", _said("sqs:*", Resource="*"))
    radius = reach([ROLE], providers.engines(facts_of(_made(*[boundary] * limited))))
    assert OWN in radius.takeovers
    got = {access.grant.resource: access.verdict for access in radius.accesses}
    assert got.get(SHARED.id) == (None if limited else Verdict.ALLOW)
    assert (FAR in radius.identities) is not limited
