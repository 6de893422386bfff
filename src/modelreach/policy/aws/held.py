"""What one principal's policies let it do, symbolically: its layers put into the algebra."""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.conditions import conditions_expr
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.effective import (
    Applied,
    Opened,
    PrincipalSide,
    Statements,
    effective,
    unreadable,
)
from modelreach.policy.aws.layers import AppliedPolicy, Policies
from modelreach.policy.aws.matching import PATTERN, partly_filled
from modelreach.policy.aws.statement import Statement
from modelreach.policy.aws.variables import Template, Variable, template
from modelreach.policy.decision import StatementRef
from modelreach.policy.expr import Atom, AtomKind, Expr
from modelreach.policy.permissions import PermissionSet


def held(asker: Asker) -> PermissionSet:
    """Give the effective permission set on the principal's side.

    The resource is not known here, so conditions on it stay open.
    """
    context = asker.estate.context(asker.caller, asker.principal, "", "", asker.fixed)
    layers = asker.layers
    exempt = asker.caller.service_linked or asker.caller.management_account
    side = PrincipalSide(
        identity=_statements(layers.identity),
        # A boundary of which nothing was read is taken not to restrict, as where it is decided.
        boundary=_statements(layers.boundaries) if layers.boundaries else None,
        scps=None
        if layers.scps is None or exempt
        else tuple(_statements(level) for level in layers.scps),
        session=None if layers.session is None else _statements(layers.session),
    )
    return effective(
        side,
        lambda statement: _condition(statement, context),
        lambda statement, glob: _filled(statement, glob, context),
    )


def _statements(policies: Policies) -> Statements:
    return tuple(applied for policy in policies for applied in _of_policy(policy))


def _of_policy(policy: AppliedPolicy) -> Iterator[Applied]:
    document = policy.document
    if document.problems:
        ref = StatementRef(policy.layer, policy.name, policy.target, policy.digest, 0, "", "", "")
        yield from unreadable(document.problems, ref)
    for statement in document.statements:
        yield Applied(statement, policy.reference(statement))


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
