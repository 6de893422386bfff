"""One release in one estate: its radius, its findings, and what could not be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from modelreach import deployment as manifest
from modelreach.deployment import Deployment, Identity
from modelreach.judge.finding import Case, Finding
from modelreach.judge.policy import JudgePolicy
from modelreach.judge.rules import judge
from modelreach.model import InputError
from modelreach.pipeline.answering import Answers
from modelreach.pipeline.tools import name_of, resolved, tools_of, wired
from modelreach.policy import providers
from modelreach.policy.brief import forgetting
from modelreach.policy.engine import Engine, Presence
from modelreach.policy.lots import Lot, places
from modelreach.policy.provider import Context, Opens
from modelreach.policy.undecided import undecided
from modelreach.reach import BlastRadius, reach
from modelreach.snapshot import Facts, Gap, Snapshot, facts_of
from modelreach.toolbox import Toolbox

if TYPE_CHECKING:
    from modelreach.pipeline.survey import Started


class Release(msgspec.Struct, frozen=True):
    """One release and the estate that it is evaluated in, with names and digests of the files.

    `raw` are the manifest's bytes ("" for a bare principal), for line numbers in messages. Of the
    identities that `were_there` in an earlier audit it is told, where they are not any more; of
    others that is an error.
    """

    deployment: Deployment
    snapshot: Snapshot
    manifest_name: str = ""
    manifest_digest: str = ""
    snapshot_name: str = ""
    snapshot_digest: str = ""
    raw: bytes = b""
    were_there: frozenset[str] = frozenset()


class Side(msgspec.Struct, frozen=True):
    """An evaluated release."""

    release: Release
    case: Case
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    toolbox: Toolbox

    @property
    def radius(self) -> BlastRadius:
        """What it reaches."""
        return self.case.radius


class Estates:
    """Engines for snapshots, built once for each snapshot and declared context.

    With `keeping`, engines of a snapshot in a store say again what they said in an earlier run,
    where it holds. Without it all is worked out from the facts.
    """

    def __init__(self, *, keeping: bool = False) -> None:
        self._keeping = keeping
        self._facts: dict[int, Facts] = {}
        self._engines: dict[tuple[int, Context, Opens], dict[str, Engine]] = {}
        self._answers: list[Answers] = []

    def of(
        self, snapshot: Snapshot, context: Context = (), opens: Opens = ()
    ) -> tuple[Facts, dict[str, Engine]]:
        """Give the facts by id and the engine of each provider in the snapshot."""
        if id(snapshot) not in self._facts:
            self._facts[id(snapshot)] = facts_of(snapshot)
        facts = self._facts[id(snapshot)]
        key = (id(snapshot), context, opens)
        if key not in self._engines:
            self._engines[key] = self._made(facts, context, opens)
        return facts, self._engines[key]

    def _made(self, facts: Facts, context: Context, opens: Opens) -> dict[str, Engine]:
        if not self._keeping or not facts.keeps:
            return providers.engines(facts, context, opens)
        answers = Answers(facts, providers.makers(facts, context, opens), repr((context, opens)))
        self._answers.append(answers)
        return answers.engines()

    def keep(self) -> None:
        """Have kept what engines said since."""
        for answers in self._answers:
            answers.keep()


def identities_of(deployment: Deployment) -> frozenset[str]:
    """Give as whom a manifest says that the release runs."""
    return frozenset(identity.principal for identity in deployment.spec.identities)


def declared_context(deployment: Deployment) -> Context:
    """Give what the deployment fixes of every request: what its identities declare alike.

    A key on which two identities differ stays open, since either may be the one that asks.
    """
    declared = [identity.context or {} for identity in deployment.spec.identities]
    shared = {
        key: value
        for key, value in declared[0].items()
        if all(other.get(key) == value for other in declared)
    }
    return tuple(
        (key, (value,) if isinstance(value, str) else value)
        for key, value in sorted(shared.items())
    )


def evaluate(
    release: Release, policy: JudgePolicy, estates: Estates, *, whole: bool = False
) -> Side:
    """Follow, then judge. Raises `InputError` when an identity of the manifest should be in the
    snapshot and is not. `whole`: say of everybody who is reached all that it holds."""
    facts, built = estates.of(release.snapshot, declared_context(release.deployment), policy.opens)
    starts, unresolved, gone = _starts(release, facts, built)
    let_go = partial(_let_go, facts, built)
    radius = reach(
        starts,
        built,
        wired=wired(release.deployment, built),
        unresolved=tuple(gap.subject for gap in unresolved),
        tools=tools_of(release.deployment, facts, built),
        whole=whole,
        let_go=let_go,
    )
    unresolved.extend(_opened_unread(radius, facts))
    unresolved.extend(_aimed_unread(radius, built))
    case = Case(release.deployment, radius, facts, built, policy, tuple(gone))
    if radius.graph.wide:
        _weigh(case, let_go)
    findings = judge(case)
    estates.keep()
    if radius.graph.wide:
        let_go()
    gaps = (*release.snapshot.gaps, *unresolved, *undecided(facts))
    return Side(release, case, findings, gaps, Toolbox(radius))


def _let_go(facts: Facts, built: Mapping[str, Engine]) -> None:
    """Let go of what was read of scopes to decide; it is read again when it is asked for."""
    for engine in built.values():
        forgetting(engine)
    facts.let_go()


def _weigh(case: Case, let_go: Callable[[], None]) -> None:
    """Have told what is said of each thing that is held, and how sensitive it is: of one scope
    after the other, so that not all has to be read at a time."""
    scopes = [identity.principal.scope for identity in case.radius.identities.values()]
    place, told = "", dict[Lot, int]()
    for piece in case.radius.accesses.pieces:
        scope = scopes[piece.place[0]]
        if scope != place:
            let_go()
        place = scope
        case.weighing.high(piece)
        for number in places(piece.mask & ~told.get(piece.lot, 0)):
            piece.lot.thing(number)
        told[piece.lot] = told.get(piece.lot, 0) | piece.mask


def started(release: Release, policy: JudgePolicy, estates: Estates) -> Started:
    """Give where a release starts from, for a survey. Raises `InputError` as `evaluate` does."""
    from modelreach.pipeline.decided import step_of
    from modelreach.pipeline.survey import Started

    facts, built = estates.of(release.snapshot, declared_context(release.deployment), policy.opens)
    starts, unresolved, _ = _starts(release, facts, built)
    return Started(
        release.deployment,
        tuple(sorted(set(starts))),
        tuple((pivot.source, step_of(pivot)) for pivot in wired(release.deployment, built)),
        tuple(sorted(gap.subject for gap in unresolved)),
    )


def _opened_unread(radius: BlastRadius, facts: Facts) -> Iterator[Gap]:
    """Identities that a reached secret is said to open, and that no snapshot tells of.

    A stored key of a third party is told of: what it opens lies outside.
    """
    graph = radius.graph
    unknown = graph.paths.keys() - radius.identities.keys() - radius.takeovers.keys()
    unknown -= {name for name in unknown if name in facts.resources}
    opened = {name for name in unknown if graph.paths[name].pivots[-1].kind == "credential"}
    if unknown - opened:
        opened |= {p.target for p in graph.pivots if p.kind == "credential"} & unknown
    for target in sorted(opened):
        yield _unresolved("aws" if target.startswith("arn:") else "", target)


def _aimed_unread(radius: BlastRadius, built: dict[str, Engine]) -> Iterator[Gap]:
    """Identities elsewhere that something reached says it is, in places that were not read."""
    told: set[str] = set()
    for name, identity in sorted(radius.identities.items()):
        for token in built[identity.principal.provider].tokens(name):
            engine = built.get(token.to)
            unread = engine is None or engine.presence(token.aims) is Presence.UNREAD
            if token.aims and unread and token.aims not in told:
                told.add(token.aims)
                yield Gap(
                    provider=token.to,
                    scope="",
                    kind="identity",
                    reason="not-collected",
                    subject=token.aims,
                    message=f"{name} says that it is this, and whether it is let in was not read",
                )


def _starts(
    release: Release, facts: Facts, built: dict[str, Engine]
) -> tuple[list[str], list[Gap], list[str]]:
    """Give where reach starts, what was not read of it, and who is not there any more."""
    starts: list[str] = []
    unresolved: list[Gap] = []
    gone: list[str] = []
    for position, identity in enumerate(release.deployment.spec.identities):
        engine = built.get(identity.cloud)
        found = resolved(identity, engine)
        starts.extend(found)
        if found:
            continue
        if engine is not None and _runs_as_nobody(identity, engine):
            continue
        if engine is not None and not _unread(identity, facts):
            if identity.principal not in release.were_there:
                raise _missing(release, position)
            if engine.presence(name_of(identity)) is Presence.ABSENT:
                gone.append(identity.principal)
                continue
        unresolved.append(_unresolved(identity.cloud, identity.principal))
    return starts, unresolved, gone


def _runs_as_nobody(identity: Identity, engine: Engine) -> bool:
    """Is it a runtime that runs as an account of the provider, which holds nothing here?"""
    runtime = engine.runtime(name_of(identity))
    return runtime is not None and bool(runtime.attributes.get(RUNS_AS))


#: The attribute of a runtime that runs as an account that its provider keeps to itself.
RUNS_AS: Final = "runs_as"
#: Kinds of scopes that people collect.
_PLACES: Final = frozenset({"account", "subscription", "project", "cluster"})
#: Kinds of scopes whose principals carry no trace of it in their ids.
_WHOLE: Final = frozenset({"tenant", "organization"})


def _unread(identity: Identity, facts: Facts) -> bool:
    """Is the principal missing because what would tell of it was refused?"""
    name = identity.principal.lower()
    return any(
        gap.provider == identity.cloud and _may_be_of(gap, name, facts)
        for gap in facts.snapshot.gaps
    )


def _may_be_of(gap: Gap, name: str, facts: Facts) -> bool:
    """May what a gap hides be this principal, or the runtime that is meant by it?"""
    scope = facts.scopes.get(gap.scope)
    if gap.kind in ("principals", "agents"):
        whole = scope is not None and scope.kind in _WHOLE
        return whole or not gap.scope or gap.scope.lower() in name
    if gap.kind == "subscription":
        return gap.subject.lower() in name
    runs = gap.kind == "resources" or gap.kind.startswith("runtimes:")
    return runs and gap.scope.lower() in name


def _unresolved(cloud: str, principal: str) -> Gap:
    return Gap(
        provider=cloud,
        scope="",
        kind="identity",
        reason="not-collected",
        subject=principal,
        message=f"the snapshot holds nothing of {cloud} that tells of this identity",
    )


def _missing(release: Release, position: int) -> InputError:
    from modelreach.pipeline.misspelt import is_blank, meant, some

    principal = release.deployment.spec.identities[position].principal
    place = release.manifest_name
    if release.raw:
        place += f":{manifest.line_of_identity(release.raw, position)}"
    held = some(f"{s.kind} {s.id}" for s in release.snapshot.scopes if s.kind in _PLACES)
    where = release.snapshot_name or "the snapshot"
    near = meant(principal, release.snapshot.principals)
    mend = "fill in what is `unknown` in it" if is_blank(principal) else "correct its name"
    return InputError(
        f"identity `{principal}` is not in {where}",
        place=place or "--principal",
        hint=(f"did you mean `{near}`? " if near else "")
        + f"{where} holds {held or 'no account'}; "
        f"collect the place that the identity lives in, or {mend}",
    )
