"""All that a renderer may see: a comparison and a radius, as types.

They are types of their own and not a dump of the engine's. Renderers take them and give bytes;
nothing else is passed to a renderer. How they are written as `modelreach.diff/2` and
`modelreach.radius/2`, `modelreach.report_file` knows.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from modelreach.model import RANK, Severity, base_of


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything in a report."""


class OriginRow(Row, frozen=True):
    """Where a configuration has something: the address there, what the plan does with it
    (`create`, `update`, `replace`, `delete`, `no-op`), and the file and line where known."""

    address: str
    action: str
    file: str = ""
    line: int = 0


class Hop(Row, frozen=True):
    """One step of a witness: `subject` does `action` to `object`, granted by `statement`.

    `kind` is `start`, `assume-role`, `credential`, `pass-role`, `update-compute`, `run-code`,
    `trust`, `policy`, `self-escalation`, `tool`, `feed`, `prompt`, `grant`, `administer`, or
    `support` (in `also`). `strength` is `certain`,
    `conditional`, `unknown` or `influence`. `layer` and `policy` name where the statement stands,
    `statement` is its text (JSON), `depends_on` what must hold, `pivot` the id of the escalation
    rule when the hop is one. `also` are further statements that are needed (trust, pass-role).
    A start that is a tool's has the tool as its subject (`tool:ID`); `tool` is the id of the tool
    of the release that makes the hop.
    """

    kind: str
    subject: str
    object: str
    action: str = ""
    strength: str = "certain"
    layer: str = ""
    policy: str = ""
    target: str = ""
    sid: str = ""
    statement: str = ""
    depends_on: tuple[str, ...] = ()
    pivot: str = ""
    note: str = ""
    also: tuple[Hop, ...] = ()
    tool: str = ""
    origin: OriginRow | msgspec.UnsetType = msgspec.UNSET


class ToolRow(Row, frozen=True):
    """One tool of a release. `runs_as` is the identity that the manifest names, `principals` who
    that is, `credential` by which it is. `state` tells new tools from those that were there, gone
    ones, and those that act as somebody else or call something else now (`changed`). What is
    not declared is "". The numbers are resources (sensitive ones), identities and scopes reached
    through it; `opens` counts the changes that it opened.
    """

    id: str
    kind: str
    target: str = ""
    effect: str = ""
    approval: str = ""
    input_trust: str = ""
    runs_as: str = ""
    principals: tuple[str, ...] = ()
    credential: str = ""
    state: Literal["", "new", "unchanged", "changed", "gone"] = ""
    resources: int = 0
    sensitive: int = 0
    identities: int = 0
    administers: int = 0
    opens: int = 0


class ChangeRow(Row, frozen=True):
    """One difference of reach. `kind` is gained, lost, widened, narrowed, rerouted or unknown.

    `actions` are those that came or went (for rerouted: all). `verdict` is the newer side's
    (the older side's when lost), `old_verdict` and `new_verdict` are both. `pattern` says that
    `resource` is a pattern over things the snapshot does not list. `caused_by` names the gaps
    that may be the cause when the kind is unknown. `finding` lists finding ids. `tools` are ids of
    the tools by which it is reached, the likeliest first; `opened_by` of those that opened it: of
    the likeliest all, where each is new or changed (of a loss: all that are gone).
    """

    kind: Literal["gained", "lost", "widened", "narrowed", "rerouted", "unknown"]
    identity: str
    resource: str
    resource_kind: str
    resource_name: str
    scope: str
    provider: str
    capability: str
    actions: tuple[str, ...]
    verdict: str
    old_verdict: str
    new_verdict: str
    depends_on: tuple[str, ...]
    sensitivity: str
    sensitive_because: str
    strength: str
    pattern: bool
    within: tuple[str, ...]
    caused_by: tuple[str, ...]
    findings: tuple[str, ...]
    witness: tuple[Hop, ...]
    tools: tuple[str, ...] = ()
    opened_by: tuple[str, ...] = ()


