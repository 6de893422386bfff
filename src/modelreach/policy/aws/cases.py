"""Evaluates policy cases and says which agree with what they expect.

A case in mode `strict` has a definite answer. In the modes `exists` and `discovery` the question
is whether any request context would be allowed: an access that hangs on a condition then counts
as allowed if the condition can be met.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import msgspec
from msgspec.structs import replace

from modelreach.model import Verdict
from modelreach.policy.aws.case_record import Case, Expected, Mode, read_case
from modelreach.policy.aws.clauses import parse_conditions
from modelreach.policy.aws.conditions import conditions_expr
from modelreach.policy.aws.context import Context, Facts, request_context
from modelreach.policy.aws.decide import decide
from modelreach.policy.aws.layers import Request
from modelreach.policy.aws.principals import Caller, CallerKind
from modelreach.policy.aws.region import decide_any, every_policy
from modelreach.policy.aws.satisfy import satisfiable
from modelreach.policy.aws.statement import Condition
from modelreach.policy.decision import Decision, Outcome, StatementRef
from modelreach.policy.expr import TRUE, Expr, all_of, render


class CaseResult(msgspec.Struct, frozen=True):
    """What a case came to. `agrees` is None when the case expects nothing or was skipped.

    `counted` says whether it goes into the score: disputed and excluded cases do not. `notes` are
    what was assumed, fields that were not read, and words that are none: with one of these for the
    mode or for what is expected, the case does not agree.
    """

    id: str
    name: str
    verdict: Outcome
    expected: Expected | None
    agrees: bool | None
    determining: tuple[StatementRef, ...] = ()
    residual: str = ""
    blocked_by: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: bool = False
    counted: bool = True


class Summary(msgspec.Struct, frozen=True):
    """How many cases agreed."""

    cases: int
    agreed: int
    disagreed: int
    skipped: int
    not_counted: int


def run_cases(lines: Iterable[str | bytes]) -> Iterator[CaseResult]:
    """Take the lines of a case file; give one result a case, in order.

    Raises InputError, with the line's number, for a line that is no case.
    """
    for number, line in enumerate(lines, 1):
        case = read_case(line, number)
        if case is not None:
            yield run_case(case)


def summarise(results: Iterable[CaseResult]) -> Summary:
    """Count agreements among the cases that count."""
    all_results = list(results)
    counted = [one for one in all_results if one.counted and one.agrees is not None]
    agreed = sum(one.agrees is True for one in counted)
    skipped = sum(one.skipped for one in all_results)
    return Summary(
        cases=len(all_results),
        agreed=agreed,
        disagreed=len(counted) - agreed,
        skipped=skipped,
        not_counted=len(all_results) - len(counted) - skipped,
    )


def run_case(case: Case) -> CaseResult:
    """Evaluate one case."""
    if case.skip:
        return CaseResult(
            case.id, case.name, Outcome.UNKNOWN, case.expected, None, skipped=True, counted=False
        )
    context, limits = _surroundings(case)
    request = Request(_caller(case), case.action, case.resource, case.resource_account, context)
    asked = decide if case.wildcard_only else decide_any
    decision = _limited(asked(request, case.layers), limits)
    open_modes = case.mode is not Mode.STRICT
    return CaseResult(
        id=case.id,
        name=case.name,
        verdict=decision.outcome,
        expected=case.expected,
        agrees=not case.misread and _agrees(decision.outcome, case.expected, open_modes),
        determining=_determining(decision),
        residual="" if decision.verdict in _DEFINITE else render(decision.residual),
        blocked_by=tuple(decision.blocked_by),
        not_understood=decision.not_understood,
        notes=(
            *decision.assumes,
            *(f"{name} is not read" for name in case.not_read),
            *case.misread,
        ),
        counted=case.scored,
    )


_DEFINITE = {Verdict.ALLOW, Verdict.DENY}
_DENIALS = {Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY}


def _agrees(outcome: Outcome, expected: Expected | None, any_context: bool) -> bool | None:
    match expected:
        case None:
            return None
        case Expected.DENY:
            return outcome in _DENIALS
        case Expected.ALLOW if any_context:
            return outcome in (Outcome.ALLOW, Outcome.CONDITIONAL)
        case _:
            return outcome.value == expected.value


def _determining(decision: Decision) -> tuple[StatementRef, ...]:
    match decision.verdict:
        case Verdict.ALLOW:
            return decision.allowed_by
        case Verdict.DENY:
            return decision.denied_by
        case _:
            return decision.allowed_by + decision.denied_by


# --- what is known of the context ----------------------------------------------------------


def _caller(case: Case) -> Caller:
    """Give who asks. "Could any context allow it" leaves open how a session is called."""
    if case.mode is Mode.DISCOVERY and case.caller.kind is CallerKind.SESSION:
        return Caller.of(case.caller.role_arn, unique_id=case.caller.unique_id)
    return case.caller


def _surroundings(case: Case) -> tuple[Context, Expr]:
    """Give the context, and what else is known to hold of it."""
    values, conditions = _constraints(case.constraints)
    given = {**case.context, **values}
    if case.mode is Mode.STRICT:
        return Context.of(given, closed=True), TRUE
    known, present = _known_keys(case)
    conditions = [*conditions, *(Condition("Null", key, ("false",)) for key in present)]
    context = request_context(case.caller, Facts(resource_account=case.resource_account))
    if case.caller.kind is CallerKind.SESSION:
        context, conditions = _any_path(case, context, conditions)
    if case.mode is Mode.EXISTS:
        context = context.joined({**given, **known})
        return context, conditions_expr(conditions, context)
    context = _discovered(case, context, {**values, **known})
    return context, conditions_expr(conditions, context)


def _known_keys(case: Case) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Give what `keyName` constraints settle: keys with their values (none: absent), and keys
    that are present with a value that is not known.

    A constraint says of a key, or of all keys that a pattern between slashes finds, whether the
    request's context can be trusted on its presence and on its value.
    """
    given = {key.lower(): value for key, value in case.context.items()}
    known: dict[str, tuple[str, ...]] = {}
    present: list[str] = []
    for entry in case.constraints:
        if not isinstance(entry, dict):
            continue
        block = cast("dict[str, object]", entry)
        name = block.get("keyName")
        if not isinstance(name, str) or block.get("presenceIsKnown") is not True:
            continue
        for key in sorted(_keys_in(case) | given.keys()):
            if not _is_strict(key, (name,)):
                continue
            if key not in given or block.get("valueIsKnown") is True:
                known[key] = given.get(key, ())
            else:
                present.append(key)
    return known, tuple(present)


