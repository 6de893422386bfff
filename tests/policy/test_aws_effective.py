"""Effective permissions against a plain evaluator of one request at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelreach.policy import glob
from modelreach.policy.aws.effective import Applied, Opened, PrincipalSide, effective, unreadable
from modelreach.policy.aws.statement import (
    ANYTHING,
    Condition,
    Effect,
    Patterns,
    Principals,
    Statement,
)
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.expr import (
    FALSE,
    TRUE,
    Atom,
    AtomKind,
    Expr,
    all_of,
    assign,
    atoms,
    is_open,
)
from modelreach.policy.permissions import ALL, Box, Extent, PermissionSet

ACTIONS = ["s3:getobject", "s3:putobject", "s3:x", "ec2:run", "iam:passrole"]
RESOURCES = ["b/a", "b/b", "b/ann/k", "c/a", "d"]
KEYS = ["k1", "k2"]
FAULT = "OPERATOR"


def ref(layer: Layer = Layer.IDENTITY, index: int = 0, effect: str = "Allow") -> StatementRef:
    return StatementRef(layer, "policy", "role", "", index, "", effect, "")


def condition(statement: Statement) -> Expr:
    """One free atom a condition key."""
    return all_of(Atom(AtomKind.CONTEXT, c.key, "Bool", ("true",)) for c in statement.conditions)


OPEN = Atom(AtomKind.CONTEXT, "open", "MatchesWith", ("c/${open}",))


def substitute(statement: Statement, pattern: str) -> str | Opened | None:
    if "${open}" in pattern:
        return Opened(pattern.replace("${open}", "*"), OPEN)
    return None if "${none}" in pattern else pattern.replace("${name}", "ann")


# --- the plain evaluator: a request, an answer -----------------------------------------------

Known = dict[str, bool]


def covered(patterns: Patterns | None, value: str, variables: bool, known: Known) -> bool:
    if patterns is None:
        return True
    globs: list[str] = []
    for pattern in patterns.globs:
        if variables and ("${none}" in pattern or ("${open}" in pattern and not known["open"])):
            continue
        filled = pattern.replace("${name}", "ann").replace("${open}", "*")
        globs.append(filled if variables else pattern)
    return any(glob.match(one, value) for one in globs) is not patterns.negated


def applies(statement: Statement, action: str, resource: str, known: Known) -> bool:
    return (
        covered(statement.actions, action, False, known)
        and covered(statement.resources, resource, statement.variables, known)
        and all(known[test.key] for test in statement.conditions)
        and (not statement.not_understood or known[statement.text])
    )


def says(layer: Sequence[Applied], effect: Effect, *request: object) -> bool:
    action, resource, known = request
    assert isinstance(action, str)
    assert isinstance(resource, str)
    assert isinstance(known, dict)
    return any(
        applies(one.statement, action, resource, known)
        for one in layer
        if one.statement.effect is effect
    )


def plain(side: PrincipalSide, action: str, resource: str, known: Known) -> bool:
    layers = [side.identity, *(side.scps or ())]
    layers += [layer for layer in (side.boundary, side.session) if layer is not None]
    if any(says(layer, Effect.DENY, action, resource, known) for layer in layers):
        return False
    return all(says(layer, Effect.ALLOW, action, resource, known) for layer in layers)


# --- generated statements --------------------------------------------------------------------

action_patterns = st.builds(
    Patterns,
    st.lists(
        st.sampled_from(["*", "s3:*", "s3:get*", "s3:?", "ec2:*", "*:p*", "iam:passrole"]),
        min_size=1,
        max_size=3,
    ).map(tuple),
    st.booleans(),
)
resource_patterns = st.builds(
    Patterns,
    st.lists(
        st.sampled_from(
            ["*", "b/*", "b/a", "*/a", "?", "b/${name}/*", "c/${none}", "b/?", "b/${open}/*"]
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    st.booleans(),
)
tests = st.lists(st.sampled_from(KEYS), max_size=2, unique=True).map(
    lambda keys: tuple(Condition("Bool", key, ("true",)) for key in keys)
)


@st.composite
def statements(draw: st.DrawFn) -> Applied:
    effect = draw(st.sampled_from([Effect.ALLOW, Effect.ALLOW, Effect.DENY]))
    number = draw(st.integers(0, 1))
    broken = draw(st.integers(0, 7)) == 0
    statement = Statement(
        number,
        "",
        effect,
        draw(action_patterns),
        draw(resource_patterns),
        None,
        draw(tests),
        variables=draw(st.booleans()),
        text=f"text{number}{effect}",
        not_understood=(FAULT,) if broken else (),
    )
    return Applied(statement, ref(index=number, effect=effect.value))


layers = st.lists(statements(), max_size=3)
sides = st.builds(
    PrincipalSide,
    layers,
    st.none() | layers,
    st.none() | st.lists(layers, max_size=2),
    st.none() | layers,
)


def assignment(known: Known) -> Callable[[Atom], bool]:
    """The same completion in the words of the algebra: the fault of a statement is its text's."""

    def value(atom: Atom) -> bool:
        if atom.kind is AtomKind.CONTEXT:
            return known[atom.key]
        index = atom.key.rpartition(" ")[2]
        return known[f"text{index}{atom.operator.partition(' ')[0]}"]

    return value


