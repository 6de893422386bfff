"""What a principal's policies may touch, in outline, without deciding anything."""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.layers import AppliedPolicy, Policies
from modelreach.policy.aws.outline import outlines
from modelreach.policy.aws.surface import accounts_in
from modelreach.policy.glob import intersects, is_literal

#: What policies allow: services (None: any) with patterns.
Touch = tuple[tuple[tuple[str, ...] | None, tuple[str, ...]], ...]


def touches(asker: Asker) -> Touch:
    """Give what the policies of a principal allow, in outline."""
    found: dict[tuple[tuple[str, ...] | None, tuple[str, ...]], None] = {}
    for policy in asker.layers.identity:
        for line in outlines(policy.document):
            if line.allows:
                services = None if line.services is None else tuple(sorted(line.services))
                found[services, line.reach] = None
        if policy.document.problems:
            found[_ANYTHING] = None
    if asker.layers.unread:
        found[_ANYTHING] = None
    return (_ANYTHING,) if _ANYTHING in found else tuple(sorted(found, key=_order))


_ANYTHING: tuple[None, tuple[str, ...]] = (None, ("*",))


def _order(one: tuple[tuple[str, ...] | None, tuple[str, ...]]) -> tuple[object, ...]:
    services, globs = one
    return services is not None, services or (), globs


def touched(touch: Touch, name: str) -> bool:
    """May a principal with these policies touch a thing?"""
    service = name.split(":", 3)[2] if name.count(":") >= 3 else ""
    meant = _MEANT.get(service, {service})
    return any(
        services is None or not meant.isdisjoint(services)
        for services, globs in touch
        if service in _BY_OTHERS
        or any(glob == "*" or intersects(glob, f"{name}*") for glob in globs)
    )


#: Of what services the actions are on things of a service, where there are others than its own.
_MEANT = {
    "iam": frozenset({"iam", "sts"}),
    "organizations": frozenset({"organizations", "cloudformation", "sts"}),
}
#: Services of whose things none is named by who uses them: an organization deploys its sets of
#: stacks, and opens the root users of its members.
_BY_OTHERS = frozenset({"organizations"})


def named(asker: Asker) -> tuple[frozenset[str], frozenset[str]]:
    """Give the accounts that patterns of a principal's policies and limits name, and the buckets
    that they name outright: what is listed there speaks for the pattern."""
    globs = {glob for policy in _all(asker) for glob in _globs(policy)}
    accounts = frozenset(account for glob in globs for account in accounts_in(glob))
    heads = (glob.split("/")[0] for glob in globs if ":s3:::" in glob)
    return accounts, frozenset(head for head in heads if is_literal(head))


def _all(asker: Asker) -> Policies:
    mine = asker.layers
    levels = (mine.identity, mine.boundaries or (), mine.session or (), *(mine.scps or ()))
    return tuple(policy for level in levels for policy in level)


def _globs(policy: AppliedPolicy) -> Iterator[str]:
    for line in outlines(policy.document):
        yield from (*line.globs, *line.open)
