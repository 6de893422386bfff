"""The smallest change that takes a reach away: one statement of one hop."""

from __future__ import annotations

from modelreach.graph import Path
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.engine import Pivot
from modelreach.reach import Access


def cut(access: Access, others: int = 0) -> str:
    """Say how to take one access away: at the grant, which takes nothing else away. Of so many
    `others` the same is to be taken away at the same place."""
    grant = access.grant
    actions = ", ".join(f"`{action}`" for action in grant.actions[:3])
    more = f" and {len(grant.actions) - 3} more" if len(grant.actions) > 3 else ""
    if not grant.statements:
        return cut_path(access.path)
    if grant.statements[0].layer is Layer.BINDING:
        return _unbind(grant.statements[0], grant.principal)
    if grant.statements[0].layer is Layer.SERVICE:  # no policy says it: it is in what runs
        return f"take `{grant.resource}` out of `{grant.statements[0].target}`"
    on = f"`{grant.resource}`" + (f" and {others} more" if others else "")
    return taken_out(f"{actions}{more} on {on}", grant.statements[0])


def cut_path(path: Path) -> str:
    """Say how to cut a way at its last hop: the one to whom administers, if there is one, since
    that identity may have its power for a reason."""
    if not path.pivots:
        return ""
    reached_by_hop = path.pivots[-1].kind == "administer" and len(path.pivots) > 1
    return _cut_pivot(path.pivots[-2 if reached_by_hop else -1])


def _cut_pivot(pivot: Pivot) -> str:
    for support in pivot.support:
        for ref in support.statements:
            if ref.layer is Layer.BINDING:
                return _unbind(ref, support.subject)
            if ref.layer is Layer.SERVICE:  # no policy says it: whoever is of a group may do all
                return f"take `{support.subject}` out of `{ref.policy}` of `{ref.target}`"
            if ref.layer is not Layer.TRUST:
                return taken_out(f"`{support.action}` on `{support.object}`", ref)
    for support in pivot.support:
        for ref in support.statements:
            return f"take `{support.subject}` out of {place(ref)}"
    return ""


def _unbind(ref: StatementRef, holder: str) -> str:
    named = f" (`{ref.sid}`)" if ref.sid else ""
    return (
        f"take role `{ref.policy}` on `{ref.target}` from `{holder}`{named}, or give a narrower "
        "role or a smaller scope"
    )


def taken_out(what: str, ref: StatementRef) -> str:
    """Say how a statement is to lose something: a policy that the provider manages cannot be
    changed, and has to make room for another one."""
    if not ref.managed_by:
        return f"take {what} out of {place(ref)}"
    policy = f"the {ref.managed_by} managed policy `{ref.policy}`"
    return f"put a policy of your own without {what} in the place of {policy} on `{ref.target}`"


def place(ref: StatementRef) -> str:
    """Say where a statement stands."""
    label = f"statement `{ref.sid}`" if ref.sid else f"statement {ref.index + 1}"
    return f"{label} of {ref.layer} policy `{ref.policy or 'inline'}` on `{ref.target}`"
