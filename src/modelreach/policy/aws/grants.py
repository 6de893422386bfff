"""What one principal may do to listed resources, itself and no further.

Only resources that an allowing statement may touch are looked at: those in range of its patterns
in the principal's own account, and those whose own policy names the principal. For each, actions
that the same statements speak of are decided once, together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from modelreach.model import Capability, Verdict
from modelreach.policy.aws import kinds
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.catalogue import Action
from modelreach.policy.aws.encryption import with_key
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.layers import Layers, Policies
from modelreach.policy.aws.loose import Spoken, loosened
from modelreach.policy.aws.matching import meets, opened
from modelreach.policy.aws.principals import ways
from modelreach.policy.aws.services import asks_the_store, belongs_to_aws, under_rcps
from modelreach.policy.aws.statement import Effect, Patterns, Statement
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Grant
from modelreach.policy.glob import Cell, Region, covers, literal_prefix, match, shared_cells
from modelreach.snapshot import Resource


def one_by_one(asker: Asker, names: Iterable[str] | None = None) -> tuple[Grant, ...]:
    """Give every grant on a listed resource (of these names only), sorted, each resource asked
    about on its own: what `classes` has to come to."""
    meant = candidates(asker) if names is None else names
    found = [
        grant
        for name in sorted(meant)
        for grant in on_resource(asker, asker.estate.facts.resources[name])
    ]
    return tuple(sorted(found, key=order))


def order(grant: Grant) -> tuple[object, ...]:
    """Give the place of a grant among those of a principal."""
    return grant.resource, grant.capability, grant.actions


def candidates(asker: Asker) -> set[str]:
    """Give the listed resources that any allowing statement may touch."""
    estate, account = asker.estate, asker.principal.scope
    found: set[str] = set()
    for policy in asker.layers.identity:
        for statement in policy.document.statements:
            if statement.effect is Effect.ALLOW:
                found.update(_in_range(estate, account, statement))
    for key in estate.keys_of(asker.principal):
        found.update(estate.named.resources.get(key, ()))
    return found


def _in_range(estate: Estate, account: str, statement: Statement) -> Iterator[str]:
    resources = statement.resources
    globs = ("*",) if resources is None or resources.negated else resources.globs
    listed = estate.services_of(account)
    for service in _services(statement.actions, listed):
        for glob in globs:
            prefix = literal_prefix(opened(glob, statement.variables))
            yield from estate.candidates(account, service, prefix)


def _services(actions: Patterns, listed: Iterable[str]) -> tuple[str, ...]:
    if actions.negated:
        return tuple(listed)
    heads = [glob.partition(":")[0] for glob in actions.globs]
    wanted = [*heads, *(other for head in heads for other in kinds.ABOUT_OTHERS.get(head, ()))]
    return tuple(
        service
        for service in listed
        if any(head == service or ("*" in head or "?" in head) for head in wanted)
    )


def on_resource(asker: Asker, resource: Resource) -> Iterator[Grant]:
    """Give the grants on one resource."""
    rows: dict[tuple[object, ...], tuple[Decision, Capability, set[str], tuple[str, ...]]] = {}
    for probe in kinds.probes(resource.id, resource.kind):
        for answer, within, actions in _answers(asker, resource, probe):
            for action, decision in _with_keys(asker, resource, actions, answer):
                statements = decision.allowed_by
                key = (action.capability, decision.verdict, decision.residual, statements, within)
                row = rows.setdefault(key, (decision, action.capability, set(), within))
                row[2].add(action.name)
    for decision, capability, names, within in rows.values():
        yield Grant(
            principal=asker.name,
            resource=resource.id,
            kind=resource.kind,
            name=resource.name,
            scope=resource.scope,
            provider="aws",
            capability=capability,
            actions=tuple(sorted(names)),
            verdict=decision.verdict,
            residual=decision.residual,
            statements=decision.allowed_by,
            within=within,
            region=resource.region,
            assumes=decision.assumes,
        )


def _with_keys(
    asker: Asker, resource: Resource, actions: list[Action], answer: Decision
) -> Iterator[tuple[Action, Decision]]:
    # What a key asks for besides hangs on the service, of all of an action.
    reading: dict[str, Decision] = {}
    for action in actions:
        decision = answer
        if action.capability is Capability.READ:
            if action.service not in reading:
                reading[action.service] = with_key(asker, resource, action, answer)
            decision = reading[action.service]
        if decision.verdict is not Verdict.DENY:
            yield action, decision


Answer = tuple[Decision, tuple[str, ...], list[Action]]


def _answers(asker: Asker, resource: Resource, probe: kinds.Probe) -> Iterator[Answer]:
    """Decide a probe: once for all actions of which the same statements speak."""
    theirs = asker.estate.resource_layers(resource.id, resource.scope)
    # What a policy says that is not understood, nobody knows.
    opaque = any(policy.document.problems for policy in theirs.resource)
    for said, actions in _spoken_of(asker, theirs, probe):
        if not theirs.grants and not opaque and not any(s.effect is Effect.ALLOW for s in said):
            continue
        for decision, within in _by_part(asker, resource, probe, said, actions[0]):
            if decision.verdict is not Verdict.DENY:
                yield decision, within, actions


Said = tuple[Statement, ...]


def _spoken_of(
    asker: Asker, theirs: Layers, probe: kinds.Probe
) -> Iterator[tuple[Said, list[Action]]]:
    """Group the actions of a probe by the statements that speak of them here."""
    actions = probe.actions
    groups: list[tuple[int, Said]] = [((1 << len(actions)) - 1, ())]
    for policy in _all_policies(asker.layers, theirs):
        for statement in policy.document.statements:
            spoken = spoken_of(statement.actions, actions)
            if spoken and _touches(statement, probe):
                groups = [part for group in groups for part in _told(group, spoken, statement)]
    for mask, said in groups:
        yield from ((said, part) for part in _treated(mask, theirs, probe))


def _told(
    group: tuple[int, Said], spoken: int, statement: Statement
) -> Iterator[tuple[int, Said]]:
    mask, said = group
    if mask & spoken:
        yield mask & spoken, (*said, statement)
    if mask & ~spoken:
        yield mask & ~spoken, said


def _treated(mask: int, theirs: Layers, probe: kinds.Probe) -> Iterable[list[Action]]:
    """Give the actions of a mask, those apart that the evaluation treats in a way of their own."""
    actions = [action for place, action in enumerate(probe.actions) if mask >> place & 1]
    if theirs.grants:
        return [[action] for action in actions]
    if not theirs.rcps and not theirs.inner and ":alias/aws/" not in probe.region:
        return [actions] if actions else []
    groups: dict[tuple[bool, ...], list[Action]] = {}
    for action in actions:
        name = action.name.lower()
        own = under_rcps(name), belongs_to_aws(name, probe.region), asks_the_store(name)
        groups.setdefault(own, []).append(action)
    return groups.values()


# By the patterns' id, and by what they say. The patterns and actions are kept with it: so their
# ids stay taken.
_SPOKEN: dict[tuple[int, int], tuple[Patterns, tuple[Action, ...], int]] = {}
_SAID: dict[tuple[str, int], int] = {}
_NAMES: dict[int, tuple[str, ...]] = {}
_MOST = 1_000_000


def spoken_of(patterns: Patterns, actions: tuple[Action, ...]) -> int:
    """Give which of some actions patterns speak of, as bits."""
    key = (id(patterns), id(actions))
    found = _SPOKEN.get(key)
    if found is None:
        if len(_SPOKEN) >= _MOST:
            _SPOKEN.clear()
            _SAID.clear()
            _NAMES.clear()
        found = _SPOKEN[key] = (patterns, actions, _spoken_anew(patterns, actions))
    return found[2]


def _spoken_anew(patterns: Patterns, actions: tuple[Action, ...]) -> int:
    found = 0
    for glob in patterns.globs:
        found |= _meant(glob, actions)
    return found ^ ((1 << len(actions)) - 1) if patterns.negated else found


def _meant(glob: str, actions: tuple[Action, ...]) -> int:
    """Give which of some actions a pattern means, as bits."""
    key = glob, id(actions)
    found = _SAID.get(key)
    if found is None:
        names = _names(actions)
        # A policy speaks of many services: what is of another one is told by its beginning.
        start = literal_prefix(glob)
        found = _SAID[key] = sum(
            1 << place
            for place, name in enumerate(names)
            if name.startswith(start) and match(glob, name)
        )
    return found


def _names(actions: tuple[Action, ...]) -> tuple[str, ...]:
    found = _NAMES.get(id(actions))
    if found is None:
        found = _NAMES[id(actions)] = tuple(action.name.lower() for action in actions)
    return found


def speaks(statement: Statement, probe: kinds.Probe) -> bool:
    """May a statement say anything of what a probe asks about?"""
    return bool(spoken_of(statement.actions, probe.actions)) and _touches(statement, probe)


def _touches(statement: Statement, probe: kinds.Probe) -> bool:
    """May a statement speak of the probe's resources?"""
    if statement.resources is None or statement.resources.negated:
        return True
    touches = match if probe.exact else meets
    return any(touches(glob, probe.region) for glob in _globs(statement))