NAMES = [*KEYS, "open", "text0Allow", "text1Allow", "text0Deny", "text1Deny"]
COMPLETIONS = [dict(zip(NAMES, row, strict=True)) for row in product((True, False), repeat=7)]


@given(sides)
def test_agrees_with_the_plain_evaluator(side: PrincipalSide) -> None:
    permitted = effective(side, condition, substitute)
    assert permitted.exact
    for action, resource in product(ACTIONS, RESOURCES):
        residual = permitted.condition_for(action, resource)
        for known in COMPLETIONS[::5]:
            got = assign(residual, assignment(known)) == TRUE
            assert got is plain(side, action, resource, known), (action, resource, known)


@given(sides, statements())
def test_more_denies_and_limits_never_add(side: PrincipalSide, extra: Applied) -> None:
    before = effective(side, condition, substitute)
    deny = Statement(9, "", Effect.DENY, extra.statement.actions, extra.statement.resources, None)
    denied = PrincipalSide(
        [*side.identity, Applied(deny, ref(effect="Deny"))], side.boundary, side.scps, side.session
    )
    assert effective(denied, condition, substitute) <= before
    limited = PrincipalSide(
        side.identity, side.boundary, [*(side.scps or ()), [extra]], side.session
    )
    assert effective(limited, condition, substitute) <= before


@given(sides, statements())
def test_more_allows_never_take_away(side: PrincipalSide, extra: Applied) -> None:
    if extra.statement.effect is Effect.ALLOW:
        more = PrincipalSide([*side.identity, extra], side.boundary, side.scps, side.session)
        before = effective(side, condition, substitute)
        assert before <= effective(more, condition, substitute)


@given(sides)
def test_order_and_repeats_do_not_matter(side: PrincipalSide) -> None:
    other = PrincipalSide(
        [*reversed(side.identity), *side.identity],
        None if side.boundary is None else [*reversed(side.boundary)],
        None if side.scps is None else [*reversed(side.scps)],
        side.session,
    )
    first, second = (effective(one, condition, substitute) for one in (side, other))
    assert first == second


# --- examples --------------------------------------------------------------------------------


def allow(action: str, resource: str = "*", index: int = 0, **more: Any) -> Applied:
    return given_(Effect.ALLOW, action, resource, index, **more)


def deny(action: str, resource: str = "*", index: int = 0, **more: Any) -> Applied:
    return given_(Effect.DENY, action, resource, index, **more)


def given_(effect: Effect, action: str, resource: str, index: int, **more: Any) -> Applied:
    statement = Statement(
        index, "", effect, Patterns((action,)), Patterns((resource,)), None, **more
    )
    return Applied(statement, ref(index=index, effect=effect.value))


def extent(*globs: str, outside: tuple[str, ...] = ()) -> Extent:
    return Extent.globs(globs, outside=outside)


def test_one_expression_over_the_layers() -> None:
    side = PrincipalSide(
        identity=[allow("*"), deny("s3:delete*", "*", 1)],
        boundary=[allow("s3:*")],
        scps=[[allow("*")], [allow("*"), deny("*", "b/secret/*", 1)]],
    )
    (box,) = effective(side, condition).boxes
    assert box == Box(
        extent("s3:*", outside=("s3:delete*",)),
        extent("*", outside=("b/secret/*",)),
        TRUE,
        (ref(),),
    )


def test_no_layer_is_no_limit_and_an_empty_one_is_total() -> None:
    identity = [allow("s3:*")]
    assert not effective(PrincipalSide(identity), condition).is_empty()
    assert not effective(PrincipalSide(identity, scps=[]), condition).is_empty()
    assert effective(PrincipalSide(identity, scps=[[]]), condition).is_empty()
    assert effective(PrincipalSide(identity, boundary=[]), condition).is_empty()
    assert effective(PrincipalSide(identity, session=[]), condition).is_empty()


