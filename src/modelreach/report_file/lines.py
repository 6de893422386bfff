"""The types of `modelreach.diff/2`, `modelreach.radius/2` and `modelreach.ticket/2`.

What many rows say alike is written once: rows that differ in nothing but the resource are one line
with all of these resources, what a resource is stands in `resources`, a step of a witness in
`hops`, a statement in `statements`, each under a key that others refer to it by. A key is made of
the content, so that the same thing has the same key in every report.

What is left out is as usual: nothing, none, or what the docstrings say.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from modelreach.report import (
    CredentialRow,
    CutRow,
    DemandRow,
    EvidenceRow,
    Figures,
    GapRow,
    Gate,
    MatrixCell,
    NameRow,
    OriginRow,
    ReleaseRow,
    Rollback,
    ScopeRow,
    StopRow,
    Summary,
    SummedUpRow,
    ToolRow,
    UndeclaredRow,
    Waived,
)

Text = str | UnsetType
Texts = tuple[str, ...] | UnsetType


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all that only a file has. What is as its default is left out."""


class ResourceEntry(Line, frozen=True, kw_only=True):
    """What a resource is, by its id. `findings` are those that are about it."""

    kind: str = ""
    name: str = ""
    scope: str = ""
    provider: str = ""
    sensitive_because: str = ""
    findings: tuple[str, ...] = ()


class StatementEntry(Line, frozen=True, kw_only=True):
    """One statement of one policy: where it stands, and its text (JSON)."""

    layer: str = ""
    policy: str = ""
    sid: str = ""
    text: str = ""


class HopEntry(Line, frozen=True, kw_only=True):
    """One step of a witness; fields as in `report.Hop`.

    `statement` is a key of `statements`. Left out, `object` is the resource (of a finding or
    trigger: the subject) whose witness it is, `strength` is `certain`, and `target`, what the
    policy is attached to, is the subject; with `at_object` it is the object.
    """

    kind: str
    subject: str = ""
    action: str = ""
    object: Text = UNSET
    strength: Text = UNSET
    statement: str = ""
    target: Text = UNSET
    at_object: bool = False
    depends_on: tuple[str, ...] = ()
    pivot: str = ""
    note: str = ""
    tool: str = ""
    also: tuple[HopEntry, ...] = ()
    origin: OriginRow | UnsetType = UNSET


class RuleEntry(Line, frozen=True, kw_only=True):
    """What is said of all findings of a rule."""

    standards: tuple[str, ...] = ()


class TriggerEntry(Line, frozen=True, kw_only=True):
    """What is said of all triggers of an id."""

    dimension: str = ""
    demands: tuple[str, ...] = ()
    standards: tuple[str, ...] = ()


class GrantLine(Line, frozen=True, kw_only=True):
    """A grant over each of `resources`; fields as in `report.GrantRow`.

    `witness` are keys of `hops`. Left out, `sensitivity` is `none` and `strength` is `certain`.
    What is meant otherwise than the table `resources` says, the line says itself (from
    `resource_kind` on).
    """

    identity: str
    capability: str
    actions: tuple[str, ...]
    verdict: str
    depends_on: tuple[str, ...] = ()
    sensitivity: Text = UNSET
    strength: Text = UNSET
    pattern: bool = False
    within: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    witness: tuple[str, ...] = ()
    resources: tuple[str, ...]
    resource_kind: Text = UNSET
    resource_name: Text = UNSET
    scope: Text = UNSET
    provider: Text = UNSET
    sensitive_because: Text = UNSET
    findings: Texts = UNSET


class ChangeLine(Line, frozen=True, kw_only=True):
    """A change of reach of each of `resources`; fields as in `report.ChangeRow`, else as
    `GrantLine`. Left out, `old_verdict` and `new_verdict` are `verdict`."""

    kind: Literal["gained", "lost", "widened", "narrowed", "rerouted", "unknown"]
    identity: str
    capability: str
    actions: tuple[str, ...]
    verdict: str
    old_verdict: Text = UNSET
    new_verdict: Text = UNSET
    depends_on: tuple[str, ...] = ()
    sensitivity: Text = UNSET
    strength: Text = UNSET
    pattern: bool = False
    within: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    opened_by: tuple[str, ...] = ()
    caused_by: tuple[str, ...] = ()
    witness: tuple[str, ...] = ()
    resources: tuple[str, ...]
    resource_kind: Text = UNSET
    resource_name: Text = UNSET
    scope: Text = UNSET
    provider: Text = UNSET
    sensitive_because: Text = UNSET
    findings: Texts = UNSET


class FindingLine(Line, frozen=True, kw_only=True):
    """One finding; fields as in `report.FindingRow`. `evidence` is a key of `finding_evidence`.
    Left out, `standards` are those of its rule in `rules`."""

    id: str
    fingerprint: str
    rule: str
    title: str
    severity: Literal["low", "medium", "high", "critical"]
    state: Literal["new", "unchanged", "gone"]
    subject: str
    subject_kind: str
    identity: str
    message: str
    fix: str
    evidence: str = ""
    witness: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    waived: Waived | None = None
    returned: str = ""
    standards: Texts = UNSET


