"""What holds of every difference, whatever the estates."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach import diff
from modelreach.accesses import Access, Accesses, Patterns, pieces_of
from modelreach.graph import AccessGraph, Edges, Path
from modelreach.model import Capability, Strength, Verdict
from modelreach.policy.engine import Grant, Pivot
from modelreach.policy.expr import TRUE, Atom, AtomKind, Expr
from modelreach.reach import BlastRadius
from modelreach.report_file import encode
from modelreach.snapshot import Gap

OPPOSITE = {"gained": "lost", "lost": "gained", "widened": "narrowed", "narrowed": "widened"}
SETTINGS = settings.get_profile("engine")


@pytest.fixture(scope="session")
def pairs(world: Any) -> Any:
    return st.tuples(world.estates(), world.estates())


@SETTINGS
@given(data=st.data())
def test_an_estate_against_itself_has_no_changes(world: Any, data: st.DataObject) -> None:
    drawn = data.draw(world.estates())
    start = data.draw(st.sampled_from(world.principals))
    report = world.compare(world.side(drawn, start), world.side(drawn, start))
    assert report.changes == ()
    assert {f.state for f in report.findings} <= {"unchanged"}


@SETTINGS
@given(data=st.data())
def test_swapping_swaps(world: Any, data: st.DataObject) -> None:
    old, new = (world.side(data.draw(world.estates())) for _ in range(2))
    there, back = world.compare(old, new), world.compare(new, old)
    assert _reached(there, OPPOSITE) == _reached(back, {})


def _reached(report: Any, opposite: dict[str, Any]) -> set[tuple[Any, ...]]:
    """Each kind of change, resource, capability and action, however they share rows: a row has
    the verdict of its newer side, which is the other one when the sides are swapped."""
    return {
        (opposite.get(row.kind, row.kind), row.resource, row.capability, action)
        for row in report.changes
        for action in row.actions
    }


@SETTINGS
@given(data=st.data())
def test_adding_an_allow_never_loses(world: Any, data: st.DataObject) -> None:
    drawn = data.draw(world.estates())
    more = data.draw(world.statements("identity", only_allow=True))
    extra = world.written(world.one, "identity", "more", (more,))
    report = world.compare(
        world.side(drawn), world.side(drawn.but(policies=(*drawn.policies, extra)))
    )
    assert not [row for row in world.rows(report) if row[0] in ("lost", "narrowed", "unknown")]
    assert not [f for f in report.findings if f.state == "gone" and f.rule != "MR101"]


@SETTINGS
@given(data=st.data())
def test_the_order_of_the_facts_makes_no_difference(world: Any, data: st.DataObject) -> None:
    drawn, other = data.draw(world.estates()), data.draw(world.estates())
    mixed = drawn.but(shuffled=random.Random(data.draw(st.integers(0, 99))).shuffle)
    assert encode(world.compare(world.side(drawn), world.side(other))) == encode(
        world.compare(world.side(mixed), world.side(other))
    )


@SETTINGS
@given(data=st.data())
def test_each_thing_is_compared_as_if_it_were_alone(world: Any, data: st.DataObject) -> None:
    """What is worked out once for things that are reached alike holds of each of them."""
    old, new = (_compared(world.side(data.draw(world.estates()))) for _ in range(2))
    things = sorted({name for one in (*old.pieces, *new.pieces) for name in one.ids})
    alone = [c for thing in things for c in diff.diff(_only(old, thing), _only(new, thing))]
    assert diff.diff(old, new) == tuple(sorted(alone, key=diff.order))


def _compared(side: Any) -> diff.Side:
    return diff.Side(side.radius, side.radius.accesses.pieces)


ON_REQUEST = Atom(AtomKind.CONTEXT, "aws:sourceip", "IpAddress", ("192.0.2.0/24",))
_NOTHING = BlastRadius(
    AccessGraph((), {}, Edges(lambda _: ())), {}, {}, Accesses(), Patterns(), {}
)


def _by(strength: Strength, residual: Expr) -> Access:
    """The reading of a bucket by somebody who is become or influenced."""
    grant = Grant(
        principal="b",
        resource="bucket",
        kind="s3:bucket",
        name="bucket",
        scope="1",
        provider="aws",
        capability=Capability.READ,
        actions=("s3:GetObject",),
        verdict=Verdict.ALLOW,
    )
    return Access(grant, Path("a", (Pivot("assume-role", "a", "b", strength, residual, ()),)))


@pytest.mark.parametrize("left", [(), ((Strength.INFLUENCE, TRUE),)], ids=["instead", "besides"])
def test_who_acts_under_a_condition_has_more_than_who_surely_influences(
    left: tuple[tuple[Strength, Expr], ...],
) -> None:
    influenced = [_by(Strength.INFLUENCE, TRUE)]
    acting = [_by(Strength.CONDITIONAL, ON_REQUEST), *(_by(*one) for one in left)]
    old, new = (diff.Side(_NOTHING, pieces_of(one)) for one in (influenced, acting))
    assert [str(change.kind) for change in diff.diff(old, new)] == ["widened"]
    assert [str(change.kind) for change in diff.diff(new, old)] == ["narrowed"]


def test_an_influence_that_hangs_on_less_is_wider() -> None:
    old, new = (
        diff.Side(_NOTHING, pieces_of([_by(Strength.INFLUENCE, residual)]))
        for residual in (ON_REQUEST, TRUE)
    )
    assert [str(change.kind) for change in diff.diff(old, new)] == ["widened"]


@pytest.mark.parametrize("at_end", [{}, {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}])
@pytest.mark.parametrize("first", ["IpAddress", "NotIpAddress"])
def test_hops_that_contradict_each_other_lead_to_what_is_held_by_pattern(
    world: Any, at_end: dict[str, Any], first: str
) -> None:
    """Each is a request of its own: what a scan lists behind them, a comparison has gained."""
    here = {"aws:SourceIp": "10.0.0.0/8"}
    second = "NotIpAddress" if first == "IpAddress" else "IpAddress"

    def leading(source: str, to: str, condition: dict[str, Any]) -> tuple[Any, Any]:
        may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": to}
        whose = {"AWS": source.split(":")[4]}
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": whose}
        return (
            world.written(source, "identity", "p", ({**may, "Condition": condition},)),
            world.written(to, "trust", "t", (trust,)),
        )

    held: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject"}
    held |= {"Resource": "arn:aws:s3:::x-*/*", **({"Condition": at_end} if at_end else {})}
    policies = (
        *leading(world.one, world.two, {first: here}),
        *leading(world.two, world.far, {second: here}),
        world.written(world.far, "identity", "p", (held,)),
    )
    old, new = world.side(world.drawn(policies[2:])), world.side(world.drawn(policies))
    assert [a.grant.resource for a in new.radius.patterns if a.verdict is Verdict.CONDITIONAL]
    there, back = world.compare(old, new), world.compare(new, old)
    assert ("gained", "arn:aws:s3:::x-*/*") in {(c.kind, c.resource) for c in there.changes}
    assert ("lost", "arn:aws:s3:::x-*/*") in {(c.kind, c.resource) for c in back.changes}
    assert world.compare(new, new).changes == ()


def _only(side: diff.Side, thing: str) -> diff.Side:
    alone = [access for piece in side.pieces for access in piece.each]
    kept = pieces_of(one for one in alone if one.grant.resource == thing)
    return msgspec.structs.replace(side, pieces=kept)


@SETTINGS
@given(data=st.data())
def test_the_best_access_is_the_first_of_the_best(world: Any, data: st.DataObject) -> None:
    accesses = world.side(data.draw(world.estates())).radius.accesses
    best: dict[str, dict[str, diff.Reached]] = {}
    for one in map(diff.Reached, accesses):
        for action in one.access.grant.actions:
            actions = best.setdefault(one.access.grant.resource, {})
            if action not in actions or one.rank < actions[action].rank:
                actions[action] = one
    assert diff.index(accesses) == best


def _unnamed(drawn: Any, role: str) -> Any:
    """No policy is over this role by its name: whoever then renames it says the same as before."""

    def again(statement: dict[str, Any]) -> dict[str, Any]:
        return {
            key: ["arn:aws:iam::*:role/*" if one == role else one for one in value]
            if key.endswith("Resource") and isinstance(value, list)
            else value
            for key, value in statement.items()
        }

    return drawn.but(
        policies=tuple(
            type(p)(p.target, p.kind, p.name, tuple(map(again, p.statements)))
            for p in drawn.policies
        )
    )


def _renamed(drawn: Any, old: str, new: str) -> Any:
    def again(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: again(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(again(one) for one in value)
        return new if value == old else value

    policies = tuple(
        type(policy)(again(policy.target), policy.kind, policy.name, again(policy.statements))
        for policy in drawn.policies
    )
    return drawn.but(
        policies=policies,
        principals=tuple(again(drawn.principals)),
        bounded=frozenset(again(list(drawn.bounded))),
    )


@SETTINGS
@given(data=st.data())
def test_renaming_a_role_is_no_change(world: Any, data: st.DataObject) -> None:
    """The role keeps its access, and whoever names it names it by its new name."""
    which = data.draw(st.sampled_from((world.two, world.far)))
    drawn = _unnamed(data.draw(world.estates()), which)
    renamed = _renamed(drawn, which, f"{which}-renamed")
    report = world.compare(world.side(drawn), world.side(renamed))
    assert world.rows(report) == []
    assert {f.state for f in report.findings} <= {"unchanged"}


@SETTINGS
@given(data=st.data())
def test_renaming_the_role_that_runs_is_no_change(world: Any, data: st.DataObject) -> None:
    drawn = _unnamed(data.draw(world.estates()), world.one)
    new = f"{world.one}-renamed"
    renamed = _renamed(drawn, world.one, new)
    report = world.compare(world.side(drawn), world.side(renamed, new))
    assert world.rows(report) == []


def _gap(world: Any, kind: str, **more: Any) -> Gap:
    return Gap(provider="aws", kind=kind, reason="denied", **{"scope": "", **more})


def _blinded(world: Any, drawn: Any, what: str) -> Any:
    """The same estate, less of it read."""
    near, far = world.accounts
    match what:
        case "bucket policy":
            kept = [p for p in drawn.policies if p.target != world.near_bucket]
            gap = _gap(world, "resource-policy", scope=near, subject=world.near_bucket)
            return drawn.but(policies=tuple(kept), gaps=(gap,))
        case "buckets":
            listed = tuple(name for name in drawn.resources if not name.startswith("arn:aws:s3"))
            kept = [p for p in drawn.policies if not p.target.startswith("arn:aws:s3")]
            gaps = tuple(_gap(world, "s3:bucket", scope=account) for account in (near, far))
            return drawn.but(
                policies=tuple(kept),
                resources=listed,
                gaps=gaps,
                incomplete=frozenset({"s3:bucket"}),
            )
        case "identity policy":
            kept = [p for p in drawn.policies if (p.target, p.kind) != (world.one, "identity")]
            gap = _gap(world, "identity-policy", scope=near, subject=world.one)
            return drawn.but(policies=tuple(kept), gaps=(gap,))
        case "trust":
            kept = [p for p in drawn.policies if (p.target, p.kind) != (world.two, "trust")]
            gap = _gap(world, "trust", scope=near, subject=world.two)
            return drawn.but(policies=tuple(kept), gaps=(gap,))
        case "scp":
            kept = [p for p in drawn.policies if p.kind != "scp"]
            return drawn.but(policies=tuple(kept), gaps=(_gap(world, "scp"),))
        case "boundary":
            kept = [p for p in drawn.policies if p.kind != "boundary"]
            bounded = [name for name in (world.one, world.ann) if name in drawn.bounded]
            gaps = tuple(_gap(world, "boundary", scope=near, subject=one) for one in bounded)
            return drawn.but(policies=tuple(kept), gaps=gaps)
        case "group":
            kept = [p for p in drawn.policies if p.target != world.team]
            gap = _gap(world, "identity-policy", scope=near, subject=world.team)
            return drawn.but(policies=tuple(kept), gaps=(gap,))
        case _:
            kept = [p for p in drawn.policies if f":{far}:" not in p.target]
            return drawn.but(
                policies=tuple(kept),
                principals=tuple(p for p in drawn.principals if f":{far}:" not in p),
                gaps=(_gap(world, "principals", scope=far),),
            )


HIDDEN = ("bucket policy", "buckets", "identity policy", "trust", "group", "principals")


@pytest.mark.parametrize("what", HIDDEN)
@settings(SETTINGS, max_examples=8)
@given(data=st.data())
def test_a_gap_is_never_a_loss_nor_a_gain(world: Any, what: str, data: st.DataObject) -> None:
    drawn = data.draw(world.estates())
    start = world.ann if what == "group" else world.one
    full, less = world.side(drawn, start), world.side(_blinded(world, drawn, what), start)
    there, back = world.compare(full, less), world.compare(less, full)
    assert {row[0] for row in world.rows(there)} <= {"unknown", "rerouted", "gained", "widened"}
    assert {row[0] for row in world.rows(back)} <= {"unknown", "rerouted", "lost", "narrowed"}
    assert not [finding for finding in there.findings if finding.state == "gone"]


@pytest.mark.parametrize("what", ["scp", "boundary"])
@settings(SETTINGS, max_examples=10)
@given(data=st.data())
def test_a_limit_that_was_not_read_is_no_gain(world: Any, what: str, data: st.DataObject) -> None:
    drawn = data.draw(world.estates())
    full, less = world.side(drawn), world.side(_blinded(world, drawn, what))
    assert {row[0] for row in world.rows(world.compare(full, less))} <= {"unknown", "rerouted"}
    assert {row[0] for row in world.rows(world.compare(less, full))} <= {"unknown", "rerouted"}


@pytest.mark.parametrize(
    ("what", "target", "kind"),
    [("principals", "far", "trust"), ("buckets", "far_bucket", "resource")],
)
def test_whom_an_administrator_acts_as_hangs_on_who_names_it(
    world: Any, what: str, target: str, kind: str
) -> None:
    """The other account names ann; where that was not read, ann's key has not gone."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    let_in = {"Effect": "Allow", "Action": "s3:GetObject", "Principal": {"AWS": world.ann}}
    if kind == "trust":
        let_in["Action"] = "sts:AssumeRole"
    else:
        let_in["Resource"] = f"{world.far_bucket}/*"
    drawn = world.drawn(
        (
            world.written(world.one, "identity", "all", (everything,)),
            world.written(getattr(world, target), kind, "names", (let_in,)),
        )
    )
    full, less = world.side(drawn), world.side(_blinded(world, drawn, what))
    assert {finding.rule for finding in full.findings} >= {"MR301"}
    report = world.compare(full, less)
    assert not [finding for finding in report.findings if finding.state == "gone"]
    assert {row[0] for row in world.rows(report)} <= {"unknown", "rerouted"}


def test_a_trust_that_is_left_has_not_gone_where_its_account_was_not_read(world: Any) -> None:
    named = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": world.one}}
    drawn = world.drawn((world.written(world.far, "trust", "names", (named,)),))
    full, less = world.side(drawn), world.side(_blinded(world, drawn, "principals"))
    assert [(one.rule, one.subject) for one in full.findings] == [("MR401", world.far)]
    assert [finding.state for finding in world.compare(full, less).findings] == ["unchanged"]