def test_only_identity_statements_are_the_reason() -> None:
    side = PrincipalSide(
        [allow("s3:*", index=3)],
        boundary=[Applied(allow("*").statement, ref(Layer.BOUNDARY, 5))],
    )
    (box,) = effective(side, condition).boxes
    assert box.because == (ref(index=3),)


def test_a_conditional_deny_leaves_its_complement() -> None:
    test = (Condition("Bool", "k1", ("true",)),)
    side = PrincipalSide([allow("s3:*"), deny("s3:put*", "*", 1, conditions=test)])
    permitted = effective(side, condition)
    k1 = Atom(AtomKind.CONTEXT, "k1", "Bool", ("true",))
    assert permitted.condition_for("s3:putobject", "b") == ~k1
    assert permitted.condition_for("s3:getobject", "b") == TRUE


@pytest.mark.parametrize("made", [allow, deny])
def test_what_is_not_understood_is_neither_given_nor_taken(
    made: Callable[..., Applied],
) -> None:
    odd = made("s3:*", "*", 1, not_understood=("unknown operator `Foo`",), text="odd")
    base = [] if made is allow else [allow("*")]
    residual = effective(PrincipalSide([*base, odd]), condition).condition_for("s3:x", "b")
    assert residual not in (TRUE, FALSE)
    assert is_open(residual, AtomKind.OPAQUE)


def test_two_statements_not_understood_for_one_reason_stay_apart() -> None:
    first, second = (
        effective(PrincipalSide([allow("s3:*", not_understood=("why",), text=text)]), condition)
        for text in ("one", "other")
    )
    assert not first <= second


def test_an_unreadable_document_may_allow_and_deny_anything() -> None:
    both = unreadable(("not JSON",), ref(index=7))
    alone = effective(PrincipalSide(both), condition).condition_for("s3:x", "b")
    beside = effective(PrincipalSide([allow("s3:*"), *both]), condition)
    assert is_open(alone, AtomKind.OPAQUE)
    assert is_open(beside.condition_for("s3:x", "b"), AtomKind.OPAQUE)
    assert len(set(atoms(alone))) == 2


def test_a_statement_that_lacks_its_resource_is_not_understood() -> None:
    statement = Statement(0, "", Effect.ALLOW, ANYTHING, None, None)
    permitted = effective(PrincipalSide([Applied(statement, ref())]), condition)
    assert is_open(permitted.condition_for("s3:x", "b"), AtomKind.OPAQUE)


def test_a_statement_with_a_principal_is_not_understood() -> None:
    statement = Statement(0, "", Effect.ALLOW, ANYTHING, ANYTHING, Principals(everyone=True))
    permitted = effective(PrincipalSide([Applied(statement, ref())]), condition)
    assert is_open(permitted.condition_for("s3:x", "b"), AtomKind.OPAQUE)


def test_variables() -> None:
    side = PrincipalSide([allow("s3:*", "b/${name}/*"), allow("ec2:*", "${none}", 1)])
    permitted = effective(side, condition, substitute)
    assert permitted.contains("s3:x", "b/ann/k")
    assert not permitted.contains("s3:x", "b/bob/k")
    assert not permitted.contains("ec2:x", "d")
    literal = PrincipalSide([allow("s3:*", "b/${name}/*", variables=False)])
    assert effective(literal, condition, substitute).contains("s3:x", "b/${name}/k")


def test_a_variable_left_open_touches_only_its_own_pattern() -> None:
    patterns = Patterns(("d", "c/${open}"))
    statement = Statement(0, "", Effect.ALLOW, ANYTHING, patterns, None)
    permitted = effective(PrincipalSide([Applied(statement, ref())]), condition, substitute)
    assert permitted.condition_for("s3:x", "d") == TRUE
    assert permitted.condition_for("s3:x", "c/1") == OPEN
    other = Statement(0, "", Effect.ALLOW, ANYTHING, Patterns(patterns.globs, True), None)
    permitted = effective(PrincipalSide([Applied(other, ref())]), condition, substitute)
    assert permitted.condition_for("s3:x", "d") == FALSE
    assert permitted.condition_for("s3:x", "c/1") == ~OPEN
    assert permitted.condition_for("s3:x", "e") == TRUE


def test_a_statement_under_something_unread() -> None:
    gap = Atom(AtomKind.GAP, "policy p")
    applied = Applied(allow("s3:*").statement, ref(), gap)
    assert effective(PrincipalSide([applied]), condition) == PermissionSet.of(
        [Box(extent("s3:*"), ALL, gap)]
    )