class Waived(Row, frozen=True):
    """That a finding is accepted for a time. It stays visible and never changes the exit code."""

    reason: str
    owner: str
    approved_by: str
    expires: str


class FindingRow(Row, frozen=True):
    """One judgement. `fingerprint` is stable over runs; `id` numbers it within this report.

    `standards` are ids of `modelreach.standards`. `waived` is there when a waiver covers it;
    `returned` says why one that did no longer does. `tools` are as in `ChangeRow`.
    """

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
    evidence: tuple[str, ...]
    witness: tuple[Hop, ...]
    fix: str
    standards: tuple[str, ...] = ()
    waived: Waived | None = None
    returned: str = ""
    tools: tuple[str, ...] = ()


class GapRow(Row, frozen=True):
    """Something that was not read. `side` is old, new or both. `leaves_unknown` says what."""

    side: str
    provider: str
    scope: str
    region: str
    kind: str
    subject: str
    operation: str
    permission: str
    reason: str
    message: str
    leaves_unknown: str


class ReleaseRow(Row, frozen=True):
    """Which release, evaluated in which estate. Digests are `sha256:…` of the input files; `lines`
    say on which line of the manifest each identity stands."""

    name: str
    version: str
    model: str
    environment: str
    owner: str
    manifest: str
    manifest_digest: str
    snapshot: str
    snapshot_digest: str
    taken_at: str
    identities: tuple[str, ...]
    lines: tuple[int, ...] = ()


class Figures(Row, frozen=True):
    """Reach in numbers, for one side. `unseen` are resources which the other side reaches, and of
    which this one cannot tell: they are in none of the other numbers, and not gone."""

    resources: int = 0
    sensitive: int = 0
    identities: int = 0
    scopes: int = 0
    longest_chain: int = 0
    patterns: int = 0
    administers: int = 0
    credentials: int = 0
    unseen: int = 0
    unseen_sensitive: int = 0


class MatrixCell(Row, frozen=True):
    """How many resources of a class an identity reaches, before and after; and of how many it
    cannot be told now."""

    identity: str
    resource_class: str
    old: int
    new: int
    unknown: int


class Summary(Row, frozen=True):
    """The diff in numbers. `changes` counts by kind, `findings` new findings by severity."""

    old: Figures
    new: Figures
    changes: dict[str, int]
    findings: dict[str, int]
    findings_unchanged: dict[str, int]
    findings_gone: dict[str, int]
    matrix: tuple[MatrixCell, ...]


class TriggerRow(Row, frozen=True):
    """One reason for which a release is a security change: the facts, old and new.

    `id` and `dimension` are those of `gate.catalogue`; `subject` is what it is about (a tool, a
    guardrail, a resource). `demands` are ids of demands. `witness` is there when it was reached.
    """

    id: str
    dimension: str
    title: str
    subject: str
    old: str
    new: str
    demands: tuple[str, ...]
    witness: tuple[Hop, ...] = ()
    standards: tuple[str, ...] = ()


class UndeclaredRow(Row, frozen=True):
    """A fact without which a dimension cannot be judged: what it is, on which side it is missing
    (old, new or both), and what to do about it."""

    dimension: str
    fact: str
    side: str
    declare: str


class SecurityChange(Row, frozen=True):
    """Is the release a security change? `dimensions` are those that changed, `by_dimension` says
    `yes`, `no` or `unknown` of each; `undeclared` what is missing for an answer."""

    verdict: Literal["yes", "no", "unknown"]
    dimensions: tuple[str, ...]
    by_dimension: dict[str, str]
    triggers: tuple[TriggerRow, ...]
    undeclared: tuple[UndeclaredRow, ...]