def _all_policies(mine: Layers, theirs: Layers) -> Policies:
    levels = (*(mine.scps or ()), *(theirs.rcps or ()))
    limits = (policy for level in levels for policy in level)
    return (
        *mine.identity,
        *(mine.boundaries or ()),
        *(mine.session or ()),
        *theirs.resource,
        *theirs.acl,
        *_inner(theirs),
        *limits,
    )


def _inner(theirs: Layers) -> Policies:
    return tuple(policy for inner in theirs.inner for policy in inner.policies)


def _by_part(
    asker: Asker,
    resource: Resource,
    probe: kinds.Probe,
    said: Said,
    action: Action,
) -> Iterator[tuple[Decision, tuple[str, ...]]]:
    """Decide a probe for each part of it that its statements tell apart."""
    if probe.exact:
        yield asker.decide(action.name, probe.region, resource.id, resource.scope), ()
        return
    said = tuple(s for s in said if s.principals is None or _means(s, asker))
    globs = tuple(sorted({g for s in said for g in _globs(s) if meets(g, probe.region)}))
    limits = _limits(asker, resource)
    granting = _allowing(s for s in said if id(s) not in limits)
    limiting = _allowing(s for s in said if id(s) in limits)
    groups = _alike(globs, said)
    parts: dict[tuple[object, ...], tuple[Decision, set[str]]] = {}
    for cell in _cells(groups, probe.region):
        decision = asker.decide(action.name, cell.sample, resource.id, resource.scope)
        here = {glob for place in cell.matching for glob in _in(cell, groups[place])}
        if cell.possibly:
            open_ = frozenset(glob for place in cell.possibly for glob in groups[place])
            spoken = _spoken(asker, resource, said)
            decision = loosened(decision, spoken, open_, probe.region, cell.sample)
        if decision.verdict is Verdict.DENY:
            continue
        key = (decision.verdict, decision.residual, decision.allowed_by)
        parts.setdefault(key, (decision, set()))[1].update(
            _part(here & granting, here & limiting, probe.region)
        )
    for decision, inside in parts.values():
        yield decision, () if probe.region in inside else tuple(sorted(inside))


