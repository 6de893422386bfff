"""What one principal's policies let it do, symbolically: its layers put into the algebra."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from msgspec.structs import replace

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.conditions import conditions_expr
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.effective import (
    Applied,
    Limits,
    Opened,
    Reader,
    Statements,
    measured,
    unreadable,
    within,
)
from modelreach.policy.aws.evaluate import relevant
from modelreach.policy.aws.layers import AppliedPolicy, Policies
from modelreach.policy.aws.matching import PATTERN, partly_filled
from modelreach.policy.aws.statement import Patterns, Statement
from modelreach.policy.aws.variables import Template, Variable, template
from modelreach.policy.decision import StatementRef
from modelreach.policy.expr import Atom, AtomKind, Expr
from modelreach.policy.permissions import PermissionSet

#: How many chains of limits are kept: those of some accounts.
_MOST = 256
#: How much is done for one action to see at a glance whether it is worth deciding: hundreds are.
AT_A_GLANCE = 50_000


def held(asker: Asker, action: str | None = None, work: int | None = None) -> PermissionSet:
    """Give the effective permission set on the principal's side; with an `action` (in lower case),
    the part of it that is this action; more where that is more `work` than may be done.

    The resource is not known here, so conditions on it stay open.
    """
    if action is None:
        return Holding().of(asker)
    reader = _reader(_context(asker))
    own = reader.said(_of_policies(asker.layers.identity, action))
    limits = Limits.of(reader.said(_of_policies(layer, action)) for layer in limiting(asker))
    return within(own, limits, work)


class Holding:
    """Gives the effective permission sets of the principals of one estate. What limits them is
    mostly the same for many, and is worked out once."""

    def __init__(self) -> None:
        self._limits: dict[tuple[object, ...], tuple[list[Policies], Limits]] = {}

    def of(self, asker: Asker) -> PermissionSet:
        """Give what `held` does."""
        reader = _reader(_context(asker))
        own = reader.said(_of_policies(asker.layers.identity))
        return within(own, self.limits(asker))

    def of_some(
        self, asker: Asker, some: Iterable[tuple[AppliedPolicy, Statement]], limits: Limits
    ) -> tuple[PermissionSet, int]:
        """Give what some statements of a principal's identity policies come to by themselves
        within its limits, and in how many pieces that was at most."""
        own = _reader(_context(asker)).said(
            [Applied(statement, policy.reference(statement)) for policy, statement in some]
        )
        return measured(own, limits)

    def limits(self, asker: Asker) -> Limits:
        """Give what limits a principal besides its identity policies."""
        context = _context(asker)
        return self._limiting(limiting(asker), context, _reader(context))

    def _limiting(self, layers: list[Policies], context: Context, reader: Reader) -> Limits:
        key = tuple(_told(layers, context))
        known = self._limits.get(key)
        if known is None:
            if len(self._limits) >= _MOST:
                del self._limits[next(iter(self._limits))]
            limits = Limits.of(reader.said(_of_policies(layer)) for layer in layers)
            # The documents are kept with them, so that their ids stay taken.
            known = self._limits[key] = (layers, limits)
        return known[1]


def limiting(asker: Asker) -> list[Policies]:
    """Give the layers that have to allow besides the identity policies."""
    layers = asker.layers
    exempt = asker.caller.service_linked or asker.caller.management_account
    found = [] if layers.scps is None or exempt else list(layers.scps)
    # A boundary of which nothing was read is taken not to restrict, as where it is decided.
    found += [layer for layer in (layers.boundaries or None, layers.session) if layer is not None]
    return found


def _told(layers: list[Policies], context: Context) -> Iterator[object]:
    """Give what tells apart what layers come to: their documents, and what is left of their
    conditions and variables. What they are attached to is in no permission set."""
    for layer in layers:
        yield None
        for policy in layer:
            yield policy.layer
            yield policy.name
            yield id(policy.document)
            for statement in policy.document.statements:
                if statement.conditions:
                    yield _condition(statement, context)
                if statement.variables and statement.resources is not None:
                    for glob in statement.resources.globs:
                        if "${" in glob:
                            yield _filled(statement, glob, context)


def _context(asker: Asker) -> Context:
    return asker.estate.context(asker.caller, asker.principal, "", "", asker.fixed)


def _reader(context: Context) -> Reader:
    return Reader(
        lambda statement: _condition(statement, context),
        lambda statement, glob: _filled(statement, glob, context),
    )


def _of_policies(policies: Policies, action: str | None = None) -> Statements:
    return tuple(applied for policy in policies for applied in _of_policy(policy, action))


def _of_policy(policy: AppliedPolicy, action: str | None) -> Iterator[Applied]:
    document = policy.document
    if document.problems:
        ref = StatementRef(policy.layer, policy.name, policy.target, policy.digest, 0, "", "", "")
        yield from unreadable(document.problems, ref)
    for statement in document.statements if action is None else relevant(document, action):
        said = statement if action is None else replace(statement, actions=_only(action))
        yield Applied(said, policy.reference(statement))


@lru_cache(1 << 12)
def _only(action: str) -> Patterns:
    return Patterns((action,))


def _condition(statement: Statement, context: Context) -> Expr:
    return conditions_expr(statement.conditions, context, variables=statement.variables)


def _filled(statement: Statement, glob: str, context: Context) -> str | Opened | None:
    left = partly_filled(template(glob, True, statement.variables), context)
    if left is None:
        return None
    if not left.names():
        return _widened(left)
    when = Atom(AtomKind.CONTEXT, left.names()[0], PATTERN, (str(left),))
    return Opened(_widened(left), when)


def _widened(left: Template) -> str:
    return "".join("*" if isinstance(part, Variable) else part for part in left.parts)
