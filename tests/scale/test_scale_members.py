"""What a management account may do in its members is decided anew when it changes there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from modelreach import deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.many import Many
from modelreach.pipeline.survey import SurveyRow
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_id,
)
from modelreach.store import StoredSnapshot, write
from organisations import manifest

MAIN, DELEGATED, MEMBER = "111122223333", "222233334444", "444455556666"
CALLER = f"arn:aws:iam::{DELEGATED}:role/run/caller"
DEPLOYS, ROOT = f"arn:aws:iam::{MEMBER}:role/stacksets-exec-1", f"arn:aws:iam::{MEMBER}:root"
SETS = ["cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"]
ROOTS = ("sts:AssumeRoot", f"arn:aws:iam::{MEMBER}:root")


def _estate(may: Any, on: str, runtime: tuple[str, str], *, there: bool) -> Snapshot:
    documents: dict[str, msgspec.Raw] = {}

    def attached(target: str, kind: Any, **more: Any) -> Attachment:
        raw = json.dumps({"Statement": [{"Effect": "Allow", "Resource": "*", **more}]}).encode()
        documents[document_id(raw)] = msgspec.Raw(raw)
        return Attachment(target=target, kind=kind, document=document_id(raw), name=kind)

    kind, runs_as = runtime
    name = f"arn:aws:organizations::{MAIN}:{kind.partition(':')[2]}/o-1/x"
    common: dict[str, Any] = {"id": name, "provider": "aws", "kind": kind, "scope": MAIN}
    attachments = [
        attached(CALLER, "identity", Action=may, Resource=on),
        attached(DEPLOYS, "identity", Action="*"),
        attached(ROOT, "identity", Action="*"),
    ]
    if there:
        administrators = {"AWS": f"arn:aws:iam::{DELEGATED}:root"}
        attachments.append(attached(name, "resource", Action="*", Principal=administrators))
    principals = (
        Principal(id=CALLER, provider="aws", kind="role", scope=DELEGATED, name="caller"),
        Principal(id=DEPLOYS, provider="aws", kind="role", scope=MEMBER, name="stacksets-exec-1"),
        Principal(id=ROOT, provider="aws", kind="root", scope=MEMBER, name="root user"),
    )
    return Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-23T09:00:00Z",
        scopes=tuple(
            Scope(id=one, provider="aws", kind="account") for one in (MAIN, DELEGATED, MEMBER)
        ),
        principals=principals,
        resources=(Resource(**common),) if there else (),
        runtimes=(Runtime(**common, identities=(runs_as,)),) if there else (),
        attachments=tuple(attachments),
        documents=documents,
    )


def _rows(snapshot: Snapshot) -> list[SurveyRow]:
    release = (deployment.decode(manifest(CALLER).encode(), place="m"), "m", b"")
    return Many(snapshot, "", JudgePolicy()).survey([release], lambda _: None)


@pytest.mark.parametrize(
    ("may", "on", "runtime"),
    [
        (SETS, "*", ("organizations:organization", DEPLOYS)),
        (ROOTS[0], ROOTS[1], ("organizations:account", ROOT)),
    ],
)
def test_what_is_new_there_is_not_missed(
    tmp_path: Path, may: Any, on: str, runtime: tuple[str, str]
) -> None:
    before = _estate(may, on, runtime, there=False)
    after = replace(_estate(may, on, runtime, there=True), taken_at="2026-11-24T09:00:00Z")
    assert _rows(before) != _rows(after)
    path = tmp_path / "estate.mrdb"
    for made in (before, after, before):
        kept = write(path, made)
        found = _rows(StoredSnapshot.open(path, kept.digest).as_snapshot())
        assert found == _rows(made)
