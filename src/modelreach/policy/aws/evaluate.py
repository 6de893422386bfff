"""What the policies of one layer say about a request: when they allow, when they deny."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from modelreach.policy.aws.conditions import conditions_expr, settle
from modelreach.policy.aws.layers import AppliedPolicy, KeyGrant, Request
from modelreach.policy.aws.matching import action_matches, resource_matches
from modelreach.policy.aws.principals import Caller, Way, spared, spared_session, ways
from modelreach.policy.aws.statement import Effect, PolicyDocument, Principals, Statement
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of, any_of, negate


class Clause(msgspec.Struct):
    """One statement (or a whole unreadable document) that takes part, and when it applies.

    `way` is how a resource policy that names somebody came to mean the caller; None elsewhere.
    """

    when: Expr
    policy: AppliedPolicy | KeyGrant
    statement: Statement | None = None
    way: Way | None = None

    def reference(self) -> StatementRef:
        """Give the reference that names it."""
        policy = self.policy
        if isinstance(policy, KeyGrant):
            return policy.reference()
        if self.statement is not None:
            return policy.reference(self.statement)
        return StatementRef(policy.layer, policy.name, policy.target, policy.digest, 0, "", "", "")


class Said(msgspec.Struct):
    """All that one layer says."""

    allows: list[Clause] = msgspec.field(default_factory=list[Clause])
    denies: list[Clause] = msgspec.field(default_factory=list[Clause])
    not_understood: list[str] = msgspec.field(default_factory=list[str])
    assumed: list[str] = msgspec.field(default_factory=list[str])

    @property
    def allow(self) -> Expr:
        return either(clause.when for clause in self.allows)


def either(parts: Iterable[Expr]) -> Expr:
    """Give the disjunction, quickly where one part is settled."""
    found: list[Expr] = []
    for part in parts:
        if part is TRUE:
            return TRUE
        if part is not FALSE:
            found.append(part)
    if len(found) < 2:
        return found[0] if found else FALSE
    return any_of(found)


# Statements by document and action. The document is kept with them, so its id stays taken.
_RELEVANT: dict[tuple[int, str], tuple[PolicyDocument, tuple[Statement, ...]]] = {}
_MOST = 1 << 15


def relevant(document: PolicyDocument, action: str) -> tuple[Statement, ...]:
    """Give the statements that cover the action (in lower case)."""
    key = (id(document), action)
    found = _RELEVANT.get(key)
    if found is None:
        if len(_RELEVANT) >= _MOST:
            _RELEVANT.clear()
        kept = tuple(
            statement
            for statement in document.statements
            if action_matches(statement.actions, action)
        )
        found = _RELEVANT[key] = (document, kept)
    return found[1]


_WITHOUT_PRINCIPAL = {Layer.IDENTITY, Layer.BOUNDARY, Layer.SCP, Layer.SESSION}
_WITH_PRINCIPAL = {Layer.RESOURCE, Layer.TRUST}


def evaluate(
    policies: Iterable[AppliedPolicy], request: Request, action: str, *, bounded: bool = False
) -> Said:
    """Give what the policies say. `action` is the request's in lower case.

    `bounded` says that the caller has a permissions boundary.
    """
    said = Said()
    for policy in policies:
        document = policy.document
        if document.problems:
            _unreadable(policy, said)
        for statement in relevant(document, action):
            if _names_account_at_gateway(policy.layer, statement, request):
                said.assumed.append(f"{_place(policy, statement)}: {GATEWAY}")
            for clause in _clauses(policy, statement, request, bounded):
                if clause.when is FALSE:
                    continue
                allows = statement.effect is Effect.ALLOW
                (said.allows if allows else said.denies).append(clause)
                for fault in statement.not_understood:
                    said.not_understood.append(f"{_place(policy, statement)}: {fault}")
    return said


def _place(policy: AppliedPolicy, statement: Statement) -> str:
    return f"{_policy(policy)}, statement {statement.sid or statement.index}"


def _policy(policy: AppliedPolicy) -> str:
    on = f" on {policy.target}" if policy.target else ""
    return f"{policy.layer} policy {policy.name}{on}"


def _unreadable(policy: AppliedPolicy, said: Said) -> None:
    """Such a document may allow anything and deny anything."""
    for effect, clauses in (("Allow", said.allows), ("Deny", said.denies)):
        atom = Atom(AtomKind.OPAQUE, _policy(policy), effect, policy.document.problems)
        clauses.append(Clause(atom, policy))
    said.not_understood.extend(
        f"{_policy(policy)}: {problem}" for problem in policy.document.problems
    )


def _clauses(
    policy: AppliedPolicy, statement: Statement, request: Request, bounded: bool
) -> Iterator[Clause]:
    fault = misplaced(policy.layer, statement)
    if fault:
        yield Clause(_when(policy, statement, request, fault), policy, statement)
        return
    if policy.layer in _WITHOUT_PRINCIPAL:
        yield Clause(_when(policy, statement, request), policy, statement)
        return
    named = statement.principals
    if named is not None and named.negated:
        hit = settle(_hits(statement, named, request.caller, bounded), request.context)
        if hit is not FALSE:
            when = _when(policy, statement, request)
            met = when if hit is TRUE else all_of((when, hit))
            yield Clause(met, policy, statement)
        return
    means = ways(named, request.caller)
    if not means:
        return
    when = _when(policy, statement, request)
    for way, depends in means:
        if way is Way.ACCOUNT and _means_root_only(policy.layer, request.action):
            continue
        hangs = depends is not TRUE
        means_it = all_of((when, settle(depends, request.context))) if hangs else when
        yield Clause(means_it, policy, statement, way)


def _hits(statement: Statement, named: Principals, caller: Caller, bounded: bool) -> Expr:
    """When does a NotPrincipal mean the caller: when it does not spare it.

    With Deny it "will always deny any IAM principal that has a permissions boundary".
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    With Allow it is not supported any more; in policies that have it from before it "allows all
    principals except the one named", anonymous ones as well, so this is what it is taken to do.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if bounded and statement.effect is Effect.DENY:
        return TRUE
    return FALSE if spared(named, caller) else negate(spared_session(named, caller))


