"""Two releases, category by category: worse, no worse than the margin allows, or not known.

The question is asked per case. A case that is run several times is broken when any run of it is;
both sides then have the same number of runs, as more runs find more. What has a result on one
side only counts for neither test, but stands at its worst when a release is called no worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from modelreach.evidence.attempts import Evidence, Outcome, Retest
from modelreach.evidence.needed import cases_needed, pairs_needed
from modelreach.evidence.statistics import (
    Pairs,
    fisher,
    holm,
    mcnemar,
    newcombe,
    newcombe_paired,
    wilson,
)

#: Runs of one case in the order in which they were made.
Runs = tuple[Outcome, ...]


class Comparison(StrEnum):
    """What the comparison of one category says."""

    REGRESSION = "regression"
    NON_INFERIOR = "non-inferior"
    NOT_ENOUGH = "not-enough-evidence"


class Unit(StrEnum):
    """What is counted. Attempts at one case are not independent of each other, so that counting
    them one by one makes p-values too small; it is there to follow other tools' figures."""

    CASE = "case"
    ATTEMPT = "attempt"


class Rate(msgspec.Struct, frozen=True):
    """How many of the cases broke, with Wilson's interval. `errors` gave no result."""

    broken: int
    cases: int
    low: float
    high: float
    errors: int = 0

    @property
    def share(self) -> float:
        """The rate itself; 0 when there is no case."""
        return self.broken / self.cases if self.cases else 0.0


class CategoryResult(msgspec.Struct, frozen=True):
    """One category of one tool, before and now.

    `old` and `new` are the rates over what is compared; when `paired`, over the cases that both
    have. `difference` is new minus old, within `low` and `high` (Newcombe). `p_value` is one-sided
    that the new release is no worse: McNemar's exact when paired, else Fisher's exact, which
    `fisher_p` always is; `p_adjusted` is after Holm over all categories. `worst_high` is the upper
    limit when all that has no result goes against the new release. `newly_broken` and `mended` are
    cases of pairs. `missing` were run before and not now, `added` now and not before; `further`
    broke only in runs of the new release to which the old one has no counterpart. When the verdict
    is `NOT_ENOUGH`, `needed` is how many more cases would decide if the rates stay as they are;
    None when none would, or it is not a matter of number. `note` says what surprises.
    """

    tool: str
    category: str
    retest: Retest
    paired: bool
    old: Rate
    new: Rate
    difference: float
    low: float
    high: float
    worst_high: float
    p_value: float
    p_adjusted: float
    fisher_p: float
    verdict: Comparison
    newly_broken: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    missing: int = 0
    added: int = 0
    further: int = 0
    needed: int | None = None
    note: str = ""


def compare_evidence(
    old: Iterable[Evidence],
    new: Iterable[Evidence],
    *,
    margin: float = 0.05,
    alpha: float = 0.05,
    unit: Unit = Unit.CASE,
) -> tuple[CategoryResult, ...]:
    """Compare all reports on the old release with all on the new one, by tool and category.

    `margin` is how much higher the new rate may be (0.05: five of a hundred cases), `alpha` the
    chance, over all categories together, to call an unchanged release a regression. Give only
    what `bind` has bound. A category that only one side has is there, as not enough evidence.
    """
    before, after = _sorted_out(old, unit), _sorted_out(new, unit)
    found = [
        _compared(key, before.get(key, _NOTHING), after.get(key, _NOTHING), 1 - alpha)
        for key in sorted({*before, *after})
    ]
    adjusted = iter(holm([one.p_value for one in found if _both(one)]))
    return tuple(
        _judged(replace(one, p_adjusted=next(adjusted) if _both(one) else 1.0), margin, alpha)
        for one in found
    )


