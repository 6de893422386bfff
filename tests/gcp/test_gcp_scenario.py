"""Two releases of an agent on Vertex AI, from the recorded wire to the expected difference."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelreach import deployment
from modelreach.cli import run
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, diff_report, evaluate
from modelreach.pipeline.evaluate import Estates
from modelreach.report import DiffReport
from modelreach.snapshot import Coverage, Gap, Snapshot, decode

AGENT = Path(__file__).parents[2] / "fixtures" / "vertex_agent"
EXPECTED = json.loads((AGENT / "expected.json").read_text(encoding="utf-8"))
FOLDER_AND_ORG = ("organizations/618033988749",)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The estate, collected from the recording by the command."""
    out = tmp_path_factory.mktemp("gcp") / "estate.snap"
    assert run(["collect", "gcp", "--from", str(AGENT / "recording"), "-o", str(out)]) == 0
    return decode(out.read_bytes(), place=str(out))


def compared(old: Snapshot, new: Snapshot) -> DiffReport:
    """Compare the two releases, each in an estate of its own."""
    estates, policy = Estates(), JudgePolicy()
    sides = [
        evaluate(Release(_deployment(name), snapshot, name), policy, estates)
        for name, snapshot in (("v1.yaml", old), ("v2.yaml", new))
    ]
    return diff_report(sides[0], sides[1], GateOptions())


def _deployment(name: str) -> Any:
    return deployment.decode((AGENT / name).read_bytes(), place=name)


def rows(report: DiffReport) -> list[dict[str, Any]]:
    """Give the changes on listed things in the form of the expectation."""
    return [
        {
            "kind": row.kind,
            "resource": row.resource,
            "capability": row.capability,
            "verdict": row.verdict,
            "identity": row.identity,
            "within": list(row.within),
            "by": [_by(hop) for hop in row.witness[1:]],
        }
        for row in report.changes
        if not row.pattern
    ]


def _by(hop: Any) -> str:
    """A hop: what lets it, where."""
    return f"{hop.policy} on {hop.target}"


def test_the_difference_is_what_was_expected(estate: Snapshot) -> None:
    found = rows(compared(estate, estate))
    assert found == EXPECTED["changes"]


def test_findings_are_what_was_expected(estate: Snapshot) -> None:
    report = compared(estate, estate)
    found = [
        {"rule": f.rule, "state": f.state, "severity": f.severity, "subject": f.subject}
        for f in report.findings
    ]
    assert found == EXPECTED["findings"]
    (key,) = (f for f in report.findings if f.subject_kind == "service-account-key")
    assert "is 400 days old" in key.message


def test_swapping_the_releases_swaps_what_is_gained(estate: Snapshot) -> None:
    estates, policy = Estates(), JudgePolicy()
    old, new = (
        evaluate(Release(_deployment(name), estate, name), policy, estates)
        for name in ("v1.yaml", "v2.yaml")
    )
    there = diff_report(old, new, GateOptions()).changes
    back = diff_report(new, old, GateOptions()).changes
    turned = {"gained": "lost", "lost": "gained", "widened": "narrowed", "narrowed": "widened"}
    assert sorted((turned.get(c.kind, c.kind), c.resource, c.actions) for c in there) == sorted(
        (c.kind, c.resource, c.actions) for c in back
    )


# --- what was refused ------------------------------------------------------------------------


def again(old: Snapshot, new: Snapshot) -> DiffReport:
    """Compare the newer release with itself, in two estates."""
    estates, policy = Estates(), JudgePolicy()
    sides = [
        evaluate(Release(_deployment("v2.yaml"), snapshot, "v2.yaml"), policy, estates)
        for snapshot in (old, new)
    ]
    return diff_report(sides[0], sides[1], GateOptions())


def gap(kind: str, scope: str, subject: str = "") -> Gap:
    return Gap(
        provider="gcp", scope=scope, kind=kind, reason="denied", subject=subject, operation="x"
    )


