"""Escalation rules as data: what each needs, what it yields, and examples of both.

The rules stand in the folder `escalation` beside this module, one file a service;
`docs/explanation/aws-escalation.md` explains their words. `escalation.json` is made of them for
the engine to read. `pivots` evaluates them; nothing here decides anything.
"""

# Annotations are values here, not texts: types are read from them at each start.

from enum import StrEnum
from functools import lru_cache
from typing import Literal

import msgspec

from modelreach.snapshot import AttributeValue


class Part(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of the catalogue's parts."""


On = Literal[
    "self",
    "self-policy",
    "own-group",
    "target",
    "target-policy",
    "compute",
    "linked",
    "made",
    "new",
    "any",
]


class Need(Part, frozen=True):
    """One permission: to do what, on what, and in which fixed context.

    `types` are resource types that all have to be allowed; `arns` are ARNs (with `{partition}`,
    `{region}`, `{account}`, `{target_account}`, `{name}` and attributes of the compute) of which
    one has to be, in place of the thing itself. `by` is who needs it, where it is not the caller:
    a service, or the target. Values of `context` may name attributes of the compute in braces.
    """

    action: str
    on: On
    context: dict[str, str] = {}
    types: tuple[str, ...] = ()
    arns: tuple[str, ...] = ()
    by: str = ""

    @property
    def by_trust(self) -> bool:
        """May the trust of whom it is aimed at be enough, where that names the caller?"""
        return self.on == "target" and self.action == "sts:AssumeRole"


class Holds(Part, frozen=True):
    """How many credentials of a kind the target has to hold."""

    kind: str
    at_least: int = 0
    at_most: int = 99


class Through(StrEnum):
    """By what outsiders enter as a role: a provider that speaks SAML, or one that its trust names
    and that is gone; a trust anchor of Roles Anywhere, one that is yet to be made for a profile
    that is there, or both yet to be made."""

    SAML = "saml-provider"
    NO_SAML = "missing-saml-provider"
    ANCHOR = "trust-anchor"
    PROFILE = "profile"
    NEW = "new"


class Target(Part, frozen=True):
    """Whom a rule can be aimed at.

    `through`: whom outsiders enter as, and by what; needs on `linked` are on that.
    `trusts`: one of these services may run as it. `assumable`: the caller may assume it already.
    `has`: attributes that are not empty. `credentials`: kinds of credential facts, for a rule
    that is aimed at these.
    """

    kind: Literal["user", "role", "group", "credential"]
    trusts: tuple[str, ...] = ()
    assumable: bool = False
    has: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    through: Through | None = None


class Lowered(Part, frozen=True):
    """That the hop is weaker where an attribute of the compute has a value, and why."""

    attribute: str
    value: AttributeValue
    to: Literal["conditional", "influence"]
    why: str


class Compute(Part, frozen=True):
    """Which runtimes a rule works on, and by what attributes.

    `where` has to be as given, `unless` must not be. `of_caller`: it runs as the caller.
    `caller_in`: the attribute that names the caller, where it is not in the identities. `links`
    are kinds of links, for a rule that leads to what a runtime is linked to (or, with a need on
    `linked`, through it). `spans`: what it runs as lies in other accounts than itself, so that who
    administers its account gains by it.
    """

    kind: tuple[str, ...]
    where: dict[str, AttributeValue] = {}
    unless: dict[str, tuple[AttributeValue, ...]] = {}
    lowered: tuple[Lowered, ...] = ()
    of_caller: bool = False
    caller_in: str = ""
    links: tuple[str, ...] = ()
    spans: bool = False


class Limits(Part, frozen=True):
    """The actions that what is yielded can be used for."""

    actions: tuple[str, ...]
    but: tuple[str, ...] = ()


# --- examples --------------------------------------------------------------------------------


class SceneRuntime(Part, frozen=True):
    """A runtime of an example. `runs_as` and link targets are `self`, `target`, `other` or ids (as
    is an attribute's value `self`); `lets` are actions that its own policy gives to a service
    (`SERVICE ACTION`), `session` those that a session policy on it allows."""

    kind: str
    id: str
    runs_as: tuple[str, ...] = ("target",)
    attributes: dict[str, AttributeValue] = {}
    links: dict[str, str] = {}
    lets: tuple[str, ...] = ()
    session: tuple[str, ...] = ()


class Hit(Part, frozen=True):
    """A small estate in which the rule leads somewhere.

    `may` and `target_may` are permissions of the caller and of the target: `ACTION`,
    `ACTION on THING`, either with ` if KEY is VALUE`; a thing is `self`, `target`, `compute`,
    `policy`, `group` or an ARN, and it is `*` when none is named. `trusts` is whom the target
    trusts: services, providers, `caller` or `account`, each with ` if KEY is VALUE` or without.
    `versions` are those of a managed policy that is attached to `policy_of`, the first one in
    force. `resources` are ids by kind, `collected` the kinds of which all are listed. `strength`
    is what the hop should have.
    """

    path: str = ""
    caller: Literal["user", "role"] = "user"
    may: tuple[str, ...] = ()
    target: str = ""
    target_may: tuple[str, ...] = ()
    trusts: tuple[str, ...] = ()
    attributes: dict[str, AttributeValue] = {}
    credentials: tuple[str, ...] = ()
    runtimes: tuple[SceneRuntime, ...] = ()
    policy_of: Literal["", "self", "target", "group"] = ""
    versions: dict[str, tuple[str, ...]] = {}
    boundary: tuple[str, ...] = ()
    target_boundary: tuple[str, ...] = ()
    resources: dict[str, str] = {}
    collected: tuple[str, ...] = ()
    in_group: bool = False
    strength: Literal["certain", "conditional", "unknown", "influence"] = "certain"


class Miss(Part, frozen=True):
    """A change to a hit (the first, or the one of the same `path`) after which it leads nowhere:
    a permission taken away (`without`), or something else in its place."""

    why: str
    path: str = ""
    without: str = ""
    caller: Literal["user", "role"] | None = None
    may: tuple[str, ...] | None = None
    target: str | None = None
    target_may: tuple[str, ...] | None = None
    trusts: tuple[str, ...] | None = None
    attributes: dict[str, AttributeValue] | None = None
    credentials: tuple[str, ...] | None = None
    runtimes: tuple[SceneRuntime, ...] | None = None
    policy_of: Literal["", "self", "target", "group"] | None = None
    versions: dict[str, tuple[str, ...]] | None = None
    boundary: tuple[str, ...] | None = None
    target_boundary: tuple[str, ...] | None = None
    resources: dict[str, str] | None = None
    collected: tuple[str, ...] | None = None
    in_group: bool | None = None


# --- rules -----------------------------------------------------------------------------------


class Way(Part, frozen=True):
    """One of several ways to meet a rule. `path` is the published path that describes it;
    `depends` is on what it hangs by nature. `compute_has` are attributes that are not empty
    (`resource_policy`: one is attached); `exists` is a kind of which the account has something, as
    far as such were collected."""

    needs: tuple[Need, ...]
    path: str = ""
    note: str = ""
    depends: str = ""
    target_has: tuple[str, ...] = ()
    compute_has: tuple[str, ...] = ()
    exists: str = ""
    holds: Holds | None = None


Yields = Literal[
    "target",
    "any-policy",
    "target-any-policy",
    "membership",
    "policy-version",
    "made",
    "no-boundary",
    "limited-target",
    "session",
]


class EscalationRule(Part, frozen=True):
    """One way to become another, or more.

    All of `needs`, and those of one way of `any_of`, have to be met. `strength` is the most that
    the hop can be: `influence` only feeds or prompts; `depends` says on what a hop hangs that is
    conditional by nature. `plain` rules are trust itself, which needs no rule to be followed.
    `makes` is the resource type of what is made, on which the needs on `made` are.
    """

    id: str
    title: str
    kind: str
    cite: str
    yields: Yields
    path: str = ""
    source: Literal["user", "role", ""] = ""
    bounded: bool = False
    plain: bool = False
    target: Target | None = None
    compute: Compute | None = None
    makes: str = ""
    needs: tuple[Need, ...] = ()
    any_of: tuple[Way, ...] = ()
    limits: Limits | None = None
    strength: Literal["certain", "influence"] = "certain"
    depends: str = ""
    about: str = ""

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways to meet it, each with all that it needs."""
        if not self.any_of:
            return (Way(needs=self.needs, path=self.path),)
        return tuple(
            msgspec.structs.replace(way, needs=(*self.needs, *way.needs)) for way in self.any_of
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """The published paths that it covers."""
        return tuple(way.path for way in self.ways if way.path)


class ShownRule(EscalationRule, frozen=True):
    """A rule with the examples that show it, which nothing is decided by."""

    hits: tuple[Hit, ...] = ()
    misses: tuple[Miss, ...] = ()

    @property
    def bare(self) -> EscalationRule:
        """The rule alone."""
        return EscalationRule(
            **{name: getattr(self, name) for name in EscalationRule.__struct_fields__}
        )


class Service(Part, frozen=True):
    """The rules of one file."""

    title: str
    rules: tuple[ShownRule, ...]


#: The files of the catalogue, in the order in which they are read and documented.
SERVICES = (
    "iam",
    "sts",
    "identitycenter",
    "lambda",
    "ec2",
    "ssm",
    "ecs",
    "eks",
    "bedrock",
    "agentcore",
    "sagemaker",
    "cloudformation",
    "codebuild",
    "glue",
    "apprunner",
    "stepfunctions",
    "batch",
    "emr",
    "datapipeline",
    "codepipeline",
    "iot",
    "gateways",
    "entrances",
    "transfer",
    "supply",
)


@lru_cache(maxsize=1)
def services() -> dict[str, Service]:
    """Give the catalogue, by file, with the rules' examples."""
    from pathlib import Path

    from modelreach import strict_yaml

    folder = Path(__file__).with_suffix("")
    return {
        name: strict_yaml.shipped(folder.joinpath(f"{name}.yaml").read_bytes(), Service)
        for name in SERVICES
    }


def compiled() -> bytes:
    """Give the rules without their examples, as `escalation.json` has them."""
    bare = [rule.bare for service in services().values() for rule in service.rules]
    return msgspec.json.format(msgspec.json.encode(bare), indent=1) + b"\n"


@lru_cache(maxsize=1)
def rules() -> tuple[EscalationRule, ...]:
    """Give all rules without their examples, in the catalogue's order: from `escalation.json`,
    since reading so much YAML takes longer than deciding by it."""
    with open(__file__.removesuffix(".py") + ".json", "rb") as file:  # noqa: PTH123
        return msgspec.json.decode(file.read(), type=tuple[EscalationRule, ...])


@lru_cache(maxsize=1)
def ways_by_id() -> dict[str, tuple[Way, ...]]:
    """Give the ways of each rule."""
    return {rule.id: rule.ways for rule in rules()}


@lru_cache(maxsize=1)
def rules_by_id() -> dict[str, EscalationRule]:
    """Give the rules by id."""
    return {rule.id: rule for rule in rules()}
