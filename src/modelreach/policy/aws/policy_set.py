"""Which principals of an account have the same policies, up to their own name.

Roles are rolled out from templates: their documents are the same, and what tells their answers
apart is only whom a trust or a resource's policy names. A *policy set* is all that is on the
principal's side of its answers: what it is, its documents, and what is left of their conditions.
"""

from __future__ import annotations

import msgspec

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.conditions import conditions_expr
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.layers import AppliedPolicy
from modelreach.policy.aws.statement import PolicyDocument, Statement
from modelreach.policy.aws.variables import Variable, template
from modelreach.policy.expr import Expr

PolicySet = tuple[object, ...]

#: For how many values it is kept what a statement's conditions come to.
_MOST = 64


class PolicySets:
    """Gives principals' policy sets. Documents are told apart by what they are, not by name."""

    def __init__(self) -> None:
        self._asking: dict[int, tuple[PolicyDocument, tuple[Asking, ...]]] = {}

    def of(self, asker: Asker) -> PolicySet | None:
        """Give a principal's policy set; None where something of it was not read."""
        mine, caller = asker.layers, asker.caller
        if mine.unread:
            return None
        context = asker.estate.context(caller, asker.principal, "", "", asker.fixed)
        found: list[object] = [
            asker.principal.scope,
            asker.principal.kind,
            caller.kind,
            caller.service_linked,
            caller.management_account,
            mine.boundaries is None,
            mine.session is None,
        ]
        for level in (mine.identity, mine.boundaries or (), mine.session or ()):
            found.append(None)
            for policy in level:
                found += (policy.layer, policy.name, id(policy.document))
                self._say(policy, context, found)
        for level in mine.scps or ():
            for policy in level:
                self._say(policy, context, found)
        return tuple(found)

    def _say(self, policy: AppliedPolicy, context: Context, found: list[object]) -> None:
        document = policy.document
        known = self._asking.get(id(document))
        if known is None:
            asks = tuple(one for s in document.statements if (one := asking(s)).keys)
            known = self._asking[id(document)] = (document, asks)
        found += [one.told(context) for one in known[1]]


#: The values of a key as conditions see them, and as policy variables do; None where it is open.
_Value = tuple[tuple[str, ...] | None, tuple[str, ...] | None]
_OPEN: _Value = (None, None)


class Asking(msgspec.Struct, frozen=True, eq=False):
    """A statement that asks about keys of the context: `plain` only in its conditions."""

    statement: Statement
    keys: tuple[str, ...]
    plain: bool
    _left: dict[object, Expr] = msgspec.field(default_factory=dict[object, Expr])

    def told(self, context: Context) -> object:
        """Give what the principal's side of the context makes of it; None where nothing."""
        values = self._values(context)
        if all(one == _OPEN for one in values):
            return None
        if self.plain and not any(one is None for one, _ in values):
            return self.when(context)
        return values

    def when(self, context: Context) -> Expr:
        """Give what is left of its conditions in a context."""
        values = self._values(context)
        found = self._left.get(values)
        if found is None:
            if len(self._left) >= _MOST:
                self._left.clear()
            said = self.statement
            found = self._left[values] = conditions_expr(
                said.conditions, context, variables=said.variables
            )
        return found

    def _values(self, context: Context) -> tuple[_Value, ...]:
        if context.variables_only:
            return tuple((context.values(key), context.variable(key)) for key in self.keys)
        return tuple([(one, one) for one in map(context.values, self.keys)])


def asking(statement: Statement) -> Asking:
    """Give what a statement asks of the context."""
    in_conditions: dict[str, None] = {}
    for condition in statement.conditions:
        in_conditions[condition.key] = None
        for value in condition.values:
            in_conditions.update(dict.fromkeys(_variables(value, statement)))
    globs = statement.resources.globs if statement.resources else ()
    in_globs = [key for glob in globs for key in _variables(glob, statement)]
    keys = tuple(key.lower() for key in dict.fromkeys((*in_conditions, *in_globs)))
    return Asking(statement, tuple(dict.fromkeys(keys)), not in_globs)


def _variables(text: str, statement: Statement) -> list[str]:
    if "${" not in text:
        return []
    parts = template(text, True, statement.variables).parts
    return [part.key for part in parts if isinstance(part, Variable)]