class DemandRow(Row, frozen=True):
    """Something due before adoption. `because` are ids of triggers (or rules), `evidence` what was
    brought for it, `why` says why the status is what it is, `who` has to see to it; `standards`
    are ids of `modelreach.standards`."""

    id: str
    title: str
    status: Literal["met", "open", "refused"]
    because: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    why: str = ""
    who: str = ""
    standards: tuple[str, ...] = ()


class EvidenceRow(Row, frozen=True):
    """One category that both releases were tested for, or a report that does not count.

    `verdict` is `regression`, `non-inferior`, `not-enough-evidence` or `refused`. `old` and `new`
    say how many cases broke; `difference` is of the rates, within `low` and `high`; `p_value` is
    adjusted over all categories. `needed` is how many more cases would decide.
    """

    tool: str
    category: str
    verdict: str
    retest: str = ""
    source: str = ""
    old: str = ""
    new: str = ""
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    needed: int | None = None
    note: str = ""


class RuleRow(Row, frozen=True):
    """A rule of the policy that spoke. `subject` is what it spoke about; `error` is there when it
    could not be evaluated, which denies."""

    id: str
    title: str
    severity: str
    subject: str
    message: str
    denies: bool
    error: str = ""


class CutRow(Row, frozen=True):
    """One step to take away: the statement (`binding`), trust or key that lets `subject` do
    `actions` to `objects`, and what of the triggers goes with it.

    `commands` are lines for a POSIX shell, to be run with credentials for `where`; `undo` takes
    them back. Both are empty where no command is known.
    """

    kind: Literal["binding", "trust", "key"]
    provider: str
    subject: str
    actions: tuple[str, ...]
    objects: tuple[str, ...]
    layer: str
    policy: str
    target: str
    sid: str
    statement: str
    takes_away: tuple[str, ...]
    where: str
    commands: tuple[str, ...]
    undo: tuple[str, ...]


class StopRow(Row, frozen=True):
    """How to halt an identity of the release altogether, in an emergency."""

    identity: str
    where: str
    commands: tuple[str, ...]
    undo: tuple[str, ...]


class Gate(Row, frozen=True):
    """Whether the release passes. `exit_code` is that of the command; `reasons` say why."""

    verdict: Literal["pass", "fail", "unknown"]
    exit_code: int
    fail_on: str
    fail_on_incomplete: bool
    reasons: tuple[str, ...]
    policy: str = ""
    rules: tuple[RuleRow, ...] = ()


class GrantRow(Row, frozen=True):
    """One grant within a radius; fields as in `ChangeRow`."""

    identity: str
    resource: str
    resource_kind: str
    resource_name: str
    scope: str
    provider: str
    capability: str
    actions: tuple[str, ...]
    verdict: str
    depends_on: tuple[str, ...]
    sensitivity: str
    sensitive_because: str
    strength: str
    pattern: bool
    within: tuple[str, ...]
    witness: tuple[Hop, ...]
    findings: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