def totals(
    old: Iterable[Evidence],
    new: Iterable[Evidence],
    *,
    margin: float = 0.05,
    alpha: float = 0.05,
    unit: Unit = Unit.CASE,
) -> tuple[CategoryResult, ...]:
    """Compare all categories of a tool as one, named `ALL`; for information, as a tool's
    categories may be of very different weight."""
    before, after = _merged(_sorted_out(old, unit)), _merged(_sorted_out(new, unit))
    return tuple(
        _judged(
            _compared(key, before.get(key, _NOTHING), after.get(key, _NOTHING), 1 - alpha),
            margin,
            alpha,
        )
        for key in sorted({*before, *after})
    )


def standing(results: Iterable[CategoryResult], retest: Retest) -> Comparison | None:
    """Give the worst verdict on the categories that test this; None when none does."""
    order = (Comparison.REGRESSION, Comparison.NOT_ENOUGH, Comparison.NON_INFERIOR)
    found = {one.verdict for one in results if one.retest is retest}
    return next((verdict for verdict in order if verdict in found), None)


class _Category(msgspec.Struct, frozen=True):
    """All runs of all cases of one category on one side."""

    runs: Mapping[str, Runs]
    retest: Retest
    pairable: bool
    digests: frozenset[str]
    graders: frozenset[str]


_NOTHING = _Category({}, Retest.OTHER, True, frozenset(), frozenset())
_Key = tuple[str, str]
_SAME = "the same report on both sides"
_GRADED = "graded otherwise on both sides"


def _sorted_out(evidence: Iterable[Evidence], unit: Unit) -> dict[_Key, _Category]:
    runs: dict[_Key, dict[str, list[tuple[int, Outcome]]]] = {}
    retests: dict[_Key, Retest] = {}
    digests: dict[_Key, set[str]] = {}
    graders: dict[_Key, set[str]] = {}
    loose: set[_Key] = set()
    for one in evidence:
        for category, grader in one.graders:
            graders.setdefault((one.tool, category), set()).add(grader)
        for attempt in one.attempts:
            key = (one.tool, attempt.category)
            case = attempt.case
            if unit is Unit.ATTEMPT:
                case = f"{case} #{attempt.repetition}"
            runs.setdefault(key, {}).setdefault(case, []).append(
                (attempt.repetition, attempt.outcome)
            )
            if retests.get(key, Retest.OTHER) is Retest.OTHER:
                retests[key] = one.retest_of(attempt.category)
            digests.setdefault(key, set()).add(one.digest)
            if not one.pairable:
                loose.add(key)
    return {
        key: _Category(
            {case: _in_order(listed) for case, listed in sorted(cases.items())},
            retests[key],
            key not in loose,
            frozenset(digests[key]),
            frozenset(graders.get(key, ())),
        )
        for key, cases in runs.items()
    }


def _in_order(listed: list[tuple[int, Outcome]]) -> Runs:
    return tuple(outcome for _, outcome in sorted(listed, key=lambda run: run[0]))


def _merged(categories: Mapping[_Key, _Category]) -> dict[_Key, _Category]:
    merged: dict[_Key, _Category] = {}
    for (tool, category), one in sorted(categories.items()):
        known = merged.get((tool, "ALL"), _NOTHING)
        named = {f"{category}/{case}": runs for case, runs in one.runs.items()}
        merged[tool, "ALL"] = _Category(
            {**known.runs, **named},
            Retest.OTHER,
            known.pairable and one.pairable,
            known.digests | one.digests,
            known.graders | one.graders,
        )
    return merged


def _compared(key: _Key, old: _Category, new: _Category, confidence: float) -> CategoryResult:
    common = old.runs.keys() & new.runs.keys()
    fewer = min(len(old.runs), len(new.runs))
    together = old.pairable and new.pairable and bool(common) and 2 * len(common) >= fewer
    retest = old.retest if new.retest is Retest.OTHER else new.retest
    compared = _paired if together else _unpaired
    result = compared(key, old.runs, new.runs, confidence)
    return replace(result, retest=retest, note=_incomparable(old, new))


def _incomparable(old: _Category, new: _Category) -> str:
    """Say why a comparison of both sides would show nothing; empty when it does show something."""
    if old.digests & new.digests:
        return _SAME
    if old.graders and new.graders and old.graders != new.graders:
        before, now = (", ".join(sorted(side.graders)) for side in (old, new))
        return f"{_GRADED}: {before} before, {now} now"
    return ""