def _means_root_only(layer: Layer, action: str) -> bool:
    """A gateway endpoint's policy that names an account means its root user only.

    S3 and DynamoDB have gateway endpoints.
    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    return layer is Layer.ENDPOINT and action.lower().startswith(("s3:", "dynamodb:"))


#: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
GATEWAY = (
    "taken to be of a gateway endpoint, where an account stands for its root user; "
    "at an interface endpoint it stands for everyone in it"
)


def _names_account_at_gateway(layer: Layer, statement: Statement, request: Request) -> bool:
    """Does it hang on the kind of the endpoint whom the statement means?"""
    if not _means_root_only(layer, request.action):
        return False
    means = ways(statement.principals, request.caller)
    return bool(means) and all(way is Way.ACCOUNT for way, _ in means)


def misplaced(layer: Layer, statement: Statement) -> str:
    """Say what a statement of this layer must have and has not, or the other way round."""
    if layer in _WITHOUT_PRINCIPAL:
        if statement.principals is not None and not _denies_everyone(statement):
            return "there is a Principal in a policy that has none"
        if statement.resources is None:
            return "there is neither Resource nor NotResource"
    if layer in _WITH_PRINCIPAL and statement.principals is None:
        return "there is neither Principal nor NotPrincipal"
    if layer is Layer.TRUST and statement.principals is not None and statement.principals.negated:
        return "there is a NotPrincipal in a trust policy"
    return ""


def _denies_everyone(statement: Statement) -> bool:
    """Is it a Deny for everybody, in a policy that has no Principal? It then means what it says:
    such statements are copied over from resource policies."""
    named = statement.principals
    return (
        statement.effect is Effect.DENY
        and named is not None
        and named.everyone
        and not named.negated
    )


def _when(policy: AppliedPolicy, statement: Statement, request: Request, fault: str = "") -> Expr:
    when = resource_matches(
        statement.resources, request.resource, statement.variables, request.context
    )
    if when is FALSE:
        return FALSE
    parts = [when]
    if statement.conditions:
        met = conditions_expr(statement.conditions, request.context, variables=statement.variables)
        if met is FALSE:
            return FALSE
        parts.append(met)
    faults = (*statement.not_understood, fault) if fault else statement.not_understood
    if faults:
        place = _place(policy, statement)
        parts.append(Atom(AtomKind.OPAQUE, place, statement.effect.value, faults))
    return all_of(parts) if len(parts) > 1 else when
