"""By what the resource control policies of an account tell its things apart.

Principals with the same policies, and things that those do not tell apart, may still differ by
these: by their tags, by their names, by who owns them or who asks.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
"""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.evaluate import relevant
from modelreach.policy.aws.layers import Layers
from modelreach.policy.aws.services import under_rcps
from modelreach.policy.aws.slices import Told, told_by
from modelreach.policy.aws.statement import ANYTHING, Statement
from modelreach.policy.glob import match
from modelreach.snapshot import Principal


def told_by_limits(theirs: Layers, action: str) -> Told | None:
    """Give by what resource control policies tell things apart for an action (any case); None
    where they say the same of everything, whoever asks."""
    name = action.lower()
    if not theirs.rcps or not under_rcps(name):
        return None
    documents = [policy.document for level in theirs.rcps for policy in level]
    said = tuple(statement for one in documents for statement in relevant(one, name))
    problems = any(one.problems for one in documents)
    if not problems and not any(map(_tells, said)):
        return None
    told = _told(said)
    return replace(told, varying=True) if problems else told


def parted_by_limits(role: Principal, estate: Estate) -> object:
    """Give all that the limits on assuming a role may tell of it; its id where that is too
    much."""
    told = told_by_limits(estate.resource_layers("", role.scope), "sts:AssumeRole")
    if told is None:
        return None
    if told.varying:
        return role.id
    tags = {key.lower(): value for key, value in role.tags.items()} if told.tags else {}
    return (
        tuple(match(glob, role.id) for glob in told.globs),
        tuple(map(tags.get, told.tags)),
        role.scope if told.asks_owner else "",
    )


@lru_cache(1 << 8)
def _told(said: tuple[Statement, ...]) -> Told:
    return told_by(said)


def _tells(statement: Statement) -> bool:
    named = statement.principals
    return bool(
        statement.conditions
        or statement.not_understood
        or statement.resources not in (None, ANYTHING)
        or (named is not None and (named.negated or not named.everyone))
    )