def _paired(
    key: _Key, old: Mapping[str, Runs], new: Mapping[str, Runs], confidence: float
) -> CategoryResult:
    common = sorted(old.keys() & new.keys())
    sides = {case: _alike(old[case], new[case]) for case in common}
    known = {case: both for case, both in sides.items() if Outcome.ERROR not in both}
    newly = tuple(c for c, both in known.items() if both == (Outcome.HELD, Outcome.BROKEN))
    mended = tuple(c for c, both in known.items() if both == (Outcome.BROKEN, Outcome.HELD))
    twice = sum(both == (Outcome.BROKEN, Outcome.BROKEN) for both in known.values())
    pairs = Pairs(twice, len(newly), len(mended), len(known) - twice - len(newly) - len(mended))
    missing, added = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    worst = [(both[0], _in_any_run(both[1], new[case])) for case, both in sides.items()]
    further = sum(now is not both[1] for (_, now), both in zip(worst, sides.values(), strict=True))
    worst += [(_outcome(old[case]), Outcome.ERROR) for case in missing]
    worst += [(Outcome.ERROR, _outcome(new[case])) for case in added]
    low, high = newcombe_paired(pairs, confidence)
    return CategoryResult(
        tool=key[0],
        category=key[1],
        retest=Retest.OTHER,
        paired=True,
        old=_rate(int(pairs.old), len(known), sides.values(), 0, confidence),
        new=_rate(int(pairs.new), len(known), sides.values(), 1, confidence),
        difference=(pairs.new - pairs.old) / pairs.cases if pairs.cases else 0.0,
        low=low,
        high=high,
        worst_high=newcombe_paired(_at_worst(worst), confidence)[1],
        p_value=mcnemar(len(newly), len(mended)),
        p_adjusted=1.0,
        fisher_p=fisher(int(pairs.new), len(known), int(pairs.old), len(known)),
        verdict=Comparison.NOT_ENOUGH,
        newly_broken=newly,
        mended=mended,
        missing=len(missing),
        added=len(added),
        further=further,
    )


def _unpaired(
    key: _Key, old: Mapping[str, Runs], new: Mapping[str, Runs], confidence: float
) -> CategoryResult:
    most = min(_most_runs(side) for side in (old, new) if side)
    before = [_outcome(runs, most) for runs in old.values()]
    after = [_outcome(runs, most) for runs in new.values()]
    further = sum(
        _in_any_run(one, runs) is not one for one, runs in zip(after, new.values(), strict=True)
    )
    old_rate = _rate_of(before, confidence)
    new_rate = _rate_of(after, confidence)
    low, high = newcombe(
        new_rate.broken, new_rate.cases, old_rate.broken, old_rate.cases, confidence
    )
    p_value = fisher(new_rate.broken, new_rate.cases, old_rate.broken, old_rate.cases)
    return CategoryResult(
        tool=key[0],
        category=key[1],
        retest=Retest.OTHER,
        paired=False,
        old=old_rate,
        new=new_rate,
        difference=new_rate.share - old_rate.share,
        low=low,
        high=high,
        worst_high=newcombe(
            new_rate.broken + new_rate.errors + further,
            len(after),
            old_rate.broken,
            len(before),
            confidence,
        )[1],
        p_value=p_value,
        p_adjusted=1.0,
        fisher_p=p_value,
        verdict=Comparison.NOT_ENOUGH,
        further=further,
    )


def _alike(old: Runs, new: Runs) -> tuple[Outcome, Outcome]:
    """Give the outcome of a case on both sides, over equally many runs."""
    most = min(_answered(old), _answered(new))
    return _outcome(old, most), _outcome(new, most)


def _in_any_run(outcome: Outcome, runs: Runs) -> Outcome:
    """Give the outcome with the runs to which the other side has no counterpart."""
    return _outcome(runs) if outcome is Outcome.HELD else outcome


