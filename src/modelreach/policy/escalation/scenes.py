"""The examples of a rule, taken apart, for whoever builds an estate of them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from modelreach.policy.escalation.rules import Hit, Miss, Rule


class Permission(msgspec.Struct, frozen=True):
    """One permission of the caller: to do what, where (see `Hit`), on what condition."""

    action: str
    place: str
    condition: str = ""

    @staticmethod
    def parse(text: str) -> Permission:
        """Read `ACTION[ on PLACE][ if CONDITION]`."""
        head, _, condition = text.partition(" if ")
        action, _, place = head.partition(" on ")
        return Permission(action, place or "scope", condition)


def permissions(hit: Hit) -> tuple[Permission, ...]:
    """Give what the caller of an example may do."""
    return tuple(Permission.parse(text) for text in hit.may)


def changed(rule: Rule, miss: Miss) -> Hit:
    """Give the hit that a miss is of, with the change."""
    fields = ("may", "kind", "attributes", "scope_attributes")
    given = {name: getattr(miss, name) for name in fields if getattr(miss, name) is not None}
    hit = msgspec.structs.replace(rule.hits[miss.hit], **given)
    return without(hit, miss.without) if miss.without else hit


def without(hit: Hit, action: str) -> Hit:
    """Give a hit without one of the caller's permissions."""
    kept = (text for text in hit.may if Permission.parse(text).action != action)
    return msgspec.structs.replace(hit, may=tuple(kept))


def spared(rule: Rule) -> Iterator[tuple[int, str, Hit]]:
    """Give every hit with one permission taken away: none may still lead anywhere."""
    for number, hit in enumerate(rule.hits):
        for permission in permissions(hit):
            yield number, permission.action, without(hit, permission.action)
