"""Many releases in one estate: each principal is decided once, for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from msgspec.structs import replace

from modelreach import deployment as manifest
from modelreach.deployment import Deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.closure import Closure
from modelreach.pipeline.decided import Decided, Decider, Steps
from modelreach.pipeline.evaluate import Estates, Release, declared_context, started
from modelreach.pipeline.frontier import Frontier, Pool, Progress, Work
from modelreach.pipeline.kept import Counts, KeptDecisions
from modelreach.pipeline.kept_rows import KeptRows
from modelreach.pipeline.parts import Parts
from modelreach.pipeline.survey import Started, SurveyRow, survey
from modelreach.pipeline.tools import named
from modelreach.policy.provider import Context
from modelreach.snapshot import Facts, Snapshot, facts_of

#: A manifest (None: it is read from its bytes when that is needed), the name of its file, and its
#: bytes.
Named = tuple[Deployment | None, str, bytes]


#: So many parts are looked at here rather than by workers.
_FEW = 32


class Many:
    """Surveys releases of one snapshot. `digest` is the snapshot's, for the record."""

    def __init__(self, snapshot: Snapshot, digest: str, policy: JudgePolicy) -> None:
        self._snapshot, self._digest, self._policy = snapshot, digest, policy
        self._estates = Estates()
        self._found: dict[Context, KeptDecisions] = {}
        self._taken = 0

    def survey(
        self,
        releases: Iterable[Named],
        progress: Callable[[int], None],
        pool: Pool | None = None,
        deciding: Progress = lambda _done, _of: None,
    ) -> list[SurveyRow]:
        """Give the row of each release, in order. Raises `InputError` when an identity of a
        manifest should be in the snapshot and is not. With a pool, principals are decided there;
        `deciding` is told how many are decided, of how many who are known to be reached.
        """
        given = list(releases)
        found = [self._kept.of(raw) for _, _, raw in given]
        missing = [one for one, row in zip(given, found, strict=True) if row is None]
        self._taken += len(given) - len(missing)
        made = iter(self._survey(missing, progress, pool, deciding))
        return [
            next(made) if row is None else replace(row, snapshot=self._digest) for row in found
        ]

    def _survey(
        self,
        releases: list[Named],
        progress: Callable[[int], None],
        pool: Pool | None,
        deciding: Progress,
    ) -> list[SurveyRow]:
        read = [
            (deployment or manifest.decode(raw, place=name), name, raw)
            for deployment, name, raw in releases
        ]
        if self._stored is not None:
            # Of most accounts nothing else is asked before its principals are decided.
            self._stored.cherish(name for one, _, _ in read for name in named(one))
        starts = [self._start(*one) for one in read]
        contexts = [declared_context(start.deployment) for start in starts]
        for context in dict.fromkeys(contexts):
            of_context = [s for s, c in zip(starts, contexts, strict=True) if c == context]
            self._ahead(context, of_context, pool, deciding)
        rows: list[SurveyRow] = []
        closures: dict[Context, Closure] = {}
        for (_, _, raw), start, context in zip(releases, starts, contexts, strict=True):
            if context not in closures:
                closures[context] = Closure(self._find(context))
            rows.extend(survey([start], closures[context], self._digest))
            self._kept.learn(raw, rows[-1])
            progress(self._taken + len(rows))
        for found in self._found.values():
            found.keep()
        self._kept.keep()
        return rows

    @property
    def counts(self) -> Counts:
        """How many rows and principals were taken from before, and how many were decided."""
        each = [found.counts for found in self._found.values()]
        taken, decided = sum(c.taken for c in each), sum(c.decided for c in each)
        return Counts(taken, decided, self._taken)

    @cached_property
    def _kept(self) -> KeptRows:
        return KeptRows(self._stored, repr(self._policy.opens))

    @property
    def _stored(self) -> Facts | None:
        # Of a snapshot in memory nothing is kept, and arranging its facts takes a while.
        own = getattr(self._snapshot, "facts", None)
        return own if isinstance(own, Facts) else None

    def _start(self, deployment: Deployment, name: str, raw: bytes) -> Started:
        release = Release(
            deployment, self._snapshot, manifest_name=name, raw=raw, snapshot_digest=self._digest
        )
        return started(release, self._policy, self._estates)

    def _ahead(
        self, context: Context, starts: list[Started], pool: Pool | None, deciding: Progress
    ) -> None:
        """Decide all that is reached: elsewhere or here, account by account."""
        first = {name for start in starts for name in start.starts}
        first |= {step.target for start in starts for _, step in start.wired}
        if pool is None:
            self._here(context, first, deciding)
        else:
            self._elsewhere(context, first, pool, deciding)

    def _here(self, context: Context, first: set[str], deciding: Progress) -> None:
        """Most of what is reached from an account lies in it, and what is known of an account
        serves for all in it: so each is gone through to its end before the next."""
        find, kept = self._find(context), self._found[context]
        steps, seen, done = Steps(), set(first), 0
        waiting: dict[str, set[str]] = {}
        _sort_in(first, waiting)
        while waiting:
            for account in sorted(waiting):
                while names := sorted(waiting.pop(account, ())):
                    for name in names:
                        decided = find(name)
                        new = set(steps.new(decided)) - seen if decided is not None else set[str]()
                        seen |= new
                        _sort_in(new, waiting)
                        done += 1
                        deciding(done, len(seen))
                kept.let_go()

    def _elsewhere(
        self, context: Context, first: set[str], pool: Pool, deciding: Progress
    ) -> None:
        self._find(context)
        frontier = Frontier(self._found[context], first, deciding)
        if frontier.left:
            frontier.read_by(self._derived(pool))
            pool.decide(Work(self._digest, context, self._policy.opens), frontier)

    def _derived(self, pool: Pool) -> dict[str, str]:
        """Have derived what every worker needs; say which worker has read which account."""
        parts = Parts(facts_of(self._snapshot))
        if parts.count > _FEW:
            pool.derive(self._digest, parts)
        else:
            parts.derive_here()
        return parts.read_by

    def _find(self, context: Context) -> Callable[[str], Decided | None]:
        """Give what decides principals under what a deployment fixes of every request."""
        if context not in self._found:
            facts, engines = self._estates.of(self._snapshot, context, self._policy.opens)
            decider = Decider(facts, engines)
            told = repr((context, self._policy.opens))
            self._found[context] = KeptDecisions(
                facts, engines, decider.decide, told, decider.let_go
            )
        return self._found[context].find


def _sort_in(names: Iterable[str], waiting: dict[str, set[str]]) -> None:
    """Put names with others of their account, where they say which."""
    for name in names:
        parts = name.split(":", 5)
        waiting.setdefault(parts[4] if len(parts) == 6 else "", set()).add(name)
