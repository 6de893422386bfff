"""What a release has to show, and whether it has: met, open, or refused.

A re-test is met by reports on this release that show it to be no worse; nobody's word stands for
one. A review, a drill or a sign-off is met by what is declared, or by somebody's word that names
this release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import cast

import msgspec

from modelreach import standards
from modelreach.deployment import Attestation, Deployment
from modelreach.evidence import CategoryResult, Comparison, Refused, Retest, standing
from modelreach.gate.catalogue import DEMANDS, Demand
from modelreach.gate.revocation import Plan
from modelreach.gate.scales import shown
from modelreach.report import DemandRow, EvidenceRow, RuleRow, SecurityChange

_RETEST = "retest-"


class Brought(msgspec.Struct, frozen=True):
    """The evidence for a release: comparisons of what was bound, and reports that were refused."""

    results: tuple[CategoryResult, ...] = ()
    refused: tuple[Refused, ...] = ()


class Case(msgspec.Struct, frozen=True):
    """All that decides whether a demand is met."""

    change: SecurityChange
    old: Deployment
    new: Deployment
    brought: Brought
    plan: Plan
    today: date
    reach_digests: tuple[str, ...] = ()


def demanded(
    change: SecurityChange, rules: Iterable[RuleRow], asks: Asked
) -> dict[str, list[str]]:
    """Give each demand with the triggers and rules that ask for it, in the catalogue's order."""
    found: dict[str, list[str]] = {demand.value: [] for demand in Demand}
    for trigger in change.triggers:
        for demand in trigger.demands:
            found[demand].append(trigger.id)
    for row in rules:
        for demand in asks.get(row.id, ()):
            found[demand.value].append(row.id)
    return {demand: list(dict.fromkeys(ids)) for demand, ids in found.items() if ids}


#: Rule -> what it demands when it speaks.
Asked = dict[str, tuple[Demand, ...]]


def settle(because: dict[str, list[str]], case: Case) -> tuple[DemandRow, ...]:
    """Say of each demand whether it is met, by what, or why not."""
    return tuple(_settled(Demand(demand), ids, case) for demand, ids in because.items())


def _settled(demand: Demand, because: list[str], case: Case) -> DemandRow:
    answer = _retest(demand, case) if demand.startswith(_RETEST) else _review(demand, case)
    return DemandRow(
        id=demand.value,
        title=DEMANDS[demand],
        status=answer.status,  # type: ignore[arg-type]  # one of the three
        because=tuple(because),
        evidence=answer.evidence,
        why=answer.why,
        who=_WHO.get(demand, "").format(owner=case.new.owner or "the owner") or _TESTERS,
        standards=standards.keys_of(demand),
    )


_TESTERS = "whoever tests the model"
_SECURITY, _OPERATIONS = "cloud security", "operations"
#: Who sees to a demand; re-tests are the testers' business.
_WHO: dict[Demand, str] = {
    Demand.ACCESS: _SECURITY,
    Demand.REVOCATION: _SECURITY,
    Demand.LOGGING: _OPERATIONS,
    Demand.ROLLBACK: _OPERATIONS,
    Demand.ROTATION: "{owner}, with cloud security",
    Demand.INTEGRATION: "{owner}, with the owners of the systems downstream",
    Demand.APPROVAL: "{owner}",
    Demand.SIGN_OFF: "{owner}",
}


class _Answer(msgspec.Struct, frozen=True):
    status: str
    why: str
    evidence: tuple[str, ...] = ()


# --- re-tests ------------------------------------------------------------------------------


def _retest(demand: Demand, case: Case) -> _Answer:
    retest = Retest(demand.removeprefix(_RETEST))
    results = [one for one in case.brought.results if one.retest is retest]
    told = tuple(map(comparison_words, results))
    match standing(case.brought.results, retest):
        case Comparison.REGRESSION:
            worse = [one for one in results if one.verdict is Comparison.REGRESSION]
            return _Answer("refused", "; ".join(map(comparison_words, worse)), told)
        case Comparison.NON_INFERIOR:
            return _Answer("met", "no worse than before, within the margin", told)
        case Comparison.NOT_ENOUGH:
            short = [one for one in results if one.verdict is Comparison.NOT_ENOUGH]
            return _Answer("open", "; ".join(map(_needed, short)), told)
        case None:
            return _Answer("open", _nothing(case), ())


def comparison_words(one: CategoryResult) -> str:
    """Give one comparison in a sentence."""
    return (
        f"{one.tool} {one.category}: broke {one.new.broken} of {one.new.cases}, before "
        f"{one.old.broken} of {one.old.cases} (difference {one.difference:+.1%}, interval "
        f"{one.low:+.1%} to {one.high:+.1%}): {one.verdict.value}"
    )


def _needed(one: CategoryResult) -> str:
    more = f"{one.needed} more cases would decide" if one.needed else ""
    why = "; ".join(filter(None, [one.note, more])) or "no number of cases would decide"
    return f"{one.tool} {one.category}: not enough evidence; {why}"


