"""Whether a trust that asks who in particular calls may mean a caller: told quickly, as everybody
who may assume roles at all is held against all of them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from modelreach.policy.aws.context import Context
from modelreach.policy.aws.layers import Policies
from modelreach.policy.aws.policy_set import Asking, asking
from modelreach.policy.aws.statement import (
    Condition,
    Effect,
    PolicyDocument,
    Quantifier,
)
from modelreach.policy.expr import FALSE
from modelreach.policy.glob import match

_WHO = "aws:principalarn"
_LIKE = frozenset({"ArnLike", "ArnEquals", "StringLike"})


class _Letter(msgspec.Struct, frozen=True):
    """A statement that lets in; with `arns`, nobody whose ARN none of these patterns matches."""

    asking: Asking
    arns: tuple[str, ...] | None


class Invited:
    """Holds callers of one estate against trusts. What single documents say is kept."""

    def __init__(self) -> None:
        self._letters: dict[int, tuple[PolicyDocument, tuple[_Letter, ...]]] = {}

    def may_mean(self, trust: Policies, context: Context) -> bool:
        """May a trust let the caller of a context in, as far as its conditions tell of callers?"""
        return any(
            policy.document.problems
            or any(_means(letter, context) for letter in self._of(policy.document))
            for policy in trust
        )

    def _of(self, document: PolicyDocument) -> tuple[_Letter, ...]:
        known = self._letters.get(id(document))
        if known is None:
            letters = tuple(_letters(document))
            # The document is kept with them, so its id stays taken.
            known = self._letters[id(document)] = (document, letters)
        return known[1]


def _letters(document: PolicyDocument) -> Iterator[_Letter]:
    for statement in document.statements:
        if statement.not_understood or statement.effect is Effect.ALLOW:
            arns = [one.values for one in statement.conditions if _on_arn(one)]
            yield _Letter(asking(statement), arns[0] if arns else None)


def _on_arn(condition: Condition) -> bool:
    """Does it ask for an ARN that one of its values has to match from end to end?

    `ArnLike` matches part by part, which the whole then does, too.
    """
    return (
        condition.key.lower() == _WHO
        and condition.operator in _LIKE
        and condition.quantifier is Quantifier.NONE
        and not condition.if_exists
        and not any("$" in value for value in condition.values)
    )


def _means(letter: _Letter, context: Context) -> bool:
    if letter.asking.statement.not_understood:
        return True
    if letter.arns is not None:
        given = context.values(_WHO)
        if given is not None and not any(match(one, arn) for arn in given for one in letter.arns):
            return False
    return letter.asking.when(context) is not FALSE
