"""What actions mean in a region: on which kinds of resource, with which capability.

It hangs on the forms of the ARNs that the actions are about. Names that no form has tell nothing:
what is worked out for the buckets of one team holds for those of any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache, partial

import msgspec

from modelreach.model import Capability
from modelreach.policy.aws import catalogue
from modelreach.policy.aws.catalogue import Action
from modelreach.policy.aws.kinds import kind_of
from modelreach.policy.extent import Extent
from modelreach.policy.glob import Region, intersects, is_literal, literal_prefix

#: Actions whose targets are identities: where principals are listed, reach follows them instead.
_FOLLOWED = frozenset({"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"})


class Meant(msgspec.Struct, frozen=True):
    """Actions of one capability on one kind. `followed`: reach follows them."""

    kind: str
    capability: Capability
    followed: bool
    actions: tuple[str, ...]


def meaning(actions: Extent, region: Region) -> tuple[Meant, ...]:
    """Give what actions mean in a region, whatever the account."""
    return _meaning(actions, told(actions, region))


@lru_cache(1 << 12)
def _meaning(actions: Extent, region: Region) -> tuple[Meant, ...]:
    groups: dict[tuple[str, Capability, bool], list[str]] = {}
    for action in _actions(actions):
        for kind in _kinds(action, region):
            followed = kind.startswith("iam:") and action.name in _FOLLOWED
            groups.setdefault((kind, action.capability, followed), []).append(action.name)
    return tuple(Meant(*key, tuple(names)) for key, names in groups.items())


def unbounded(actions: Extent) -> bool:
    """Is any action whatever meant?"""
    return any(region.inside == ("*",) and not region.outside for region in actions.regions)


@lru_cache(4096)
def _actions(actions: Extent) -> tuple[Action, ...]:
    found: dict[str, Action] = {}
    for region in actions.regions:
        narrowest = max(region.inside, key=lambda glob: len(literal_prefix(glob)), default="*")
        inside = [_named_by(glob) for glob in region.inside if glob != narrowest]
        outside = frozenset[str]().union(*map(_named_by, region.outside))
        for action in catalogue.matching(narrowest):
            name = action.name
            if name not in outside and all(name in names for names in inside):
                found[name] = action
    return tuple(action for _, action in sorted(found.items()))


@lru_cache(4096)
def _named_by(glob: str) -> frozenset[str]:
    """Give the names of the actions that a glob matches."""
    return frozenset(action.name for action in catalogue.matching(glob))


def uncatalogued(actions: Extent) -> Iterator[str]:
    """Actions named outright that AWS's catalogue does not have (yet)."""
    for region in actions.regions:
        for glob in region.inside:
            if is_literal(glob) and region.contains(glob) and catalogue.find(glob) is None:
                yield glob


def _kinds(action: Action, region: Region) -> tuple[str, ...]:
    """The kinds of resource in a region that an action is about: none if it fits none."""
    if not action.targets:
        return (f"{action.service}:*",) if _is_star(region) else ()
    return _kinds_of_targets(action, region)


def _kinds_of_targets(action: Action, region: Region) -> tuple[str, ...]:
    found = {
        _named_kind(action.service, target.type.name)
        for target in action.targets
        if _lies_in(target.type.glob, region)
    }
    named = found & _NAMED
    return tuple(sorted(named or found))


@lru_cache(1 << 16)
def _lies_in(template: str, region: Region) -> bool:
    """May ARNs of a template lie in a region?"""
    if len(region.inside) == 1 and not region.outside:
        glob = region.inside[0]
        return _fits(glob, template) and intersects(glob, template)
    return (
        all(_fits(glob, template) for glob in region.inside)
        and not (region & Region.of((template,))).is_empty()
    )


def _fits(glob: str, template: str) -> bool:
    """May a pattern mean ARNs of a template, part by part? A `*` in the template's account part
    does not stand for half of the ARN, as the text alone would allow."""
    mine, theirs = glob.split(":", 5), template.split(":", 5)
    if len(mine) < 6 or len(theirs) < 6:
        return True
    return all(intersects(a, b) for a, b in zip(mine, theirs, strict=True))


#: Kinds that a report names by themselves; all others of a service are taken together.
_NAMED = frozenset(
    {
        "s3:bucket",
        "secretsmanager:secret",
        "kms:key",
        "ssm:parameter",
        "dynamodb:table",
        "sqs:queue",
        "sns:topic",
        "lambda:function",
        "iam:role",
        "iam:user",
        "iam:group",
        "ecr:repository",
        "es:domain",
        "aoss:collection",
        "s3vectors:vector-bucket",
        "kinesis:stream",
        "logs:log-group",
        "kendra:index",
        "rds:db",
        "rds:cluster",
        "rds-db:db-user",
        "redshift:cluster",
        "redshift:dbuser",
        "redshift-serverless:workgroup",
    }
)


def _named_kind(service: str, type_name: str) -> str:
    kind = kind_of(service, type_name)
    return kind if kind in _NAMED else f"{service}:*"


def _is_star(region: Region) -> bool:
    return all(glob.strip("*") == "" for glob in region.inside)


# --- what of a region's text tells kinds apart -------------------------------------------------

#: Stands for a name that no form of an ARN has.
_SOME = "\ue000"
_WORD = re.compile(r"[^:/]+")
_PIECE = re.compile(r"[^*?]+")


def told(actions: Extent, region: Region) -> Region:
    """Give a region in which the actions mean the same, with no name in it that tells nothing.

    Forms of ARNs consist of fixed words and of `*`, parted by `:` and `/`. In what both a form
    and a pattern match, a fixed word is all that stands between two separators. So a piece of a
    pattern that can be no (part of a) fixed word always falls under a `*` of the form, and may as
    well be another such piece.
    """
    if len(region.inside) != 1 or region.outside:
        return region
    words = _words(actions)
    return region if words is None else _plainest(region, words)


@lru_cache(1 << 12)
def _words(actions: Extent) -> frozenset[str] | None:
    """The fixed words in the forms of what actions are about; None where a form has words that
    are neither fixed nor free."""
    forms = {target.type.glob for action in _actions(actions) for target in action.targets}
    words = {word for form in forms for word in _WORD.findall(form)} - {"*"}
    return None if any("*" in word or "?" in word for word in words) else frozenset(words)


def _plainest(region: Region, words: frozenset[str]) -> Region:
    glob = _WORD.sub(lambda found: _plain(found[0], words), region.inside[0])
    return region if glob == region.inside[0] else _one(glob)


@lru_cache(1 << 12)
def _one(glob: str) -> Region:
    return Region((glob,))


@lru_cache(1 << 14)
def _plain(word: str, words: frozenset[str]) -> str:
    """Give the word of a pattern with every piece left out that can be of no fixed word."""
    return _PIECE.sub(partial(_piece, words=words), word)


def _piece(found: re.Match[str], words: frozenset[str]) -> str:
    piece = found[0]
    first, last = found.start() == 0, found.end() == len(found.string)
    if first and last:
        free = piece not in words
    elif first:
        free = not any(word.startswith(piece) for word in words)
    elif last:
        free = not any(word.endswith(piece) for word in words)
    else:
        free = not any(piece in word for word in words)
    return _SOME if free else piece