def _alike(globs: tuple[str, ...], said: Said) -> tuple[tuple[str, ...], ...]:
    """Group globs that stand in the same statements: which of them matches makes no difference to
    the answer. Where a variable is left open, it hangs on the very name."""
    spelled = [frozenset(_globs(statement)) for statement in said]
    if any("${" in glob for s in said if s.resources is not None for glob in s.resources.globs):
        return tuple((glob,) for glob in globs)
    groups: dict[tuple[int, ...], list[str]] = {}
    for glob in globs:
        standing = tuple(place for place, some in enumerate(spelled) if glob in some)
        groups.setdefault(standing, []).append(glob)
    return tuple(map(tuple, groups.values()))


def _in(cell: Cell, group: tuple[str, ...]) -> Iterator[str]:
    """Give the globs of a group that mean something in a cell of which one matches all."""
    if len(group) == 1:
        yield group[0]
        return
    for glob in group:
        if match(glob, cell.sample) or not (cell.region & Region.of((glob,))).is_empty():
            yield glob


def _spoken(asker: Asker, resource: Resource, said: Said) -> Iterator[Spoken]:
    theirs = asker.estate.resource_layers(resource.id, resource.scope)
    wanted = set(map(id, said))
    for policy in _all_policies(asker.layers, theirs):
        for statement in policy.document.statements:
            if id(statement) in wanted:
                yield policy, statement


# Groups of actions of one resource often have the same patterns.
_cells = lru_cache(256)(shared_cells)


def _means(statement: Statement, asker: Asker) -> bool:
    """May a statement with a Principal mean the one who asks?"""
    named = statement.principals
    return named is None or named.negated or bool(ways(named, asker.caller))


def _globs(statement: Statement) -> tuple[str, ...]:
    if statement.resources is None:
        return ()
    return tuple(opened(glob, statement.variables) for glob in statement.resources.globs)


def _allowing(said: Iterable[Statement]) -> set[str]:
    return {
        glob
        for statement in said
        if statement.effect is Effect.ALLOW
        and statement.resources is not None
        and not statement.resources.negated
        for glob in _globs(statement)
    }


def _limits(asker: Asker, resource: Resource) -> set[int]:
    """The statements that only limit: those of boundaries and of organisation policies, unless
    the same document also grants."""
    theirs = asker.estate.resource_layers(resource.id, resource.scope)
    mine = asker.layers
    levels = (
        mine.boundaries or (),
        *(mine.scps or ()),
        *(theirs.rcps or ()),
        _inner(theirs),
    )
    limiting = {id(s) for level in levels for policy in level for s in policy.document.statements}
    if not limiting:
        return limiting
    granting = (*mine.identity, *theirs.resource, *theirs.acl)
    return limiting - {id(s) for policy in granting for s in policy.document.statements}


def _part(granted: set[str], limited: set[str], region: str) -> set[str]:
    """The part of a region that grants single out; where they do not, that limits do."""
    part = _narrow(granted, region)
    return part if part != {region} else _narrow(limited, region)


def _narrow(globs: set[str], region: str) -> set[str]:
    """The parts of a region that patterns single out; the region itself when none does."""
    inner = {glob for glob in globs if not covers(glob, region)}
    return inner if inner and len(inner) == len(globs) else {region}
