"""Escalation rules as data, for providers whose permissions come as roles over scopes.

The rules of a provider stand in a folder `escalation` of its package, one YAML file a service.
`docs/explanation/escalation-rules.md` explains their words. `prober` evaluates them; nothing here
decides anything.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Literal

import msgspec

from modelreach.snapshot import AttributeValue


class Part(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of the catalogue's parts."""


#: Where a permission is needed: on the caller itself, on the target, on the compute or thing that
#: is used, on what the compute is linked to, on the scope that the target (or else the compute,
#: or the thing) is in, or in any one place where the caller has it.
On = Literal["self", "target", "compute", "thing", "linked", "scope", "anywhere"]

#: What a rule leads to: acting as the target, or taking over the scope (of the target, compute or
#: thing; for a rule that is aimed at scopes, the scope itself).
Yields = Literal["target", "scope"]


class Need(Part, frozen=True):
    """One permission, on what, and with what the request then says.

    `context` fixes attributes of the request, for conditions that ask for them. `note` is shown
    in the witness.
    """

    action: str
    on: On
    context: dict[str, str] = {}
    note: str = ""


class Setting(Part, frozen=True):
    """What the surroundings have to be like: attributes in `has` are not empty, those in `where`
    are as given, those in `unless` are not.

    `name` is the name of what has the attributes. An attribute that was not read makes the hop
    unknown, not impossible.
    """

    has: tuple[str, ...] = ()
    where: dict[str, AttributeValue] = {}
    unless: dict[str, tuple[AttributeValue, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self.has or self.where or self.unless)


class Target(Part, frozen=True):
    """Whom a rule can be aimed at, by kind of principal and by attributes."""

    kind: tuple[str, ...]
    setting: Setting = Setting()


class Compute(Part, frozen=True):
    """Which runtimes a rule works on; the target is what they run as.

    `links` are kinds of links: then the rule leads through what a runtime is linked to (an image,
    a model's files), and `linked` needs are asked of that.
    """

    kind: tuple[str, ...]
    setting: Setting = Setting()
    links: tuple[str, ...] = ()


class Thing(Part, frozen=True):
    """Which listed resources (or scopes, by their kind) a rule is aimed at.

    `leads`: the attribute that names the target, for a thing that opens somebody.
    """

    kind: tuple[str, ...]
    setting: Setting = Setting()
    leads: str = ""


class Way(Part, frozen=True):
    """One of several ways to meet a rule. `depends` says on what it hangs by nature, `scope` is
    what the scope has to be like for this way."""

    needs: tuple[Need, ...]
    scope: Setting = Setting()
    note: str = ""
    depends: str = ""


class Hit(Part, frozen=True):
    """A small estate in which the rule leads where it says.

    `may` are the caller's permissions: `ACTION`, `ACTION on PLACE`, either with ` if CONDITION`.
    A place is `self`, `target`, `compute`, `thing`, `linked`, `scope` (the default: that of all of
    them), `above` (the scope over it) or `other` (a scope beside it). `attributes` are those of
    the target, compute or thing, `scope_attributes` those of the scope.
    """

    may: tuple[str, ...]
    kind: str = ""
    attributes: dict[str, AttributeValue] = {}
    scope_attributes: dict[str, AttributeValue] = {}
    strength: Literal["certain", "conditional", "unknown", "influence"] = "certain"


class Miss(Part, frozen=True):
    """A change to the first hit (or that with this index) after which it leads nowhere."""

    why: str
    hit: int = 0
    without: str = ""
    may: tuple[str, ...] | None = None
    kind: str | None = None
    attributes: dict[str, AttributeValue] | None = None
    scope_attributes: dict[str, AttributeValue] | None = None


class Rule(Part, frozen=True):
    """One way to become another, or to take a scope over.

    All of `needs`, and those of one way of `any_of`, have to be met. `strength` is the most that
    the hop can be; `depends` says on what it hangs that no policy says. `scope` is what the scope
    has to be like. `edges` are the names under which others describe the same.
    """

    id: str
    title: str
    kind: str
    cite: str
    yields: Yields = "target"
    target: Target | None = None
    compute: Compute | None = None
    thing: Thing | None = None
    scope: Setting = Setting()
    needs: tuple[Need, ...] = ()
    any_of: tuple[Way, ...] = ()
    strength: Literal["certain", "influence"] = "certain"
    depends: str = ""
    about: str = ""
    edges: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = ()
    misses: tuple[Miss, ...] = ()

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways to meet it, each with all that it needs."""
        if not self.any_of:
            return (Way(needs=self.needs),)
        return tuple(
            msgspec.structs.replace(way, needs=(*self.needs, *way.needs)) for way in self.any_of
        )


class Service(Part, frozen=True):
    """The rules of one file."""

    title: str
    rules: tuple[Rule, ...]


@lru_cache(maxsize=8)
def services(package: str) -> dict[str, Service]:
    """Give the catalogue of a provider's package (`modelreach.policy.gcp`), by file name."""
    from modelreach import strict_yaml

    folder = files(package).joinpath("escalation")
    found = sorted(file.name for file in folder.iterdir() if file.name.endswith(".yaml"))
    return {
        name.removesuffix(".yaml"): strict_yaml.shipped(
            folder.joinpath(name).read_bytes(), Service
        )
        for name in found
    }


@lru_cache(maxsize=8)
def rules(package: str) -> tuple[Rule, ...]:
    """Give all rules of a provider's package, by file name."""
    return tuple(rule for service in services(package).values() for rule in service.rules)
