"""Where to cut: what hangs on one identity, and the fewest hops to a scope."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import pytest
from msgspec.structs import replace

from modelreach import chokepoints
from modelreach.chokepoints import Severed, cuts, gates, sever
from modelreach.cli import run
from modelreach.model import InputError, Strength
from modelreach.policy import providers
from modelreach.policy.engine import Pivot
from modelreach.policy.expr import TRUE
from modelreach.reach import BlastRadius, reach
from modelreach.snapshot import Facts, decode, encode
from organisations import deployments, plan, whole


def _pivot(source: str, target: str, kind: str = "assume-role", rule: str = "") -> Pivot:
    return Pivot(kind, source, target, Strength.CERTAIN, TRUE, (), rule)


def _radius(hops: list[Pivot]) -> BlastRadius:
    """Follow hops of one's own from `a`, through the AWS engine's identities in an estate."""
    made = whole(plan(principals=40, resources=60, accounts=1))
    facts = Facts(made)
    names = sorted(p.id for p in made.principals if p.kind == "role")
    named = {letter: names[place] for place, letter in enumerate("abcdef")}
    engines = providers.engines(facts)
    engine = engines["aws"]
    account = made.resources[0].scope
    told = [_pivot(named[h.source], named.get(h.target, account), h.kind, h.rule) for h in hops]

    def hops_of(principal: str) -> Iterable[Pivot]:
        return tuple(hop for hop in told if hop.source == principal)

    engine.pivots = hops_of  # type: ignore[method-assign]
    return reach([named["a"]], engines)


def test_what_every_way_goes_through() -> None:
    radius = _radius([_pivot("a", "b"), _pivot("b", "c"), _pivot("b", "d"), _pivot("c", "d")])
    (only,) = gates(radius)
    assert only.identity == radius.graph.pivots[0].target
    assert (only.identities, only.scopes) == (3, 0)


def test_the_fewest_hops_to_a_scope() -> None:
    over = [_pivot("c", "!", "administer"), _pivot("d", "!", "administer")]
    fan = [_pivot("a", "b"), _pivot("b", "c"), _pivot("b", "d")]
    (cut,) = cuts(_radius([*fan, *over]))
    assert len(cut.hops) == 1
    twice = [_pivot("a", "b", rule="r1"), _pivot("a", "b", rule="r2"), *fan[1:]]
    (cut,) = cuts(_radius([*twice, *over]))
    assert len(cut.hops) == 2


def test_without_the_cut_the_scope_is_safe_and_with_less_it_is_not() -> None:
    hops = [
        *(_pivot("a", "b"), _pivot("a", "c"), _pivot("b", "d"), _pivot("c", "d")),
        *(_pivot("d", "e"), _pivot("d", "f"), _pivot("b", "f")),
        *(_pivot("e", "!", "administer"), _pivot("f", "!", "administer")),
    ]
    radius = _radius(hops)
    (cut,) = cuts(radius)

    def taken(without: tuple[Pivot, ...]) -> bool:
        left = [pivot for pivot in radius.graph.pivots if pivot not in without]
        seen, waiting = set(radius.graph.starts), list(radius.graph.starts)
        while waiting:
            name = waiting.pop()
            for pivot in left:
                if pivot.source == name and pivot.target not in seen:
                    seen.add(pivot.target)
                    waiting.append(pivot.target)
        return cut.scope in seen

    assert not taken(cut.hops)
    fewer = combinations(radius.graph.pivots, len(cut.hops) - 1)
    assert all(taken(some) for some in fewer)


def test_a_graph_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chokepoints, "MOST_NODES", 1)
    with pytest.raises(InputError, match="more than 1"):
        gates(_radius([_pivot("a", "b")]))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of = plan(principals=40, resources=60, accounts=2)
    made = whole(of)
    (tmp_path / "e.snap").write_bytes(encode(made))
    principal = deployments(of, made)[0]
    words = ["chokepoints", "--principal", principal, "--snapshot", str(tmp_path / "e.snap")]
    assert run(words) == 0
    assert run([*words, "--format", "json"]) == 0
    assert '"identities"' in capsys.readouterr().out


def test_the_command_names_what_lets_each_hop(capsys: pytest.CaptureFixture[str]) -> None:
    """Where to cut is of no use without the statement to cut."""
    demo = Path(str(files("modelreach").joinpath("demo")))
    words = ["chokepoints", str(demo / "v2.yaml"), "--snapshot", str(demo / "estate.snap.json")]
    assert run(words) == 0
    told = capsys.readouterr().out
    runner = "arn:aws:iam::345678901234:role/tool-runner"
    assert f"{runner}\n  only through it: 1 scope taken over\n" in told
    builder = "arn:aws:iam::345678901234:role/tool-builder"
    assert f"{builder}\n  only through it: 1 more identity, 1 scope taken over\n" in told
    assert told.endswith(
        "so that 345678901234 cannot be taken over, revoke 1 hop:\n"
        f"  {runner} -> 345678901234: administer\n"
        f"    by policy everything of {runner}, statement Everything\n"
    )
    assert run([*words, "--format", "json"]) == 0
    ((hop,),) = json.loads(capsys.readouterr().out)["cuts"].values()
    assert hop["by"] == [{"policy": "everything", "target": runner, "sid": "Everything"}]


def _demo() -> BlastRadius:
    demo = Path(str(files("modelreach").joinpath("demo")))
    estate = decode((demo / "estate.snap.json").read_bytes(), place="demo")
    engines = providers.engines(Facts(estate))
    starts = [f"arn:aws:iam::{_AGENTS}:{name}" for name in _STARTS]
    return reach(starts, engines, whole=True)


_AGENTS = 123456789012
_STARTS = ("role/support-agent-runtime-v2", "user/support-agent-legacy")


def _held_without(radius: BlastRadius, cut: Severed) -> set[str]:
    """What is reached without hops and accesses, and who is become: what lies in a scope that can
    be taken over is reached, too."""
    at, waiting = set(radius.graph.starts), list(radius.graph.starts)
    while waiting:
        name = waiting.pop()
        for pivot in radius.graph.pivots:
            if pivot.source == name and pivot not in cut.hops and pivot.target not in at:
                at.add(pivot.target)
                waiting.append(pivot.target)
    accesses = (*radius.accesses, *radius.patterns)
    left = [access for access in accesses if access not in cut.accesses]
    held = {a.grant.resource for a in left if a.grant.principal in at or a.grant.scope in at}
    return at | held


def test_without_what_is_severed_it_is_not_reached_and_else_it_is() -> None:
    radius = _demo()
    held = {access.grant.resource for access in (*radius.accesses, *radius.patterns)}
    targets = (held | set(radius.graph.paths)) - set(radius.graph.starts)
    assert len(targets) > 10
    for target in sorted(targets):
        cut = sever(radius, target)
        assert target not in _held_without(radius, cut), target
        for one in cut.hops:
            fewer = replace(cut, hops=tuple(hop for hop in cut.hops if hop is not one))
            assert target in _held_without(radius, fewer), target
        for holder in {access.grant.principal for access in cut.accesses}:
            kept = tuple(a for a in cut.accesses if a.grant.principal != holder)
            assert target in _held_without(radius, replace(cut, accesses=kept)), target


def test_where_to_cut_what_one_asks_about(capsys: pytest.CaptureFixture[str]) -> None:
    demo = Path(str(files("modelreach").joinpath("demo")))
    words = ["chokepoints", str(demo / "v2.yaml"), "--snapshot", str(demo / "estate.snap.json")]
    assert run([*words, "--to", "acme-customer-records"]) == 0
    reader, bucket = (
        "arn:aws:iam::210987654321:role/etl-reader",
        "arn:aws:s3:::acme-customer-records",
    )
    assert capsys.readouterr().out == (
        f"so that {bucket} cannot be reached, revoke:\n"
        f"  {reader} -> {bucket}: list (s3:ListBucket), read (s3:GetObject)\n"
        f"    by policy read of {reader}, statement Records\n"
    )
    assert run([*words, "--to", "etl-reader", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["target"], told["accesses"]) == (reader, [])
    assert [hop["kind"] for hop in told["hops"]] == ["assume-role"]
    for name, said in (("nobody", "nothing that is reached"), ("support-agent-legacy", "runs as")):
        assert run([*words, "--to", name]) == 2
        assert said in capsys.readouterr().err


def test_nothing_is_a_gate_where_nobody_is_become() -> None:
    assert gates(_radius([_pivot("a", "b")])) == ()
    assert cuts(_radius([])) == ()
