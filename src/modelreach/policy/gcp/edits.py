"""Limits that somebody may edit itself, and tags that it may attach so that a role of it counts.

Of constraints of the organization policy those are lifted that forbid credentials which it might
make else; what it does then, rules say.
https://docs.cloud.google.com/iam/docs/deny-access
https://docs.cloud.google.com/iam/docs/principal-access-boundary-policies-create
https://docs.cloud.google.com/iam/docs/conditions-attribute-reference#resource-tags
https://docs.cloud.google.com/resource-manager/docs/organization-policy/using-constraints
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelreach.model import Verdict
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.expr import Expr, all_of
from modelreach.policy.gcp.became import Became, How
from modelreach.policy.gcp.constraints import in_force
from modelreach.policy.gcp.holder import Holder

_DENIES = ("iam.denypolicies.update", "iam.denypolicies.delete")
_BOUNDARIES = (
    "iam.principalaccessboundarypolicies.update",
    "iam.principalaccessboundarypolicies.unbind",
)
_POLICIES = (
    "orgpolicy.policy.set",
    "orgpolicy.policies.update",
    "orgpolicy.policies.create",
    "orgpolicy.policies.delete",
)
#: By what makes a credential: the constraints that forbid it only all together.
_CREDENTIALS = {
    "iam.serviceAccountKeys.create": (
        "iam.disableServiceAccountKeyCreation",
        "iam.disableServiceAccountKeyUpload",
    ),
    "storage.hmacKeys.create": ("iam.disableServiceAccountKeyCreation",),
    "iam.serviceAccountApiKeyBindings.create": (
        "iam.managed.disableServiceAccountApiKeyCreation",
    ),
}
_ATTACH = "resourcemanager.tagValueBindings.create"
_OWNER = re.compile(r"TagKey\('(\d+)/|[mM]atchTag\('(\d+)/")


def edits(holder: Holder) -> Iterator[Pivot]:
    """Give a hop to what the principal would be after each change that it may make."""
    if holder.asker.lifted is None:
        yield from _of_denies(holder)
        yield from _of_boundaries(holder)
        yield from _of_constraints(holder)
        yield from _of_tags(holder)


def _of_denies(holder: Holder) -> Iterator[Pivot]:
    asker, estate = holder.asker, holder.asker.estate
    for scope in estate.scopes_with_denies:
        if any(asker.is_meant(rule) for rule in estate.denies(scope)):
            note = f"edits the deny policies of {scope}, which bind it"
            yield from _first(holder, _DENIES, scope, How.NO_DENY, "gcp-edit-deny-policy", note)


def _of_boundaries(holder: Holder) -> Iterator[Pivot]:
    estate, told = holder.asker.estate, set[str]()
    for bound, _ in holder.asker.boundaries:
        owner = estate.scope(bound.name.partition("/locations/")[0])
        if owner not in told and estate.is_scope(owner):
            told.add(owner)
            note = f"edits boundary {bound.name}, which binds it"
            rule = "gcp-edit-boundary"
            yield from _first(holder, _BOUNDARIES, owner, How.NO_BOUNDARY, rule, note)


def _of_constraints(holder: Holder) -> Iterator[Pivot]:
    estate, told = holder.asker.estate, set[str]()
    for action, names in _CREDENTIALS.items():
        for place in holder.places(action):
            scope = estate.scope_of(place)
            forbidden = scope and all(in_force(estate, scope, name) for name in names)
            if forbidden and scope not in told:
                told.add(scope)
                note = f"lifts constraint {names[0]} of {scope}"
                rule = "gcp-lift-constraint"
                yield from _first(holder, _POLICIES, scope, How.NO_CONSTRAINT, rule, note)


def _first(
    holder: Holder, actions: tuple[str, ...], place: str, how: How, rule: str, note: str
) -> Iterator[Pivot]:
    """Give the hop by the first of the actions that the principal may do there."""
    for action in actions:
        found = _met(holder, ((action, place),))
        if found is not None:
            yield _pivot(holder, how, place, found, rule, note)
            return


_Met = tuple[tuple[Support, ...], Expr]


def _met(holder: Holder, needs: tuple[tuple[str, str], ...]) -> _Met | None:
    supports: list[Support] = []
    residuals: list[Expr] = []
    for action, place in needs:
        if not holder.places(action):
            return None
        decision = holder.decide(action, place, {})
        if decision.verdict is Verdict.DENY:
            return None
        supports.append(Support(holder.name, action, place, decision.allowed_by))
        residuals.append(decision.residual)
    return tuple(supports), all_of(residuals)


def _pivot(holder: Holder, how: How, place: str, met: _Met, rule: str, note: str) -> Pivot:
    supports, residual = met
    return Pivot(
        "self-escalation",
        holder.name,
        Became(holder.name, how, place).name,
        strength_of(residual),
        residual,
        supports,
        rule,
        note=note,
    )


# --- tags ------------------------------------------------------------------------------------


def _of_tags(holder: Holder) -> Iterator[Pivot]:
    """Where a binding waits for a tag, and the principal may attach such tags below it."""
    estate, told = holder.asker.estate, set[str]()
    waiting = [
        held
        for bindings in holder.asker.held.values()
        for held in bindings
        if "Tag" in held.binding.condition
    ]
    for held in waiting:
        owner = _owner(held.binding.condition) or estate.path(held.binding.target)[-1]
        for action, place in _attaching(holder, held.binding.target):
            found = _met(holder, ((action, place), (_ATTACH, owner)))
            if found is not None and place not in told:
                told.add(place)
                note = f"attaches the tags that {held.binding.role} waits for"
                yield _pivot(holder, How.ANY_TAG, place, found, "gcp-attach-tag", note)


def _owner(condition: str) -> str:
    """The organization of the tag that a condition names; "" if it is named by its id."""
    found = _OWNER.search(condition)
    return f"organizations/{found[1] or found[2]}" if found else ""


def _attaching(holder: Holder, target: str) -> Iterator[tuple[str, str]]:
    """Permissions to attach tags, and where: on the target of a binding, above or below it."""
    estate = holder.asker.estate
    here = set(estate.chain(target))
    for place, bindings in sorted(holder.asker.held.items()):
        if place not in here and target not in estate.chain(place):
            continue
        for held in bindings:
            for permission in estate.role(held.binding.role).permissions or ():
                if permission.endswith(".createTagBinding"):
                    yield permission, target if place in here else place