def _nothing(case: Case) -> str:
    refused = case.brought.refused
    if not refused:
        return (
            "no report on this release and the one before tests it; name them in `spec.evidence`"
        )
    first = refused[0]
    more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
    return (
        f"no report that counts tests it; refused: {first.evidence.source} ({first.message}){more}"
    )


# --- reviews -------------------------------------------------------------------------------


def _review(demand: Demand, case: Case) -> _Answer:
    own = _OWN.get(demand)
    answer = own(case) if own else _Answer("open", "nobody has attested it for this release")
    if answer.status == "met":
        return answer
    word, refused = _attested(demand, case)
    if word is not None:
        on = f"attested by {word.by} on {word.on}"
        return _Answer("met", on + (f": {word.note}" if word.note else ""), (on,))
    return _Answer(answer.status, "; ".join(filter(None, [answer.why, refused])), answer.evidence)


def _attested(demand: Demand, case: Case) -> tuple[Attestation | None, str]:
    """Give the attestation that counts, or why one that is there does not."""
    problem = ""
    for word in case.new.spec.attestations or ():
        if word.demand != demand.value:
            continue
        problem = _doubt(word, case)
        if not problem:
            return word, ""
    return None, problem


def _doubt(word: Attestation, case: Case) -> str:
    version = case.new.metadata.version
    if word.release != version:
        return f"the attestation by {word.by} is for release {word.release}, not {version}"
    if not word.by.strip():
        return "an attestation names nobody"
    try:
        day = date.fromisoformat(word.on)
    except ValueError:
        return f"the attestation by {word.by} has no day (`{word.on}`)"
    return (
        f"the attestation by {word.by} is of a day to come ({word.on})" if day > case.today else ""
    )


def _access(case: Case) -> _Answer:
    unread = [row for row in case.change.undeclared if row.fact.startswith("part of the reach")]
    if unread:
        return _Answer("open", f"{unread[0].fact} is unknown: {unread[0].declare}")
    return _Answer("met", "this difference of reach shows every path", case.reach_digests)


def _logging(case: Case) -> _Answer:
    less = [t for t in case.change.triggers if t.id in ("LOGGING-WEAKENED", "ALERT-REMOVED")]
    if less:
        told = "; ".join(f"{t.subject}: {t.old}, now {t.new}" for t in less)
        return _Answer("refused", told)
    watched = case.new.spec.observability or {}
    logging, alerts = watched.get("logging"), watched.get("alerts")
    if not isinstance(logging, Mapping) or not alerts:
        return _Answer("open", "`spec.observability` does not declare both `logging` and `alerts`")
    settings = cast("Mapping[str, object]", logging)
    if not settings.get("invocations") or not settings.get("toolCalls"):
        return _Answer("open", "calls of the model or of its tools are not logged")
    return _Answer("met", "declared, and no less than before", (f"logging: {shown(settings)}",))


def _revocation(case: Case) -> _Answer:
    if case.plan.uncut:
        return _Answer("open", f"no way is known to cut {', '.join(case.plan.uncut[:3])}")
    cuts, stops = len(case.plan.cuts), len(case.plan.stops)
    told = _many(cuts, "cut") + ", " + _many(stops, "emergency stop")
    return _Answer("met", f"the ticket's plan takes away all that the triggers name ({told})")


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _rollback(case: Case) -> _Answer:
    untested = [t for t in case.change.triggers if t.id == "ROLLBACK-UNTESTED"]
    rollback = case.new.spec.rollback or {}
    if not untested and rollback.get("tested"):
        to, tested = shown(rollback.get("to")), shown(rollback["tested"])
        return _Answer("met", f"going back to {to} was tested on {tested}", (f"tested {tested}",))
    to = shown(rollback.get("to")) if rollback else "another release"
    return _Answer("open", f"going back to {to} has not been tested for this release")


_OWN: dict[Demand, Callable[[Case], _Answer]] = {
    Demand.ACCESS: _access,
    Demand.LOGGING: _logging,
    Demand.REVOCATION: _revocation,
    Demand.ROLLBACK: _rollback,
}


# --- rows ----------------------------------------------------------------------------------


def evidence_rows(brought: Brought) -> tuple[EvidenceRow, ...]:
    """Give the evidence as it leaves the program."""
    compared = [
        EvidenceRow(
            tool=one.tool,
            category=one.category,
            retest=one.retest.value,
            verdict=one.verdict.value,
            old=f"{one.old.broken} of {one.old.cases}",
            new=f"{one.new.broken} of {one.new.cases}",
            difference=one.difference,
            low=one.low,
            high=one.high,
            p_value=one.p_adjusted,
            needed=one.needed,
            note=one.note,
        )
        for one in brought.results
    ]
    refused = [
        EvidenceRow(
            tool=one.evidence.tool,
            category="",
            verdict="refused",
            source=one.evidence.source,
            note=one.message,
        )
        for one in brought.refused
    ]
    return (*compared, *refused)
