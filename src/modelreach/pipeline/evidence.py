"""Evaluation reports into rows: what each is, whether it counts, and how two releases compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from modelreach.evidence import (
    Bound,
    CategoryResult,
    Comparison,
    Evidence,
    Outcome,
    Rate,
    Refused,
    Unit,
    compare_evidence,
    totals,
)
from modelreach.evidence_report import (
    CategoryRow,
    EvaluationRow,
    EvidenceReport,
    RateRow,
    Standing,
)

#: A report that was held against a manifest, or one for which there is no manifest.
Judged = Bound | Refused | Evidence


class Question(msgspec.Struct, frozen=True):
    """How to compare: the margin, the error rate over all categories, and what is counted."""

    margin: float = 0.05
    alpha: float = 0.05
    unit: Unit = Unit.CASE


def evidence_report(
    old: Sequence[Judged],
    new: Sequence[Judged],
    now: str,
    *,
    old_release: str = "",
    new_release: str = "",
    question: Question | None = None,
) -> EvidenceReport:
    """Compare what counts; where there is no old side, give the rates of the new one."""
    asked = question or Question()
    before, after = counting(old), counting(new)
    categories: tuple[CategoryResult, ...] = ()
    summed: tuple[CategoryResult, ...] = ()
    options = {"margin": asked.margin, "alpha": asked.alpha}
    if old:
        categories = compare_evidence(before, after, unit=asked.unit, **options)
        summed = totals(before, after, unit=asked.unit, **options)
        rows, sums = tuple(map(_row, categories)), tuple(map(_row, summed))
    else:  # against nothing, for the rates
        categories = compare_evidence((), after, unit=asked.unit, **options)
        summed = totals((), after, unit=asked.unit, **options)
        rows, sums = tuple(map(_rates, categories)), tuple(map(_rates, summed))
    return EvidenceReport(
        schema="modelreach.evidence/1",
        now=now,
        old_release=old_release,
        new_release=new_release,
        margin=asked.margin,
        alpha=asked.alpha,
        unit=asked.unit.value,
        reports=(*_evaluations("old", old), *_evaluations("new", new)),
        categories=rows,
        totals=sums,
        verdict=_worst(categories) if old else "",
    )


def counting(judged: Iterable[Judged]) -> tuple[Evidence, ...]:
    """Give the evidence that counts: what is bound, or was not held against a manifest."""
    return tuple(
        one if isinstance(one, Evidence) else one.evidence
        for one in judged
        if not isinstance(one, Refused)
    )


_WORDS: dict[Comparison, Standing] = {
    Comparison.REGRESSION: "regression",
    Comparison.NOT_ENOUGH: "not-enough-evidence",
    Comparison.NON_INFERIOR: "non-inferior",
}


def _worst(categories: Sequence[CategoryResult]) -> Standing:
    found = {one.verdict for one in categories}
    for one, word in _WORDS.items():
        if one in found:
            return word
    return "not-enough-evidence"


def _evaluations(side: str, judged: Iterable[Judged]) -> Iterator[EvaluationRow]:
    for one in judged:
        evidence = one if isinstance(one, Evidence) else one.evidence
        cases = {(attempt.category, attempt.case) for attempt in evidence.attempts}
        bound = one if isinstance(one, Bound) else None
        refused = one if isinstance(one, Refused) else None
        yield EvaluationRow(
            side="old" if side == "old" else "new",
            source=evidence.source,
            digest=evidence.digest,
            tool=evidence.tool,
            tool_version=evidence.tool_version,
            suite=evidence.suite,
            targets=evidence.targets,
            date=evidence.date,
            cases=len(cases),
            attempts=len(evidence.attempts),
            errors=sum(a.outcome is Outcome.ERROR for a in evidence.attempts),
            dropped=tuple(f"{count}: {reason}" for reason, count in evidence.dropped),
            status="bound" if bound else "refused" if refused else "unbound",
            because=bound.because if bound else (),
            unsaid=bound.unsaid if bound else (),
            reason=refused.reason.value if refused else "",
            message=refused.message if refused else "",
        )


def _rate(rate: Rate) -> RateRow:
    return RateRow(
        broken=rate.broken, cases=rate.cases, low=rate.low, high=rate.high, errors=rate.errors
    )


def _row(result: CategoryResult) -> CategoryRow:
    both = bool(result.old.cases and result.new.cases)
    return CategoryRow(
        tool=result.tool,
        category=result.category,
        retest=result.retest.value,
        paired=result.paired,
        old=_rate(result.old),
        new=_rate(result.new),
        difference=result.difference if both else None,
        low=result.low if both else None,
        high=result.high if both else None,
        worst_high=result.worst_high if both else None,
        p_value=result.p_value if both else None,
        p_adjusted=result.p_adjusted if both else None,
        verdict=_WORDS[result.verdict],
        newly_broken=result.newly_broken,
        mended=result.mended,
        missing=result.missing,
        added=result.added,
        needed=result.needed,
        note=result.note,
    )


def _rates(result: CategoryResult) -> CategoryRow:
    return CategoryRow(
        tool=result.tool,
        category=result.category,
        retest=result.retest.value,
        paired=False,
        old=None,
        new=_rate(result.new),
        difference=None,
        low=None,
        high=None,
        worst_high=None,
        p_value=None,
        p_adjusted=None,
        verdict="",
    )
