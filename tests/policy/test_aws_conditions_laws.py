"""Law: what a condition leaves open agrees with every completion of the context."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from modelreach.policy.aws.conditions import condition_expr, conditions_expr, settle
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.matching import resource_matches
from modelreach.policy.aws.operators import OPERATORS
from modelreach.policy.aws.satisfy import satisfiable
from modelreach.policy.aws.statement import Condition, Patterns, Quantifier
from modelreach.policy.expr import TRUE, Const, Expr

TAG, LIST, NAME, RATE, WHEN, FROM, ARN, FLAG = (
    "aws:PrincipalTag/t",
    "aws:TagKeys",
    "aws:username",
    "s3:max-keys",
    "aws:CurrentTime",
    "aws:SourceIp",
    "aws:SourceArn",
    "aws:SecureTransport",
)
DOMAINS: dict[str, list[tuple[str, ...]]] = {
    TAG: [(), ("a",), ("b",), ("ab",), ("aa",), ("*",), ("A",), ("",), ("${aws:username}",)],
    LIST: [(), ("a",), ("b",), ("a", "b"), ("ab", "*"), ("",)],
    NAME: [(), ("a",), ("ab",), ("*",), ("${*}",)],
    RATE: [(), ("1",), ("2.5",), ("10",), ("nan",)],
    WHEN: [(), ("2020-01-01T00:00:00Z",), ("1577836800",), ("2021",), ("soon",)],
    FROM: [(), ("10.0.0.1",), ("10.0.1.1",), ("2001:db8::1",), ("x",)],
    ARN: [(), ("arn:aws:s3:::a",), ("arn:aws:sns:us-east-1:1:a:b",), ("a",)],
    FLAG: [(), ("true",), ("FALSE",), ("x",)],
}
TEXTS = [
    "a",
    "b",
    "ab",
    "A",
    "*",
    "a*",
    "?",
    "",
    "${aws:username}",
    "${aws:username}*",
    "${aws:username, 'b'}",
    "a${aws:username}",
    "${*}",
    "${$}{aws:username}",
    "${aws:PrincipalTag/t}${aws:username}",
    "${aws:username}${aws:username}",
]
VALUES: dict[str, list[str]] = {
    "String": TEXTS,
    "Numeric": ["1", "2.5", "3", "${s3:max-keys}", "${aws:username}"],
    "Date": ["2020-01-01T00:00:00Z", "1577836800", "2020-06-01", "${aws:CurrentTime}"],
    "Bool": ["true", "false", "${aws:username}"],
    "Ip": ["10.0.0.0/24", "10.0.0.1", "2001:db8::/32", "${aws:SourceIp}"],
    "Arn": ["arn:aws:s3:::*", "arn:aws:sns:*:1:a:b", "arn:aws:*", "arn:aws:s3:::${aws:username}"],
    "Null": ["true", "false"],
    "Binary": ["YQ==", "YWI="],
}
KEYS = {
    "String": [TAG, LIST, NAME],
    "Numeric": [RATE, TAG],
    "Date": [WHEN],
    "Bool": [FLAG, TAG],
    "Ip": [FROM],
    "Arn": [ARN],
    "Null": list(DOMAINS),
    "Binary": [TAG],
}


def kind_of(operator: str) -> str:
    return next(kind for kind in VALUES if kind in operator)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    operator = draw(st.sampled_from(sorted(OPERATORS)))
    kind = kind_of(operator)
    values = draw(st.lists(st.sampled_from(VALUES[kind]), min_size=1, max_size=3))
    key = draw(st.sampled_from(KEYS[kind]))
    if operator == "Null":
        return Condition("Null", key, tuple(values))
    quantifier = draw(st.sampled_from(Quantifier))
    return Condition(operator, key, tuple(values), quantifier, draw(st.booleans()))


@st.composite
def partial_contexts(draw: st.DrawFn) -> Context:
    known = {
        key: value
        for key, domain in DOMAINS.items()
        if (value := draw(st.one_of(st.none(), st.sampled_from(domain)))) is not None
    }
    return Context.of(known)


def named(texts: str) -> list[str]:
    return [key for key in DOMAINS if key.lower() in texts.lower()]


def completions(context: Context, keys: list[str]) -> list[Context]:
    """All ways to fill in the keys that matter and are open; the others are absent."""
    open_keys = [key for key in keys if context.values(key) is None]
    rows = product(*(DOMAINS[key] for key in open_keys))
    return [context.joined(dict(zip(open_keys, row, strict=True)), closed=True) for row in rows]


def agree(residual: Expr, full: Expr, completion: Context) -> None:
    assert isinstance(full, Const), full
    assert settle(residual, completion) == full, (completion, residual, full)


@given(conditions(), partial_contexts(), st.booleans())
def test_residual_of_a_condition_agrees_with_every_completion(
    condition: Condition, context: Context, variables: bool
) -> None:
    residual = condition_expr(condition, context, variables=variables)
    possible = False
    for completion in completions(context, named(repr(condition))):
        full = condition_expr(condition, completion, variables=variables)
        agree(residual, full, completion)
        possible = possible or full == TRUE
    if possible:
        assert satisfiable(residual)


@given(st.lists(conditions(), min_size=2, max_size=3), partial_contexts())
def test_conjunctions_agree_too_and_nothing_possible_is_called_unsatisfiable(
    block: list[Condition], context: Context
) -> None:
    keys = named(repr(block))
    if len([key for key in keys if context.values(key) is None]) > 3:
        return
    residual = conditions_expr(block, context)
    for completion in completions(context, keys):
        full = conditions_expr(block, completion)
        agree(residual, full, completion)
        if full == TRUE:
            assert satisfiable(residual), residual


RESOURCES = [
    "arn:aws:s3:::d/a/a",
    "arn:aws:s3:::d/a/x",
    "arn:aws:s3:::d/ab",
    "arn:aws:s3:::d/*",
    "*",
    "arn:aws:s3:::d/",
]
PATTERNS = [
    "*",
    "arn:aws:s3:::d/*",
    "arn:aws:s3:::d/${aws:username}",
    "arn:aws:s3:::d/${aws:username}/*",
    "arn:aws:s3:::*${aws:username}*",
    "arn:aws:s3:::d/${aws:username, 'ab'}",
    "arn:aws:s3:::d/${aws:username}${aws:PrincipalTag/t}*",
    "arn:aws:s3:::d/${*}",
    "arn:aws:s3:::d/${aws:username}/${aws:username}",
    "*${aws:username}${aws:username}",
]


@given(
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3),
    st.booleans(),
    st.sampled_from(RESOURCES),
    st.booleans(),
    partial_contexts(),
)
def test_residual_of_a_resource_pattern_agrees_with_every_completion(
    globs: list[str], negated: bool, resource: str, variables: bool, context: Context
) -> None:
    patterns = Patterns(tuple(globs), negated)
    residual = resource_matches(patterns, resource, variables, context)
    for completion in completions(context, [NAME, TAG]):
        full = resource_matches(patterns, resource, variables, completion)
        agree(residual, full, completion)


@given(conditions(), partial_contexts())
def test_a_condition_and_its_opposite_cancel(condition: Condition, context: Context) -> None:
    opposite = {
        "StringEquals": "StringNotEquals",
        "StringLike": "StringNotLike",
        "NumericEquals": "NumericNotEquals",
        "DateEquals": "DateNotEquals",
        "IpAddress": "NotIpAddress",
        "ArnLike": "ArnNotLike",
    }.get(condition.operator)
    if opposite is None or condition.quantifier is not Quantifier.NONE or condition.if_exists:
        return
    other = Condition(opposite, condition.key, condition.values)
    first, second = condition_expr(condition, context), condition_expr(other, context)
    assert not satisfiable(first & second)
    assert not satisfiable(~(first | second))
