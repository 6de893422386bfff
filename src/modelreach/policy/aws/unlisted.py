"""The part of a permission set that listed resources do not show.

A grant on things that were not collected, or are not there yet, is given by its pattern. Where a
kind of resource was collected whole and the pattern meets some, the listed ones speak for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import msgspec

from modelreach.model import Capability, Verdict
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.loose import TOO_MUCH
from modelreach.policy.aws.meaning import meaning, unbounded, uncatalogued
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Grant
from modelreach.policy.expr import TRUE, Atom, AtomKind, Expr, all_of, is_open
from modelreach.policy.glob import Region, intersects, is_literal, literal_prefix
from modelreach.policy.permissions import Box, PermissionSet


class _Row(msgspec.Struct):
    actions: set[str] = msgspec.field(default_factory=set[str])
    because: set[StatementRef] = msgspec.field(default_factory=set[StatementRef])


class Spot(msgspec.Struct, frozen=True):
    """A region as somebody of an account sees it. `pattern` is the most telling of the globs that
    it lies in, `named` the account that this names ("" where it names none)."""

    region: Region
    account: str
    pattern: str
    named: str

    @staticmethod
    def of(region: Region, account: str) -> Spot:
        """Look at a region from an account."""
        pattern = most_telling(region)
        return Spot(region, account, pattern, _account_of(pattern))

    @property
    def owner(self) -> str:
        """The account that things in the region are of, as far as that can be told."""
        return self.named or self.account


_Key = tuple[str, tuple[str, ...], str, Capability, Expr]


def unlisted(permissions: PermissionSet, account: str, estate: Estate) -> tuple[Grant, ...]:
    """Give grants by pattern, sorted; `principal` is left "" for the caller to fill in."""
    rows: dict[_Key, _Row] = {}
    for box in permissions.boxes:
        for region in box.resources.regions:
            spot = Spot.of(region, account)
            for kind, capability, actions in _spelled(box, spot, estate):
                residual = all_of((condition_of(box), elsewhere(spot, kind, estate)))
                key = (spot.pattern, _exceptions(region), kind, capability, residual)
                row = rows.setdefault(key, _Row())
                row.actions.update(actions)
                row.because.update(box.because)
    found = (_grant(key, row, account) for key, row in rows.items())
    return tuple(sorted(found, key=lambda g: (g.resource, g.kind, g.capability, g.actions)))


_DOUBT = Atom(AtomKind.OPAQUE, "what other statements leave of this one", "", (TOO_MUCH,))


def condition_of(box: Box) -> Expr:
    """Give what a box hangs on. Of one that may hold more than is granted, nobody knows."""
    return box.condition if box.exact else all_of((box.condition, _DOUBT))


def _grant(key: _Key, row: _Row, account: str) -> Grant:
    pattern, exceptions, kind, capability, residual = key
    return Grant(
        principal="",
        resource=pattern,
        kind=kind,
        name=pattern,
        scope=scope_of(pattern, account),
        provider="aws",
        capability=capability,
        actions=tuple(sorted(row.actions)),
        verdict=_verdict(residual),
        residual=residual,
        statements=tuple(sorted(row.because)),
        pattern=True,
        within=exceptions,
    )


def _verdict(residual: Expr) -> Verdict:
    if residual == TRUE:
        return Verdict.ALLOW
    if is_open(residual, AtomKind.GAP, AtomKind.OPAQUE):
        return Verdict.UNKNOWN
    return Verdict.CONDITIONAL


def most_telling(region: Region) -> str:
    """The most telling of the globs that a region lies in."""
    if len(region.inside) == 1:
        return region.inside[0]
    return max(region.inside, key=lambda glob: (len(glob.strip("*")), glob), default="*")


def _exceptions(region: Region) -> tuple[str, ...]:
    return tuple(f"except {glob}" for glob in region.outside)


# --- which actions, on which kinds ---------------------------------------------------------


def _spelled(
    box: Box, spot: Spot, estate: Estate
) -> Iterator[tuple[str, Capability, tuple[str, ...]]]:
    """Give kind, capability and actions for all that the box's actions mean in this region."""
    if unbounded(box.actions):
        yield "*", Capability.MANAGE, ("*",)
        return
    for meant in meaning(box.actions, spot.region):
        if not shown(meant.kind, meant.followed, spot, estate):
            yield meant.kind, meant.capability, meant.actions
    for name in uncatalogued(box.actions):
        yield f"{name.partition(':')[0]}:*", Capability.WRITE, (name,)