def _keys_in(case: Case) -> set[str]:
    """The condition keys that the policies of a case ask about, in lower case."""
    found: set[str] = set()
    for policy in every_policy(case.layers):
        for statement in policy.document.statements:
            found.update(condition.key.lower() for condition in statement.conditions)
    return found


def _any_path(
    case: Case, context: Context, conditions: list[Condition]
) -> tuple[Context, list[Condition]]:
    """The ARN of a session does not say which path its role has."""
    known = {key: value for key, value in context.known.items() if key != "aws:principalarn"}
    start, _, name = case.caller.role_arn.rpartition("/")
    arns = (f"{start}/{name}", f"{start}/*/{name}")
    return replace(context, known=known), [
        *conditions,
        Condition("ArnLike", "aws:PrincipalArn", arns),
    ]


def _discovered(case: Case, context: Context, values: Mapping[str, tuple[str, ...]]) -> Context:
    """Fix the strict keys; the other given keys serve as policy variables only."""
    given = {key.lower(): value for key, value in case.context.items()}
    strict = {key: value for key, value in given.items() if _is_strict(key, case.strict_keys)}
    absent = {
        key.lower(): ()
        for key in case.strict_keys
        if not key.startswith("/") and key.lower() not in given
    }
    # A key that the case gives and does not call strict is not to be trusted, whoever fixed it.
    kept = {key: value for key, value in context.known.items() if key not in given}
    joined = replace(context, known=kept).joined({**absent, **strict, **values})
    return replace(joined, variables_only=given)


def _is_strict(key: str, strict: tuple[str, ...]) -> bool:
    for entry in strict:
        if len(entry) > 1 and entry.startswith("/") and entry.endswith("/"):
            try:
                if re.search(entry[1:-1], key, re.IGNORECASE):
                    return True
            except re.error:
                continue
        elif entry.lower() == key:
            return True
    return False


def _constraints(
    written: tuple[object, ...],
) -> tuple[dict[str, tuple[str, ...]], list[Condition]]:
    """Give the keys that constraints fix, and the conditions that they state.

    A constraint is `key=value`, a Condition block of the policy language, or an object with
    `key`, `operator` and `values`. Others say nothing here.
    """
    values: dict[str, tuple[str, ...]] = {}
    conditions: list[Condition] = []
    for entry in written:
        if isinstance(entry, str):
            key, equals, value = entry.partition("=")
            if equals and ":" in key:
                values[key.strip()] = (value.strip().strip("'\""),)
        elif isinstance(entry, dict) and "keyName" not in entry:
            block = cast("dict[str, object]", entry)
            conditions.extend(parse_conditions(_as_block(block), False, _ignored))
    return values, conditions


def _as_block(entry: dict[str, object]) -> object:
    key = entry.get("key")
    if not isinstance(key, str):
        return entry.get("Condition", entry)
    operator = entry.get("operator", "StringEquals")
    return {str(operator): {key: entry.get("values", entry.get("value"))}}


def _ignored(_: str) -> None:
    """A constraint that cannot be read leaves the context freer; that is no error."""


def _limited(decision: Decision, limits: Expr) -> Decision:
    """Take what is known of the context into account."""
    if limits is TRUE or decision.verdict in _DEFINITE:
        return decision
    left = all_of((decision.residual, limits))
    if satisfiable(left):
        return decision
    denied = bool(decision.denied_by)
    outcome = Outcome.EXPLICIT_DENY if denied else Outcome.IMPLICIT_DENY
    return replace(decision, verdict=Verdict.DENY, outcome=outcome)


# --- what leaves the program ---------------------------------------------------------------


def as_line(result: CaseResult) -> dict[str, object]:
    """Give the result as the object that `modelreach can --cases` prints."""
    return {
        "id": result.id,
        "verdict": result.verdict.value,
        "expected": result.expected.value if result.expected else None,
        "agrees": result.agrees,
        "determining": [_named(one) for one in result.determining],
        "residual": result.residual,
        "blocked_by": list(result.blocked_by),
        "not_understood": list(result.not_understood),
        "notes": list(result.notes),
        "skipped": result.skipped,
        "counted": result.counted,
    }


def _named(reference: StatementRef) -> dict[str, object]:
    return {
        "layer": reference.layer.value,
        "policy": reference.policy,
        "target": reference.target,
        "index": reference.index,
        "sid": reference.sid,
        "effect": reference.effect,
    }
