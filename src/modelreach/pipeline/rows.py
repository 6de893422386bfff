"""The engine's values, turned into the rows of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from modelreach import standards
from modelreach.accesses import together
from modelreach.deployment import lines_of_identities
from modelreach.digests import sha256
from modelreach.graph import Tool
from modelreach.judge.finding import Case, Finding, State, day
from modelreach.judge.sensitivity import Rated
from modelreach.model import Sensitivity, base_of
from modelreach.pipeline.evaluate import Release, Side
from modelreach.pipeline.witnesses import Witnesses
from modelreach.policy.engine import Grant
from modelreach.policy.expr import conjuncts, each_of
from modelreach.policy.lots import places
from modelreach.reach import Access, Identity, Takeover, verdict_of
from modelreach.report import (
    AdminRow,
    CredentialRow,
    Figures,
    FindingRow,
    GapRow,
    GrantRow,
    Hop,
    IdentityRow,
    ReleaseRow,
    ScopeRow,
)
from modelreach.snapshot import Gap
from modelreach.toolbox import Toolbox


def release_row(release: Release) -> ReleaseRow:
    """Give who was evaluated, and where."""
    deployment = release.deployment
    return ReleaseRow(
        name=deployment.metadata.name,
        version=deployment.metadata.version,
        model=deployment.spec.model.id,
        environment=deployment.metadata.environment or "",
        owner=deployment.owner,
        manifest=release.manifest_name,
        manifest_digest=release.manifest_digest,
        snapshot=release.snapshot_name,
        snapshot_digest=release.snapshot_digest,
        taken_at=release.snapshot.taken_at,
        identities=tuple(identity.principal for identity in deployment.spec.identities),
        lines=lines_of_identities(release.raw) if release.raw else (),
    )


# --- rows ----------------------------------------------------------------------------------

#: Ids of findings by what they are about: see `numbers_by_subject`.
Numbers = Mapping[tuple[str, str], str]


def ids(tools: Iterable[Tool]) -> tuple[str, ...]:
    """Give the ids of tools."""
    return tuple(tool.id for tool in tools)


def grant_row(
    access: Access,
    rated: Rated,
    findings: Numbers,
    toolbox: Toolbox,
    witnesses: Witnesses,
) -> GrantRow:
    """Give an access as a row of a radius."""
    grant = access.grant
    number = findings.get(about(grant))
    return GrantRow(
        identity=grant.principal,
        resource=grant.resource,
        resource_kind=grant.kind,
        resource_name=grant.name,
        scope=grant.scope,
        provider=grant.provider,
        capability=str(grant.capability),
        actions=grant.actions,
        verdict=str(access.verdict),
        depends_on=conjuncts(access.residual),
        sensitivity=str(rated.level),
        sensitive_because=rated.why,
        strength=str(access.strength),
        pattern=grant.pattern,
        within=grant.within,
        witness=_witness(access, toolbox.first(access.path, grant), witnesses),
        findings=(number,) if number else (),
        tools=ids(toolbox.by(access.path, grant)),
    )


def _witness(access: Access, tool: Tool | None, witnesses: Witnesses) -> tuple[Hop, ...]:
    """The way to an access; where a scope is taken over for it, that is its end."""
    pivots = access.path.pivots
    if pivots and pivots[-1].kind == "administer":
        return witnesses.of_path(access.path, tool)
    return witnesses.of_access(access, (), tool)


def identity_rows(side: Side, witnesses: Witnesses) -> tuple[IdentityRow, ...]:
    """Give every identity reached, starts first, then by distance."""
    identities = sorted(
        side.radius.identities.values(), key=lambda i: (len(i.path.pivots), i.principal.id)
    )
    return tuple(_identity_row(identity, side.toolbox, witnesses) for identity in identities)


def _identity_row(identity: Identity, toolbox: Toolbox, witnesses: Witnesses) -> IdentityRow:
    return IdentityRow(
        id=identity.principal.id,
        kind=identity.principal.kind,
        scope=identity.principal.scope,
        provider=identity.principal.provider,
        start=identity.start,
        verdict=str(verdict_of(identity.path)),
        strength=str(identity.path.strength),
        hops=len(identity.path.pivots),
        name=identity.principal.name,
        witness=witnesses.of_path(identity.path, toolbox.first(identity.path)),
        tools=ids(toolbox.by(identity.path)),
    )


def admin_rows(side: Side, witnesses: Witnesses) -> tuple[AdminRow, ...]:
    """Give every scope that can be taken over."""
    takeovers = sorted(side.radius.takeovers.items())
    return tuple(_admin_row(takeover, side.toolbox, witnesses) for _, takeover in takeovers)


def _admin_row(takeover: Takeover, toolbox: Toolbox, witnesses: Witnesses) -> AdminRow:
    pivots = takeover.path.pivots
    return AdminRow(
        scope=takeover.scope,
        provider=takeover.provider,
        identity=pivots[-1].source,
        verdict=str(verdict_of(takeover.path)),
        strength=str(takeover.path.strength),
        depends_on=conjuncts(each_of(pivot.residual for pivot in pivots)),
        witness=witnesses.of_path(takeover.path, toolbox.first(takeover.path)),
        tools=ids(toolbox.by(takeover.path)),
    )


def credential_rows(*cases: Case) -> tuple[CredentialRow, ...]:
    """Give the credentials of every identity reached, once each."""
    rows: dict[str, CredentialRow] = {}
    for case in cases:
        for name in case.radius.identities:
            for key in case.facts.credentials.get(name, ()):
                created, used = day(key.created), day(key.last_used)
                rows[key.id] = CredentialRow(
                    id=key.id,
                    kind=key.kind,
                    principal=key.principal,
                    scope=key.scope,
                    status=key.status,
                    created=key.created,
                    last_used=key.last_used,
                    expires=key.expires,
                    age_days=(case.today - created).days if case.today and created else None,
                    unused_days=(case.today - used).days if case.today and used else None,
                )
    return tuple(row for _, row in sorted(rows.items()))


def finding_rows(
    findings: Iterable[Finding],
    witnesses: Witnesses,
    toolbox: Toolbox,
    gone: Toolbox | None = None,
) -> tuple[FindingRow, ...]:
    """Give findings, numbered in their order. `gone` are the tools of the older side, of which the
    findings are that are gone."""
    return tuple(
        _finding_row(
            f, f"F{n:02d}", witnesses, gone if gone and f.state is State.GONE else toolbox
        )
        for n, f in enumerate(findings, start=1)
    )


def _finding_row(
    finding: Finding, number: str, witnesses: Witnesses, toolbox: Toolbox
) -> FindingRow:
    witness: tuple[Hop, ...] = ()
    tools: tuple[Tool, ...] = ()
    fresh = finding.state is not State.UNCHANGED
    if finding.access is not None:
        path, grant = finding.access.path, finding.access.grant
        witness = witnesses.of_access(finding.access, (), toolbox.first(path, grant, new=fresh))
        tools = toolbox.by(path, grant, new=fresh)
    elif finding.path is not None:
        witness = witnesses.of_path(finding.path, toolbox.first(finding.path, new=fresh))
        tools = toolbox.by(finding.path, new=fresh)
    return FindingRow(
        id=number,
        fingerprint=fingerprint(finding),
        rule=finding.rule,
        title=finding.title,
        severity=finding.severity.value,
        state=finding.state.value,
        subject=finding.subject,
        subject_kind=finding.subject_kind,
        identity=finding.identity,
        message=finding.message,
        evidence=finding.evidence,
        witness=witness,
        fix=finding.fix,
        standards=standards.keys_of(finding.rule),
        tools=ids(tools),
    )


def numbers_by_subject(findings: Sequence[FindingRow]) -> dict[tuple[str, str], str]:
    """Give the id of the worst finding on each thing, without those that are gone; with its kind
    and without, as a pattern means another thing of each kind."""
    standing = [row for row in reversed(findings) if row.state != "gone"]
    with_kind = {(row.subject, row.subject_kind): row.id for row in standing}
    return {(row.subject, ""): row.id for row in standing} | with_kind


def about(grant: Grant) -> tuple[str, str]:
    """Give what a finding is about that is about what is granted: see `numbers_by_subject`."""
    return grant.resource, grant.kind if grant.pattern else ""


def fingerprint(finding: Finding) -> str:
    """Give the stable name of a finding: rule, identity, subject, and what grants it."""
    parts = [finding.rule, finding.identity, finding.key]
    parts += sorted(ref.text for ref in finding.granted_by)
    return "mr1:" + sha256("\0".join(parts).encode()).hexdigest()[:16]


_LEAVES = {
    "resource-policy": "who else may use it, and what it denies",
    "trust": "who may assume it",
    "boundary": "what its permissions boundary takes away",
    "identity-policy": "what it may do",
    "scp": "what service control policies take away; allows are an upper bound",
    "rcp": "what resource control policies take away; allows are an upper bound",
    "principals": "which identities there are and what they may do",
    "credentials": "which keys there are and how old they are",
    "tags": "whether its tags mark it as sensitive",
    "last-used": "whether it is used",
    "usage": "what is used",
    "identity": "everything that this identity reaches",
    "cluster-entry": "which identities of AWS its config map lets in",
    "cluster-identity": "which identities of a cloud may enter the cluster",
    "url": "whether anybody may call it by its URL",
    "details": "how it is configured",
    "regions": "which regions are in use",
    "organization": "which organisation the account is in, and its policies",
    "bindings": "who holds which role there",
    "roles": "what a role that somebody holds allows",
    "deny": "what is denied there; allows are an upper bound",
    "locks": "what locks forbid there; allows are an upper bound",
    "eligible": "who may activate a role",
    "groups": "who is in a group that holds something",
    "owners": "who may add credentials or members to it",
    "directory-roles": "who holds roles over the directory",
    "app-roles": "who holds application permissions",
    "applications": "which applications there are, and their credentials",
    "agents": "which agents have identities, and made from which blueprint",
    "delegated": "what is delegated to other tenants",
    "delegated-permissions": "what applications may do for their users",
    "hierarchy": "what is inherited from above",
    "access-policy": "what access policies allow and deny there",
    "network-policy": "from where it is reached",
    "constraint": "which ways to become more the organization policy closes",
    "subscription": "everything in this subscription",
    "resources": "which resources there are and who may use them",
    "provider": "everything of it: take a version that knows this provider, or judge by hand",
}


def leaves_unknown(gap: Gap) -> str:
    """Say what a gap leaves unknown."""
    if gap.kind in _LEAVES:
        return _LEAVES[gap.kind]
    return f"which things of kind {gap.kind} there are and who may use them"


def gap_text(gap: Gap) -> str:
    """Give a gap on one line: what, where, why."""
    what = gap.subject or gap.kind
    where = " ".join(part for part in (gap.scope, gap.region) if part)
    call = f" ({gap.operation})" if gap.operation else ""
    return f"{what} {where}: {gap.reason}{call}".replace("  ", " ")


def gap_rows(old: Iterable[Gap], new: Iterable[Gap] | None = None) -> tuple[GapRow, ...]:
    """Give gaps of one side, or of two with the side that each is on."""
    first = set(old)
    second = set(new) if new is not None else first
    rows = [_gap_row(gap, "both" if gap in second else "old") for gap in first]
    rows += [_gap_row(gap, "new") for gap in second - first]
    return tuple(sorted(rows, key=_gap_order))


def _gap_order(row: GapRow) -> tuple[str, ...]:
    return row.provider, row.scope, row.region, row.kind, row.subject, row.operation, row.side


def _gap_row(gap: Gap, side: str) -> GapRow:
    return GapRow(
        side=side,
        provider=gap.provider,
        scope=gap.scope,
        region=gap.region,
        kind=gap.kind,
        subject=gap.subject,
        operation=gap.operation,
        permission=gap.permission,
        reason=gap.reason,
        message=gap.message,
        leaves_unknown=leaves_unknown(gap),
    )


def scope_rows(*sides: Side) -> tuple[ScopeRow, ...]:
    """Give the names of all scopes that the sides' estates have."""
    rows = {
        scope.id: ScopeRow(id=scope.id, provider=scope.provider, kind=scope.kind, name=scope.name)
        for side in sides
        for scope in side.release.snapshot.scopes
    }
    return tuple(row for _, row in sorted(rows.items()))


def figures(side: Side) -> Figures:
    """Give one side's reach in numbers."""
    radius = side.radius
    weighing = side.case.weighing
    resources, sensitive = set[str](), set[str]()
    scopes = {identity.principal.scope for identity in radius.identities.values()}
    for part in together(radius.accesses.pieces):
        resources.update(part.ids)
        high = weighing.rated(part.grant, part.lot, part.mask, (Sensitivity.HIGH,))
        sensitive.update(part.lot.of(high))
        scopes.update(part.lot.thing(place).scope for place in places(part.mask))
    paths = [identity.path for identity in radius.identities.values()]
    paths += [takeover.path for takeover in radius.takeovers.values()]
    return Figures(
        resources=len(resources),
        sensitive=len(sensitive),
        identities=len(set(map(base_of, radius.identities))),
        scopes=len(scopes),
        longest_chain=max((len(path.pivots) for path in paths), default=0),
        patterns=len(radius.patterns) + sum(one.patterns for one in radius.outdone.values()),
        administers=len(radius.takeovers),
        credentials=len(credential_rows(side.case)),
    )