class IdentityRow(Row, frozen=True):
    """One identity that is reached, and how. `start` for those the manifest names; `name` is what
    its provider calls it."""

    id: str
    kind: str
    scope: str
    provider: str
    start: bool
    verdict: str
    strength: str
    hops: int
    witness: tuple[Hop, ...]
    name: str = ""
    tools: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The principal that it is, or is made of: what has become of one is no other one."""
        return base_of(self.id)


class AdminRow(Row, frozen=True):
    """One scope that can be taken over."""

    scope: str
    provider: str
    identity: str
    verdict: str
    strength: str
    depends_on: tuple[str, ...]
    witness: tuple[Hop, ...]
    tools: tuple[str, ...] = ()


class SummedUpRow(Row, frozen=True):
    """What lies in a scope that can be taken over: how many resources it has, how many of them are
    sensitive (these are told one by one), how many identities there are reached, and how many
    grants by pattern are held on things in it. `side` is old or new in a comparison."""

    scope: str
    provider: str
    resources: int
    sensitive: int
    identities: int
    patterns: int
    side: Literal["", "old", "new"] = ""


class CredentialRow(Row, frozen=True):
    """One credential that opens a reached identity, or is itself reached. Ages in days."""

    id: str
    kind: str
    principal: str
    scope: str
    status: str
    created: str
    last_used: str
    expires: str
    age_days: int | None
    unused_days: int | None


class ScopeRow(Row, frozen=True):
    """What an account (project, cluster…) that the report mentions is called."""

    id: str
    provider: str
    kind: str
    name: str = ""


class StatementRow(Row, frozen=True):
    """One statement that determines a decision; `text` is its JSON, `layer` where it stands."""

    effect: str
    layer: str
    policy: str
    target: str
    sid: str
    text: str


class ThroughRow(Row, frozen=True):
    """Somebody whom a principal can become, in so many hops, and who may do what it was asked for;
    or a scope that it can take over, in which the resource lies. `verdict` is that of the whole
    way."""

    kind: Literal["identity", "scope"]
    id: str
    verdict: str
    hops: int


class DecisionRow(Row, frozen=True):
    """The answer to "may this principal do that?", for `can`: as `policy.decision.Decision`.
    `through` says who may, where it may not itself and can become them."""

    principal: str
    action: str
    resource: str
    verdict: str
    outcome: str
    depends_on: tuple[str, ...] = ()
    allowed_by: tuple[StatementRow, ...] = ()
    denied_by: tuple[StatementRow, ...] = ()
    blocked_by: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    through: tuple[ThroughRow, ...] = ()


class DeterminingRow(StatementRow, frozen=True, kw_only=True):
    """A statement that determines an answer, with its number in its policy."""

    index: int


class AnswerReport(DecisionRow, frozen=True, kw_only=True):
    """`modelreach.answer/1`: one question to `can`, its answer, and how it came about in words."""

    schema: Literal["modelreach.answer/1"] = msgspec.field(name="schema")
    determining: tuple[DeterminingRow, ...]
    explanation: tuple[str, ...]


class RadiusReport(Row, frozen=True):
    """`modelreach.radius/2`: everything that one release, or one principal, reaches. `no_better`
    are grants that are not listed, as better ones on the same things are."""

    schema: Literal["modelreach.radius/2"] = msgspec.field(name="schema")
    release: ReleaseRow
    identities: tuple[IdentityRow, ...]
    grants: tuple[GrantRow, ...]
    admin_of: tuple[AdminRow, ...]
    credentials: tuple[CredentialRow, ...]
    findings: tuple[FindingRow, ...]
    gaps: tuple[GapRow, ...]
    figures: Figures
    gate: Gate
    scopes: tuple[ScopeRow, ...] = ()
    unused_waivers: tuple[str, ...] = ()
    tools: tuple[ToolRow, ...] = ()
    summed_up: tuple[SummedUpRow, ...] = ()
    matrix: tuple[MatrixCell, ...] = ()
    no_better: int = 0


class DiffReport(Row, frozen=True):
    """`modelreach.diff/2`: the difference of two releases' reach."""

    schema: Literal["modelreach.diff/2"] = msgspec.field(name="schema")
    old: ReleaseRow
    new: ReleaseRow
    summary: Summary
    changes: tuple[ChangeRow, ...]
    findings: tuple[FindingRow, ...]
    gaps: tuple[GapRow, ...]
    identities_old: tuple[IdentityRow, ...]
    identities_new: tuple[IdentityRow, ...]
    admin_of_old: tuple[AdminRow, ...]
    admin_of_new: tuple[AdminRow, ...]
    credentials: tuple[CredentialRow, ...]
    gate: Gate
    scopes: tuple[ScopeRow, ...] = ()
    security_change: SecurityChange | None = None
    demands: tuple[DemandRow, ...] = ()
    evidence: tuple[EvidenceRow, ...] = ()
    unused_waivers: tuple[str, ...] = ()
    tools: tuple[ToolRow, ...] = ()
    summed_up: tuple[SummedUpRow, ...] = ()


