"""What `can` answers about a thing that the snapshot does not list.

That nothing grants an access to a thing is only an answer where the thing is known, or surely one
of a place that was read. Elsewhere it is not known; and of a place that was read whole, the thing
is not there at all, and its id is likely a slip.
"""

from __future__ import annotations

from msgspec.structs import replace

from modelreach.model import InputError, Verdict
from modelreach.policy.decision import Decision, Layer, Outcome
from modelreach.policy.expr import Atom, AtomKind
from modelreach.snapshot import Coverage, Facts, Scope


def settled(decision: Decision, resource: str, facts: Facts, place: str) -> Decision:
    """Give a denial, where it is one; unknown, where the thing's place was not read.

    Raises `InputError` where the place was read and has nothing of that id.
    """
    if "*" in resource or _known(resource, facts):
        return decision
    scope = _scope_of(resource, facts)
    if scope is not None and not _listed(scope, resource, facts):
        return decision
    if scope is not None and not _unread(scope, facts):
        raise InputError(
            f"nothing in {place} has the id `{resource}`",
            hint=f"{scope.kind.replace('-', ' ')} `{scope.id}` was read; "
            "use an id that the snapshot lists, or a pattern",
        )
    return _unknown(decision, f"`{resource}`, whose place was not read")


#: AWS services whose resources have policies of their own, which let in whom they name.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
_OWN_POLICIES = frozenset(
    {
        *("backup", "dynamodb", "ecr", "elasticfilesystem", "es", "events", "glacier", "glue"),
        *("kinesis", "kms", "lambda", "logs", "s3", "secretsmanager", "sns", "sqs", "ssm"),
    }
)


def settled_in_aws(decision: Decision, principal: str, resource: str, facts: Facts) -> Decision:
    """Give a denial, where it is one; unknown, where only the resource's own policy could grant,
    and not all resources of its kind were listed.

    From another account that alone grants nothing: the principal's policies have to, too.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    parts = resource.split(":", 5)
    asker = facts.principals.get(principal)
    if len(parts) < 6 or "*" in resource or asker is None or _known(resource, facts):
        return decision
    _, _, service, region, account, _ = parts
    own = account in ("", asker.scope) and service in _OWN_POLICIES
    if not own or Layer.IDENTITY not in decision.blocked_by or _LIMITS & {*decision.blocked_by}:
        return decision
    listed = [row.complete for row in _coverage(service, region, asker.scope, facts)]
    if listed and all(listed):
        return decision
    return _unknown(decision, f"its own policy: not all of {service} in {asker.scope} was listed")


#: Layers that no resource's own policy gets past.
_LIMITS = frozenset({Layer.SCP, Layer.RCP, Layer.ENDPOINT})


def _coverage(service: str, region: str, account: str, facts: Facts) -> list[Coverage]:
    """Give what says of a service whether its resources were listed."""
    return [
        row
        for row in facts.section(account, "coverage")
        if row.scope == account
        and row.kind.partition(":")[0] == service
        and row.region in ("", region)
    ]


def _unknown(decision: Decision, unread: str) -> Decision:
    return replace(
        decision,
        verdict=Verdict.UNKNOWN,
        outcome=Outcome.UNKNOWN,
        residual=Atom(AtomKind.GAP, unread),
        blocked_by=(),
    )


def _known(resource: str, facts: Facts) -> bool:
    """Is it listed, or part of something that is?"""
    if resource in facts.scopes or resource in facts.principals or resource in facts.runtimes:
        return True
    parents = (resource[:at] for at, sign in enumerate(resource) if sign in "/:")
    return resource in facts.resources or any(parent in facts.resources for parent in parents)


def _scope_of(resource: str, facts: Facts) -> Scope | None:
    """The closest listed place that an id lies in; None when it does not say so."""
    found = [scope for scope in facts.snapshot.scopes if _holds(scope, resource)]
    return max(found, key=lambda scope: len(scope.id), default=None)


def _holds(scope: Scope, resource: str) -> bool:
    named = any(f"/{name}/" in resource for name in _names(scope))
    return named or resource.lower().startswith(f"{scope.id.lower()}/")


def _listed(scope: Scope, resource: str, facts: Facts) -> bool:
    """Does a snapshot list things of this kind? Of a cluster it lists only some kinds, and what
    its roles allow is the same for all of a kind."""
    if scope.provider != "kubernetes":
        return True
    plural = next(filter(None, resource[len(scope.id) :].split("/")), "")
    kind = f"kubernetes:{plural}"
    return any(row.kind == kind for row in facts.snapshot.coverage)


def _names(scope: Scope) -> tuple[str, ...]:
    """How a project is written within the names of its things: by its id, or by its number."""
    if scope.kind != "project":
        return ()
    number = scope.attributes.get("number")
    return (scope.id, f"projects/{number}") if number else (scope.id,)


def _unread(scope: Scope, facts: Facts) -> bool:
    """Was anything of a place, or of what it lies in, not read?"""
    places = {"", scope.id}
    above = facts.scopes.get(scope.parent)
    while above is not None and above.id not in places:
        places.add(above.id)
        above = facts.scopes.get(above.parent)
    return any(gap.scope in places for gap in facts.snapshot.gaps)
