"""Conditions of Google Cloud that are written to be thought about for ever."""

from __future__ import annotations

from modelreach.policy.expr import Atom, AtomKind, atoms, render
from modelreach.policy.gcp.cel import Surroundings, condition


def _choosing(depth: int) -> str:
    """A choice between choices: each of them is asked for twice."""
    text = "request.auth.q == 'z'"
    for at in range(depth):
        text = f"({text} ? request.auth.a{at} == 'x' : request.auth.b{at} == 'y')"
    return text


def test_a_choice_between_choices_is_worked_out() -> None:
    found = condition(_choosing(4), Surroundings())
    assert {atom.kind for atom in atoms(found)} == {AtomKind.CONTEXT}


def test_what_doubles_with_each_choice_is_not_understood() -> None:
    """Thirty of them, in 1,500 characters, would be a thousand million tests."""
    found = condition(_choosing(30), Surroundings())
    assert isinstance(found, Atom)
    assert found.kind is AtomKind.OPAQUE
    assert "it is too much to work out" in render(found)