def _answered(runs: Runs) -> int:
    return sum(run is not Outcome.ERROR for run in runs) or 1


def _most_runs(cases: Mapping[str, Runs]) -> int:
    return max((_answered(runs) for runs in cases.values()), default=1)


def _outcome(runs: Runs, most: int | None = None) -> Outcome:
    answered = [run for run in runs if run is not Outcome.ERROR][:most]
    if not answered:
        return Outcome.ERROR
    return Outcome.BROKEN if Outcome.BROKEN in answered else Outcome.HELD


def _at_worst(sides: Iterable[tuple[Outcome, Outcome]]) -> Pairs:
    """Count pairs with every missing result against the new release."""
    counts = {(was, now): 0 for was in (True, False) for now in (True, False)}
    for before, after in sides:
        counts[before is Outcome.BROKEN, after is not Outcome.HELD] += 1
    return Pairs(
        counts[True, True], counts[False, True], counts[True, False], counts[False, False]
    )


def _rate(
    broken: int,
    cases: int,
    sides: Iterable[tuple[Outcome, Outcome]],
    side: int,
    confidence: float,
) -> Rate:
    errors = sum(both[side] is Outcome.ERROR for both in sides)
    return Rate(broken, cases, *wilson(broken, cases, confidence), errors=errors)


def _rate_of(outcomes: Sequence[Outcome], confidence: float) -> Rate:
    broken = outcomes.count(Outcome.BROKEN)
    errors = outcomes.count(Outcome.ERROR)
    cases = len(outcomes) - errors
    return Rate(broken, cases, *wilson(broken, cases, confidence), errors=errors)


def _both(result: CategoryResult) -> bool:
    return bool(result.old.cases and result.new.cases)


def _judged(result: CategoryResult, margin: float, alpha: float) -> CategoryResult:
    if not _both(result):
        return _one_sided(result)
    if result.note:
        return replace(result, needed=result.new.cases)
    notes = list(_surprises(result))
    if result.worst_high <= margin:
        if result.p_adjusted <= alpha:
            notes.insert(0, "worse, but within the margin")
        return replace(result, verdict=Comparison.NON_INFERIOR, note="; ".join(notes))
    if result.p_adjusted <= alpha:
        return replace(result, verdict=Comparison.REGRESSION, note="; ".join(notes))
    return replace(result, needed=_needed(result, margin, alpha), note="; ".join(notes))


def _needed(result: CategoryResult, margin: float, alpha: float) -> int | None:
    if result.high <= margin:  # only what has no result stands in the way
        unknown = max(result.old.errors, result.new.errors)
        return unknown + result.missing + result.added + result.further
    corrected = result.p_adjusted / result.p_value if result.p_value else 1.0
    level = alpha / max(corrected, 1.0)
    if result.paired:
        newly, mended = len(result.newly_broken), len(result.mended)
        both = result.old.broken - mended
        pairs = Pairs(both, newly, mended, result.old.cases - both - newly - mended)
        return pairs_needed(pairs, margin, level, 1 - alpha)
    return cases_needed(
        (result.old.broken, result.old.cases),
        (result.new.broken, result.new.cases),
        margin,
        level,
        1 - alpha,
    )


def _one_sided(result: CategoryResult) -> CategoryResult:
    if result.new.cases:
        note, needed = "not run on the old release", result.new.cases
    elif result.old.cases:
        note, needed = "not run on the new release", result.old.cases
    else:
        note, needed = "no case has a result on either side", None
    return replace(result, needed=needed, note=note)


def _surprises(result: CategoryResult) -> Iterator[str]:
    if result.missing:
        yield f"{result.missing} not run on the new release"
    if result.added:
        yield f"{result.added} not run on the old release"
    if result.old.errors or result.new.errors:
        yield f"without result: {result.old.errors} before, {result.new.errors} now"
    if result.further:
        yield f"{result.further} broke only in runs that the old release did not have"
    if not result.paired:
        yield "different cases on both sides"
