"""Constraints of the organization policy that decide whether a way to become more is open.

https://docs.cloud.google.com/resource-manager/docs/organization-policy/restricting-service-accounts
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from modelreach.policy.gcp.estate import Estate

#: Constraints that Google enforces where no policy says otherwise.
_BY_DEFAULT = frozenset(
    {
        "iam.disableCrossProjectServiceAccountUsage",
        "iam.managed.disableServiceAccountApiKeyCreation",
    }
)


class _Rule(msgspec.Struct, rename="camel"):
    enforce: bool | None = None
    condition: dict[str, str] | None = None


class _Spec(msgspec.Struct, rename="camel"):
    rules: list[_Rule] = []
    reset: bool = False


class _Policy(msgspec.Struct, rename="camel"):
    spec: _Spec | None = None


def in_force(estate: Estate, scope: str, name: str) -> bool | None:
    """Is a constraint enforced on a scope? None: it is not known, or depends on tags.

    Its managed form counts as well: either forbids.
    """
    names = (name, name.replace("iam.disable", "iam.managed.disable"))
    answers = [_in_force(estate, scope, one) for one in dict.fromkeys(names)]
    if True in answers:
        return True
    return None if None in answers else False


def _in_force(estate: Estate, scope: str, name: str) -> bool | None:
    path = estate.path(scope)
    for here in path:
        raw = estate.constraint(here, name)
        if raw is not None:
            settled = _enforced(raw)
            if settled == _RESET:
                break
            if settled != _PARENT:
                return settled == _YES if settled != _OPEN else None
    else:
        if not estate.constraints_collected(path):
            return None
    return name in _BY_DEFAULT


_YES, _NO, _OPEN, _PARENT, _RESET = "yes", "no", "open", "parent", "reset"


def _enforced(raw: bytes) -> str:
    """What one policy says: the rule without a condition, unless those with one say otherwise.

    One that resets the constraint makes it as if no policy stood above, either.
    https://docs.cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/organizations.policies#PolicySpec
    """
    try:
        spec = msgspec.json.decode(raw, type=_Policy).spec
    except (msgspec.MsgspecError, RecursionError):
        return _OPEN
    if spec is not None and spec.reset:
        return _RESET
    if spec is None or not spec.rules:
        return _PARENT
    said = {rule.enforce for rule in spec.rules}
    if len(said) == 1:
        return _YES if said == {True} else _NO
    return _OPEN
