"""Each of these notices a change to the evaluator that no other quick test noticed.

Found by mutation testing (docs/reference/mutation-testing.md); what a policy case can say is in
fixtures/policy/aws/mutants.jsonl.
"""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.model import Verdict
from modelreach.policy.aws.context import CLOSED, Context
from modelreach.policy.aws.decide import AppliedPolicy, Caller, CallerKind, Layers, Request, decide
from modelreach.policy.aws.document import compile_document
from modelreach.policy.aws.operators import moment
from modelreach.policy.decision import Decision, Layer
from modelreach.policy.expr import Atom, AtomKind, atoms

A = "111111111111"
USER = Caller.of(f"arn:aws:iam::{A}:user/u")
ROLE = Caller.of(f"arn:aws:iam::{A}:role/r")
OBJECT = "arn:aws:s3:::data/k"


def applied(layer: Layer, raw: object, target: str = "t") -> AppliedPolicy:
    return AppliedPolicy(compile_document(raw), layer, "p", target, "digest")


def statement(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "*", "Resource": "*"} | more


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def ask(layers: Layers, caller: Caller = USER, context: Context = CLOSED) -> Decision:
    return decide(Request(caller, "s3:GetObject", OBJECT, A, context), layers)


# --- what is told of faults ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("sid", "target", "told"),
    [
        ({"Sid": "x"}, "t", "identity policy p on t, statement x: element `Y` is not known"),
        ({}, "t", "identity policy p on t, statement 1: element `Y` is not known"),
        ({}, "", "identity policy p, statement 1: element `Y` is not known"),
    ],
)
def test_where_a_fault_is(sid: dict[str, Any], target: str, told: str) -> None:
    raw = document(statement(Action="ec2:*"), statement(Y=1, **sid))
    decision = ask(Layers(identity=(applied(Layer.IDENTITY, raw, target),)))
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.not_understood == (told,)


def test_an_unreadable_document_is_a_doubt_of_an_allow_and_of_a_deny() -> None:
    broken = applied(Layer.RESOURCE, "{")
    decision = ask(Layers(resource=(broken,)))
    assert decision.verdict is Verdict.UNKNOWN
    place, problems = "resource policy p on t", ("the document is not JSON",)
    assert set(atoms(decision.residual)) == {
        Atom(AtomKind.OPAQUE, place, "Allow", problems),
        Atom(AtomKind.OPAQUE, place, "Deny", problems),
    }
    assert decision.not_understood == (f"{place}: the document is not JSON",)
    for found in (decision.allowed_by, decision.denied_by):
        (reference,) = found
        assert (reference.layer, reference.policy, reference.target) == (Layer.RESOURCE, "p", "t")
        assert (reference.document, reference.index, reference.sid) == ("digest", 0, "")
        assert (reference.effect, reference.text) == ("", "")


# --- who asks ------------------------------------------------------------------------------


@pytest.mark.parametrize("principal", ["anonymous", "*", ""])
def test_spellings_of_nobody(principal: str) -> None:
    assert Caller.of(principal).kind is CallerKind.ANONYMOUS


# --- values --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),  # POSIX time has no leap seconds
        ("2024-01-01t00:00:00z", "2024-01-01T00:00:00Z"),  # as RFC 3339 allows
        ("2024-01-01T00:00:00", "2024-01-01T00:00:00Z"),
        (" 2024 ", "2024-01-01"),
        ("2024-01-01T00:00:00+0230", "2023-12-31T21:30:00Z"),
    ],
)
def test_spellings_of_a_moment(text: str, same: str) -> None:
    assert moment(text) is not None
    assert moment(text) == moment(same)
