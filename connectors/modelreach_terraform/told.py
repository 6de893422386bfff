"""A resource as the providers' tables see it: its values, its place, and what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from modelreach.snapshot import Gap
from modelreach_terraform.documents import marked
from modelreach_terraform.edits import Edit, Unknown
from modelreach_terraform.plan import Instance
from modelreach_terraform.resolve import Resolver, Values
from modelreach_terraform.values import (
    UNKNOWN,
    Json,
    Unread,
    at,
    blocks,
    is_unread,
    pairs,
    parsed,
    text,
    texts,
)
from modelreach_terraform.world import World

#: The reason of a gap that closes by itself once the plan is applied.
AFTER_APPLY = "after-apply"


@dataclass(frozen=True, slots=True)
class Told:
    """One instance on one side of a change."""

    instance: Instance
    values: Values
    place: Mapping[str, str]
    resolver: Resolver
    world: World

    @property
    def address(self) -> str:
        """The address of the instance."""
        return self.instance.address

    def get(self, path: str) -> Json:
        """Give what is at a path."""
        return self.resolver.get(self.instance, self.values, path)

    def text(self, *paths: str) -> str:
        """Give the first text that there is, "" where there is none or it is not known."""
        return next((found for path in paths if (found := text(self.get(path)))), "")

    def texts(self, path: str) -> tuple[str, ...]:
        """Give the texts of a list."""
        return texts(self.get(path))

    def blocks(self, path: str) -> Iterator[dict[str, Json]]:
        """Give the blocks of that name."""
        return blocks(self.get(path))

    def flag(self, path: str) -> bool | None:
        """Give a flag, None where it is not told."""
        found = self.get(path)
        return found if isinstance(found, bool) else None

    def filled(self, template: str) -> str:
        """Fill a template; "" when something in it is not known."""
        return self.resolver.filled(self.instance, self.values, template)

    def document(self, path: str) -> Json:
        """Give a policy document, decoded, with statements marked of which something is not known;
        UNKNOWN when nothing of it is.

        A text that only refers to something is not yet the document around that.
        """
        if not is_unread(at(self.values, path)):
            return parsed(self.get(path))
        found = parsed(self.get(path))
        return marked(found) if isinstance(found, dict) else UNKNOWN

    def unread(self, path: str) -> bool:
        """Is there a value that is not told?"""
        return isinstance(self.get(path), Unread)

    def written(self, path: str) -> bool:
        """Does the configuration set an attribute? Else the provider told what it found."""
        return self.resolver.written(self.instance, path)

    def expression(self, path: str) -> Json:
        """Give what the configuration has for an attribute or block, None where it has none."""
        return self.resolver.expression(self.instance, path)

    def others(self, kind: str) -> Iterator[Told]:
        """Give the resources of a type as they will be."""
        for instance, values in self.resolver.instances(kind):
            place = self.resolver.place(instance, values)
            yield Told(instance, values, place, self.resolver, self.world)

    def tags(self) -> dict[str, str]:
        """Give tags or labels, those included that the provider sets on everything."""
        for name in ("tags_all", "effective_labels", "terraform_labels"):
            if found := pairs(self.values.get(name)):
                return found
        return pairs(self.values.get("tags")) or pairs(self.values.get("labels"))

    def unknown(self, kind: str, subject: str, what: str, **more: str) -> Unknown:
        """Say that something is not known before apply."""
        return self.gap(kind, subject, AFTER_APPLY, f"{what} is not known before apply", **more)

    def gap(self, kind: str, subject: str, reason: str, why: str, **more: str) -> Unknown:
        """Say that something is not known, with the address it stands at."""
        made = Gap(
            provider=self.instance.provider,
            scope=more.pop("scope_of", "") or self.place.get("scope", ""),
            kind=kind,
            reason=reason,
            subject=subject,
            operation=self.address,
            message=f"{self.address}: {why}",
            **more,
        )
        return Unknown(made)


#: Things come first, what is said of them next, what is found out by looking at both last.
THINGS, RELATIONS, LAST = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Row:
    """What a type of resource stands for.

    `follows` are templates of attributes that the provider gives and that follow from others.
    """

    edits: Callable[[Told], Iterable[Edit]]
    follows: Mapping[str, str] = field(default_factory=dict[str, str])
    phase: int = THINGS


Table = Mapping[str, Row]