Report = DiffReport | RadiusReport


class NameRow(Row, frozen=True):
    """What an identity is called that something mentions by its id only."""

    id: str
    kind: str
    name: str
    scope: str
    provider: str


class Rollback(Row, frozen=True):
    """How to go back, as the manifest declares it; empty is not declared."""

    to: str
    tested: str
    max_minutes: str
    criteria: tuple[str, ...]


class Ticket(Row, frozen=True):
    """`modelreach.ticket/2`: what a change board needs, whole: what changes, what it reaches, who
    has to do what, and how to undo it.

    `reached` are the changes of reach that matter: more access, the sensitive ones first; `others`
    counts the rest. `check` is the command that shows whether a revocation took hold.
    `identities` names all that either release reaches.
    """

    schema: Literal["modelreach.ticket/2"] = msgspec.field(name="schema")
    id: str
    made_at: str
    old: ReleaseRow
    new: ReleaseRow
    contact: str
    sponsor: str
    gate: Gate
    security_change: SecurityChange
    summary: Summary
    reached: tuple[ChangeRow, ...]
    others: int
    findings: tuple[FindingRow, ...]
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


# --- order ---------------------------------------------------------------------------------


def change_order(row: ChangeRow) -> tuple[object, ...]:
    """Sort key of the changes of a comparison: first what it is, then who has it and how."""
    return row.resource, row.capability, row.kind, row.actions, row.identity, *_last(row)


def grant_order(row: GrantRow) -> tuple[object, ...]:
    """Sort key of the grants of a radius: first who has it, then what it is and how."""
    return row.identity, row.resource, row.capability, row.actions, *_last(row)


def trigger_order(row: TriggerRow) -> tuple[object, ...]:
    """Sort key of the triggers of one id."""
    return row.subject, row.old, row.new, _Whole(row)


def ticket_order(row: ChangeRow) -> tuple[object, ...]:
    """Sort key of what a ticket shows: the sensitive first, and what is near."""
    return _WEIGHT.get(row.sensitivity, 9), len(row.witness), *change_order(row)


#: So many findings nobody reads one by one. What of them is about a whole scope comes first then:
#: it says of all that is in the scope what the others say of parts.
MANY_FINDINGS = 20

_STATES = ("new", "unchanged", "gone")


def ranked_findings(report: Report) -> tuple[FindingRow, ...]:
    """Give the findings, new before old before gone, the worst first; where there are many, of
    those that are as bad the ones about whole scopes."""
    many = len(report.findings) > MANY_FINDINGS
    scopes = {row.scope for row in _admin_rows(report)} if many else frozenset[str]()

    def place(row: FindingRow) -> tuple[object, ...]:
        severity = -RANK[Severity(row.severity)]
        name = len(row.id), row.id
        return _STATES.index(row.state), severity, row.subject not in scopes, *name

    return tuple(sorted(report.findings, key=place))


def _admin_rows(report: Report) -> tuple[AdminRow, ...]:
    """Give the scopes that can be taken over, on either side."""
    if isinstance(report, RadiusReport):
        return report.admin_of
    return (*report.admin_of_new, *report.admin_of_old)


_WEIGHT = {"high": 0, "medium": 1, "low": 2, "none": 3}


def _last(row: ChangeRow | GrantRow) -> tuple[object, ...]:
    return (
        row.verdict,
        row.depends_on,
        row.within,
        row.resource_kind,
        row.pattern,
        len(row.witness),
        _Whole(row),
    )


class _Whole:
    """All of a row, at which only those are looked that have all else alike: so no order is left
    to how a report was made or read."""

    __slots__ = ("_row",)

    def __init__(self, row: Row) -> None:
        self._row = row

    def __lt__(self, other: _Whole) -> bool:
        # As text: a name may hold what no encoding takes.
        return repr(self._row) < repr(other._row)
