"""The mechanism for providers whose permissions come as roles over scopes, on a world of dicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from modelreach.model import Strength, Verdict
from modelreach.policy.decision import Decision, Outcome
from modelreach.policy.engine import Pivot
from modelreach.policy.escalation.mechanism import tried
from modelreach.policy.escalation.prober import UNREAD, RoleProber, Unread
from modelreach.policy.escalation.rules import (
    Compute,
    Need,
    Rule,
    Setting,
    Target,
    Thing,
    Way,
)
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, render
from modelreach.snapshot import AttributeValue, Link, Principal, Resource, Runtime, Scope

OPEN = Atom(AtomKind.CONTEXT, "request.time", "<", ("noon",))


@dataclass
class Held:
    """One caller in a world of two projects: what it may do is (action, place) -> when."""

    may: dict[tuple[str, str], Expr]
    of: tuple[Principal | Runtime | Resource | Scope, ...]
    settings: dict[tuple[str, str], AttributeValue | Unread] = field(default_factory=dict)
    name: str = "caller"
    asked: list[tuple[str, str]] = field(default_factory=list)

    def places(self, action: str) -> tuple[str, ...]:
        return tuple(sorted(place for held, place in self.may if held == action))

    def decide(self, action: str, thing: str, context: Mapping[str, tuple[str, ...]]) -> Decision:
        self.asked.append((action, thing))
        when = self.may.get((action, thing))
        if when is None:
            scope = next((getattr(f, "scope", "") for f in self.of if f.id == thing), "")
            when = self.may.get((action, scope), FALSE)
        if when == FALSE:
            return Decision(Verdict.DENY, Outcome.IMPLICIT_DENY, FALSE)
        if when == TRUE:
            return Decision(Verdict.ALLOW, Outcome.ALLOW)
        return Decision(Verdict.CONDITIONAL, Outcome.CONDITIONAL, when)

    def _those(self, type_: type, kinds: tuple[str, ...], places: tuple[str, ...]) -> Any:
        return [
            fact
            for fact in self.of
            if isinstance(fact, type_)
            and fact.kind in kinds
            and (fact.id in places or getattr(fact, "scope", "") in places)
        ]

    def principals(self, kinds: tuple[str, ...], places: tuple[str, ...]) -> Iterable[Principal]:
        return self._those(Principal, kinds, places)  # type: ignore[no-any-return]

    def runtimes(self, kinds: tuple[str, ...], places: tuple[str, ...]) -> Iterable[Runtime]:
        return self._those(Runtime, kinds, places)  # type: ignore[no-any-return]

    def linked(
        self, kinds: tuple[str, ...], links: tuple[str, ...], places: tuple[str, ...]
    ) -> Iterable[Runtime]:
        return [
            fact
            for fact in self.of
            if isinstance(fact, Runtime)
            and fact.kind in kinds
            and any(link.kind in links and link.target in places for link in fact.links)
        ]

    def things(
        self, kinds: tuple[str, ...], places: tuple[str, ...]
    ) -> Iterable[Resource | Scope]:
        return [
            *self._those(Resource, kinds, places),
            *self._those(Scope, kinds, places),
        ]

    def known(self, name: str) -> Principal | None:
        return next((f for f in self.of if isinstance(f, Principal) and f.id == name), None)

    def scope_attribute(self, scope: str, name: str) -> AttributeValue | Unread | None:
        return self.settings.get((scope, name))


def account(name: str, scope: str = "one", **attributes: AttributeValue) -> Principal:
    return Principal(id=name, provider="x", kind="account", scope=scope, attributes=attributes)


def service(name: str, runs_as: str, *links: Link, **attributes: AttributeValue) -> Runtime:
    return Runtime(
        id=name,
        provider="x",
        kind="service",
        scope="one",
        identities=(runs_as,),
        links=links,
        attributes=attributes,
    )


def hops(rule: Rule, held: Held) -> list[Pivot]:
    return list(tried(rule, RoleProber(held)))


MINT = Rule(
    id="mint",
    title="mint a token",
    kind="impersonate",
    cite="https://example.org",
    target=Target(kind=("account",), setting=Setting(unless={"disabled": (True,)})),
    needs=(Need(action="token", on="target"),),
)
DEPLOY = Rule(
    id="deploy",
    title="deploy as it",
    kind="pass-role",
    cite="https://example.org",
    target=Target(kind=("account",)),
    needs=(Need(action="act-as", on="target"), Need(action="create", on="anywhere")),
    any_of=(
        Way(needs=(Need(action="call", on="scope"),)),
        Way(needs=(), depends="something calls it"),
    ),
)
GIVE = Rule(
    id="give",
    title="give itself any role",
    kind="self-escalation",
    cite="https://example.org",
    yields="scope",
    thing=Thing(kind=("project",)),
    scope=Setting(unless={"locked": (True,)}),
    needs=(Need(action="set-policy", on="thing"),),
)


def test_a_permission_on_the_scope_reaches_all_in_it_and_nobody_else() -> None:
    held = Held({("token", "one"): TRUE}, (account("a"), account("b"), account("c", "two")))
    assert [(p.target, p.strength) for p in hops(MINT, held)] == [
        ("a", Strength.CERTAIN),
        ("b", Strength.CERTAIN),
    ]
    assert all(thing != "c" for _, thing in held.asked)


def test_a_hop_stands_on_what_grants_it() -> None:
    (pivot,) = hops(MINT, Held({("token", "a"): OPEN}, (account("a"), account("b"))))
    assert (pivot.source, pivot.target, pivot.kind, pivot.rule) == (
        "caller",
        "a",
        "impersonate",
        "mint",
    )
    assert [(s.action, s.object) for s in pivot.support] == [("token", "a")]
    assert pivot.strength is Strength.CONDITIONAL
    assert pivot.residual == OPEN


def test_nobody_becomes_itself() -> None:
    assert hops(MINT, Held({("token", "one"): TRUE}, (account("caller"),))) == []


def test_what_is_excluded_is_no_target() -> None:
    held = Held({("token", "one"): TRUE}, (account("a", disabled=True), account("b")))
    assert [p.target for p in hops(MINT, held)] == ["b"]


@pytest.mark.parametrize("missing", ["act-as", "create"])
def test_each_need_is_needed(missing: str) -> None:
    may: dict[tuple[str, str], Expr] = {
        ("act-as", "a"): TRUE,
        ("create", "two"): TRUE,
        ("call", "one"): TRUE,
    }
    assert [p.strength for p in hops(DEPLOY, Held(may, (account("a"),)))] == [Strength.CERTAIN]
    less = {key: when for key, when in may.items() if key[0] != missing}
    assert hops(DEPLOY, Held(less, (account("a"),))) == []


def test_the_weaker_way_is_told_where_the_stronger_is_not_met() -> None:
    may: dict[tuple[str, str], Expr] = {("act-as", "a"): TRUE, ("create", "one"): TRUE}
    (pivot,) = hops(DEPLOY, Held(may, (account("a"),)))
    assert pivot.strength is Strength.CONDITIONAL
    assert render(pivot.residual) == "provided that something calls it"


def test_a_scope_is_taken_over_unless_its_settings_forbid_it() -> None:
    project = Scope(id="one", provider="x", kind="project")
    held = Held({("set-policy", "one"): TRUE}, (project,))
    assert [(p.kind, p.target) for p in hops(GIVE, held)] == [("administer", "one")]
    held.settings["one", "locked"] = True
    assert hops(GIVE, held) == []


def test_a_setting_that_was_not_read_makes_it_unknown_not_impossible() -> None:
    held = Held({("set-policy", "one"): TRUE}, (Scope(id="one", provider="x", kind="project"),))
    held.settings["one", "locked"] = UNREAD
    (pivot,) = hops(GIVE, held)
    assert pivot.strength is Strength.UNKNOWN
    assert "not read: locked of one" in render(pivot.residual)


def test_what_a_runtime_is_linked_to_leads_to_what_it_runs_as() -> None:
    rule = Rule(
        id="feed",
        title="replace its model",
        kind="feed",
        cite="https://example.org",
        strength="influence",
        compute=Compute(kind=("service",), links=("reads",)),
        needs=(Need(action="write", on="linked"),),
    )
    bucket = Link(kind="reads", target="bucket")
    world = (account("a"), service("s", "a", bucket))
    (pivot,) = hops(rule, Held({("write", "bucket"): TRUE}, world))
    assert (pivot.target, pivot.via, pivot.strength) == ("a", "s", Strength.INFLUENCE)
    assert hops(rule, Held({("write", "other"): TRUE}, world)) == []
