"""What people look at in a state: all deployments, one over time, one audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelreach.model import InputError
from modelreach.state.records import ApprovalRow, AuditRow, DeploymentRow, Event, Record

if TYPE_CHECKING:
    from modelreach.state.database import State

#: So many audits are drawn small beside each deployment.
_RECENT: Final = 60


class DeploymentView(Record, frozen=True):
    """A deployment as it stands: its last audit, the approval in force (`expired`: it holds no
    longer), and how many sensitive resources it reached in its recent audits, oldest first."""

    deployment: DeploymentRow
    last: AuditRow
    approval: ApprovalRow | None
    expired: bool
    recent: tuple[int, ...]


class Overview(Record, frozen=True):
    """All deployments of a state, by name."""

    state: str
    deployments: tuple[DeploymentView, ...]


class Timeline(Record, frozen=True):
    """A deployment over time: audits oldest first, what they told, and who approved what.

    `left_out` is how many older audits there are that are not here. `served` says that the
    pages of single audits are at hand, to link to.
    """

    deployment: DeploymentRow
    audits: tuple[AuditRow, ...]
    events: tuple[tuple[str, Event], ...]
    approvals: tuple[ApprovalRow, ...]
    left_out: int = 0
    served: bool = False


class AuditView(Record, frozen=True):
    """One audit, the two that it was compared with, what it told, and its approvals.
    `forms` are the formats in which its reports can be had."""

    audit: AuditRow
    baseline: AuditRow | None
    previous: AuditRow | None
    events: tuple[Event, ...]
    approvals: tuple[ApprovalRow, ...]
    forms: tuple[str, ...] = ()


def overview(state: State, day: str) -> Overview:
    """Give all deployments as they stand on a day (`YYYY-MM-DD`, or a time)."""
    found = [_standing(state, one, day) for one in state.deployments()]
    return Overview(state=state.name, deployments=tuple(one for one in found if one))


def _standing(state: State, one: DeploymentRow, day: str) -> DeploymentView | None:
    last = state.audit(one.last)
    if last is None:
        return None
    approval = state.approved(one.deployment)
    recent = state.audits(one.deployment, last=_RECENT)
    return DeploymentView(
        deployment=one,
        last=last,
        approval=approval,
        expired=approval is not None and approval.expired(day),
        recent=tuple(audit.sensitive for audit in recent),
    )


def timeline(state: State, deployment: str, *, last: int = 0, served: bool = False) -> Timeline:
    """Give a deployment over its `last` so many audits (0 for all).

    Raises `InputError` when it was never audited.
    """
    found = state.deployment(deployment)
    if found is None:
        raise InputError(f"`{deployment}` was never audited", place=state.name)
    audits = state.audits(deployment, last=last)
    return Timeline(
        deployment=found,
        audits=audits,
        events=_events(state, audits),
        approvals=state.approvals(deployment),
        left_out=audits[0].number - 1 if audits else 0,
        served=served,
    )


#: A database takes a limited number of values in one question.
_AT_ONCE: Final = 500


def _events(state: State, audits: tuple[AuditRow, ...]) -> tuple[tuple[str, Event], ...]:
    telling = [one.id for one in audits if one.events]
    parts = (telling[start : start + _AT_ONCE] for start in range(0, len(telling), _AT_ONCE))
    found = [event for part in parts for event in state.events(*part)]
    order = {name: place for place, name in enumerate(telling)}
    return tuple(sorted(found, key=lambda one: order[one[0]]))


def audit_view(state: State, audit: AuditRow, forms: tuple[str, ...] = ()) -> AuditView:
    """Give one audit."""
    approvals = state.approvals(audit.deployment)
    return AuditView(
        audit=audit,
        baseline=state.audit(audit.baseline) if audit.baseline else None,
        previous=state.audit(audit.previous) if audit.previous else None,
        events=tuple(event for _, event in state.events(audit.id)),
        approvals=tuple(one for one in approvals if one.audit == audit.id),
        forms=forms,
    )