class IdentityLine(Line, frozen=True, kw_only=True):
    """One identity that is reached; fields as in `report.IdentityRow`. Left out, `strength` is
    `certain`."""

    id: str
    kind: str
    scope: str
    provider: str
    name: str = ""
    start: bool = False
    verdict: str
    strength: Text = UNSET
    hops: int
    tools: tuple[str, ...] = ()
    witness: tuple[str, ...] = ()


class AdminLine(Line, frozen=True, kw_only=True):
    """One scope that can be taken over; fields as in `report.AdminRow`. Left out, `strength` is
    `certain`."""

    scope: str
    provider: str
    identity: str
    verdict: str
    strength: Text = UNSET
    depends_on: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    witness: tuple[str, ...] = ()


class TriggerLine(Line, frozen=True, kw_only=True):
    """A trigger of each of `subjects`; fields as in `report.TriggerRow`. What is left out is as
    `catalogue` says."""

    id: str
    title: str
    subjects: tuple[str, ...]
    old: str
    new: str
    witness: tuple[str, ...] = ()
    dimension: Text = UNSET
    demands: Texts = UNSET
    standards: Texts = UNSET


class SecurityChangeLine(Line, frozen=True, kw_only=True):
    """As `report.SecurityChange`; `catalogue` has what all triggers of an id say."""

    verdict: Literal["yes", "no", "unknown"]
    dimensions: tuple[str, ...]
    by_dimension: dict[str, str]
    triggers: tuple[TriggerLine, ...]
    undeclared: tuple[UndeclaredRow, ...]
    catalogue: dict[str, TriggerEntry]


class RadiusFile(msgspec.Struct, frozen=True, kw_only=True):
    """`modelreach.radius/2`: everything that one release, or one principal, reaches."""

    schema: Literal["modelreach.radius/2"] = msgspec.field(name="schema")
    release: ReleaseRow
    identities: tuple[IdentityLine, ...]
    grants: tuple[GrantLine, ...]
    admin_of: tuple[AdminLine, ...]
    credentials: tuple[CredentialRow, ...]
    findings: tuple[FindingLine, ...]
    gaps: tuple[GapRow, ...]
    figures: Figures
    gate: Gate
    scopes: tuple[ScopeRow, ...] = ()
    unused_waivers: tuple[str, ...] = ()
    tools: tuple[ToolRow, ...] = ()
    summed_up: tuple[SummedUpRow, ...] = ()
    matrix: tuple[MatrixCell, ...] = ()
    no_better: int = 0
    resources: dict[str, ResourceEntry]
    hops: dict[str, HopEntry]
    statements: dict[str, StatementEntry]
    rules: dict[str, RuleEntry]
    finding_evidence: dict[str, tuple[str, ...]]


class DiffFile(msgspec.Struct, frozen=True, kw_only=True):
    """`modelreach.diff/2`: the difference of two releases' reach."""

    schema: Literal["modelreach.diff/2"] = msgspec.field(name="schema")
    old: ReleaseRow
    new: ReleaseRow
    summary: Summary
    changes: tuple[ChangeLine, ...]
    findings: tuple[FindingLine, ...]
    gaps: tuple[GapRow, ...]
    identities_old: tuple[IdentityLine, ...]
    identities_new: tuple[IdentityLine, ...]
    admin_of_old: tuple[AdminLine, ...]
    admin_of_new: tuple[AdminLine, ...]
    credentials: tuple[CredentialRow, ...]
    gate: Gate
    scopes: tuple[ScopeRow, ...] = ()
    security_change: SecurityChangeLine | None = None
    demands: tuple[DemandRow, ...] = ()
    evidence: tuple[EvidenceRow, ...] = ()
    unused_waivers: tuple[str, ...] = ()
    tools: tuple[ToolRow, ...] = ()
    summed_up: tuple[SummedUpRow, ...] = ()
    resources: dict[str, ResourceEntry]
    hops: dict[str, HopEntry]
    statements: dict[str, StatementEntry]
    rules: dict[str, RuleEntry]
    finding_evidence: dict[str, tuple[str, ...]]


class TicketFile(msgspec.Struct, frozen=True, kw_only=True):
    """`modelreach.ticket/2`: what a change board needs, whole; fields as in `report.Ticket`."""

    schema: Literal["modelreach.ticket/2"] = msgspec.field(name="schema")
    id: str
    made_at: str
    old: ReleaseRow
    new: ReleaseRow
    contact: str
    sponsor: str
    gate: Gate
    security_change: SecurityChangeLine
    summary: Summary
    reached: tuple[ChangeLine, ...]
    others: int
    findings: tuple[FindingLine, ...]
    demands: tuple[DemandRow, ...]
    evidence: tuple[EvidenceRow, ...]
    gaps: tuple[GapRow, ...]
    cuts: tuple[CutRow, ...]
    uncut: tuple[str, ...]
    stops: tuple[StopRow, ...]
    rollback: Rollback
    check: str
    scopes: tuple[ScopeRow, ...] = ()
    identities: tuple[NameRow, ...] = ()
    summed_up: tuple[SummedUpRow, ...] = ()
    resources: dict[str, ResourceEntry]
    hops: dict[str, HopEntry]
    statements: dict[str, StatementEntry]
    rules: dict[str, RuleEntry]
    finding_evidence: dict[str, tuple[str, ...]]