def without_denies(estate: Snapshot) -> Snapshot:
    scopes = [scope.id for scope in estate.scopes]
    return msgspec.structs.replace(
        estate,
        attachments=tuple(a for a in estate.attachments if a.kind != "deny"),
        coverage=_without(estate.coverage, "deny"),
        gaps=tuple(gap("deny", scope) for scope in scopes),
    )


def without_roles(estate: Snapshot) -> Snapshot:
    roles = [policy.id for policy in estate.managed_policies]
    return msgspec.structs.replace(
        estate,
        managed_policies=(),
        coverage=_without(estate.coverage, "roles"),
        gaps=tuple(gap("roles", "", role) for role in roles),
    )


def without_groups(estate: Snapshot) -> Snapshot:
    groups = [p.id for p in estate.principals if p.kind == "group"]
    return msgspec.structs.replace(
        estate,
        principals=tuple(
            msgspec.structs.replace(p, groups=()) for p in estate.principals if p.kind != "group"
        ),
        coverage=_without(estate.coverage, "groups"),
        gaps=tuple(gap("groups", FOLDER_AND_ORG[0], group) for group in groups),
    )


def without_bindings(estate: Snapshot) -> Snapshot:
    return msgspec.structs.replace(
        estate,
        bindings=(),
        coverage=_without(estate.coverage, "bindings"),
        gaps=tuple(gap("bindings", scope.id) for scope in estate.scopes),
    )


def _without(coverage: Iterable[Coverage], kind: str) -> tuple[Coverage, ...]:
    return tuple(row for row in coverage if row.kind != kind)


def with_group(estate: Snapshot) -> Snapshot:
    """The same estate in which one grant is given by way of a group."""
    tools = "serviceAccount:support-tools-v2@acme-agents.iam.gserviceaccount.com"
    group = "group:tools@acme.example"
    principals = [
        msgspec.structs.replace(p, groups=(group,)) if p.id == tools else p
        for p in estate.principals
    ]
    kept = next(p for p in principals if p.id == tools)
    principals.append(msgspec.structs.replace(kept, id=group, kind="group", groups=()))
    bindings = [
        msgspec.structs.replace(b, members=tuple(group if m == tools else m for m in b.members))
        for b in estate.bindings
    ]
    return msgspec.structs.replace(
        estate,
        principals=tuple(principals),
        bindings=tuple(bindings),
        coverage=(
            *estate.coverage,
            Coverage(provider="gcp", scope=FOLDER_AND_ORG[0], kind="groups"),
        ),
    )


@pytest.mark.parametrize(
    "refused", [without_denies, without_roles, without_bindings, without_groups]
)
def test_what_was_refused_is_never_read_as_removed(
    estate: Snapshot, refused: Callable[[Snapshot], Snapshot]
) -> None:
    """The same release, with a call refused the second time: unknown, and never lost."""
    whole = with_group(estate)
    report = again(whole, refused(whole))
    assert report.changes
    assert {row.kind for row in report.changes} == {"unknown"}
    assert all(row.caused_by for row in report.changes)
    assert report.gaps
    assert not [f for f in report.findings if f.state == "gone"]


@pytest.mark.parametrize(
    "refused", [without_denies, without_roles, without_bindings, without_groups]
)
def test_nor_is_what_was_refused_before_read_as_gained(
    estate: Snapshot, refused: Callable[[Snapshot], Snapshot]
) -> None:
    whole = with_group(estate)
    report = again(refused(whole), whole)
    assert report.changes
    assert {row.kind for row in report.changes} == {"unknown"}


def test_verdicts_without_deny_policies_are_unknown(estate: Snapshot) -> None:
    """Access that a refused deny policy might take away is neither allowed nor denied."""
    report = again(estate, without_denies(estate))
    assert {row.new_verdict for row in report.changes} == {"unknown"}