# --- what listed resources show ------------------------------------------------------------


def shown(kind: str, followed: bool, spot: Spot, estate: Estate) -> bool:
    """Do listed resources (or identities, for assuming them) speak for this kind here?"""
    if followed:
        return _roles_listed(spot.owner, estate)
    pattern = spot.pattern
    if kind == "s3:bucket" and _bucket_of(pattern) in estate.facts.resources:
        return True
    if not _complete(estate, spot.owner, kind) and not is_literal(pattern):
        return False
    listed = estate.listed(spot.owner, kind)
    return any(_touches(spot.region, name) for name in _near(listed, literal_prefix(pattern)))


def _near(listed: tuple[str, ...], prefix: str) -> Iterator[str]:
    """Give the names (of sorted ones) that go on from a prefix, and those that it goes on from."""
    place = bisect_left(listed, prefix)
    while place < len(listed) and listed[place].startswith(prefix):
        yield listed[place]
        place += 1
    for end, char in enumerate(prefix):
        if char in "/:":
            place = bisect_left(listed, prefix[:end])
            if place < len(listed) and listed[place] == prefix[:end]:
                yield listed[place]


def _touches(region: Region, name: str) -> bool:
    """Does a region hold a listed resource, or parts of it?"""
    if region.contains(name):
        return True
    if len(region.inside) == 1 and not region.outside:
        return any(intersects(region.inside[0], name + parts) for parts in ("/*", ":*"))
    return any(not (region & Region.of((name + parts,))).is_empty() for parts in ("/*", ":*"))


def _bucket_of(pattern: str) -> str:
    """The ARN of the bucket that a pattern names outright or lies in; "" where it does not."""
    bucket = pattern.split("/")[0]
    return bucket if is_literal(bucket) else ""


def _roles_listed(owner: str, estate: Estate) -> bool:
    return estate.facts.scopes.get(owner) is not None and estate.has_roles(owner)


def _complete(estate: Estate, account: str, kind: str) -> bool:
    rows = estate.coverage_of(account, kind)
    return bool(rows) and all(rows)


# --- what lies elsewhere -------------------------------------------------------------------


def scope_of(pattern: str, account: str) -> str:
    """Give the account that a grant by a pattern lies in, of somebody in an account."""
    return _account_of(pattern) or account


def _account_of(arn: str) -> str:
    parts = arn.split(":", 5)
    owner = parts[4] if len(parts) == 6 else ""
    return owner if len(owner) == 12 and owner.isdigit() else ""


def elsewhere(spot: Spot, kind: str, estate: Estate) -> Expr:
    """What a grant on another account's resource hangs on: that account's side was not read."""
    if spot.named and spot.named != spot.account:
        return Atom(AtomKind.GAP, f"what account {spot.named} lets in on {spot.pattern}")
    if kind == "s3:bucket" and not spot.named and _foreign_bucket(spot, estate):
        return Atom(AtomKind.GAP, f"who owns {spot.pattern} and whom its policy lets in")
    return TRUE


def _foreign_bucket(spot: Spot, estate: Estate) -> bool:
    """A bucket that is named outright, and is not among the account's own that were all listed."""
    return bool(_bucket_of(spot.pattern)) and _complete(estate, spot.account, "s3:bucket")
