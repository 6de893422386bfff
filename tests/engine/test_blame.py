"""Which gaps may be all there is to a change, where roles are held over scopes."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from modelreach.blame import Sight, could_hide, could_limit
from modelreach.graph import Path
from modelreach.model import Capability, Strength, Verdict
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.engine import Grant, Pivot, Support
from modelreach.policy.expr import TRUE, Atom, AtomKind
from modelreach.reach import Access, Identity
from modelreach.snapshot import (
    SCHEMA,
    Binding,
    Facts,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
)

ROOT, GROUP, SUB, RG = "/", "/mg/models", "/subs/1", "/subs/1/rgs/a"
VAULT = f"{RG}/vaults/kv"
ELSEWHERE = "/subs/2"


def scope(name: str, parent: str) -> Scope:
    return Scope(id=name, provider="azure", kind="scope", parent=parent)


def principal(name: str, *groups: str, kind: str = "managed-identity") -> Principal:
    return Principal(id=name, provider="azure", kind=kind, scope="tenant", groups=groups)


FACTS = Facts(
    Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-24T00:00:00Z",
        scopes=(
            scope("tenant", ""),
            scope(ROOT, "tenant"),
            scope(GROUP, ROOT),
            scope(SUB, GROUP),
            scope(RG, SUB),
            scope(ELSEWHERE, GROUP),
        ),
        principals=(
            principal("agent", "inner"),
            principal("inner", "outer", kind="group"),
            principal("outer", kind="group"),
            principal("alone"),
        ),
        managed_policies=(
            ManagedPolicy(id="/roles/9", provider="azure", scope=ROOT, name="Secrets User"),
        ),
    )
)
SIGHT = Sight(FACTS)


def access(who: str = "agent", target: str = SUB, text: str = "", **more: Any) -> Access:
    ref = StatementRef(Layer.BINDING, "Secrets User", target, "", 0, "", "Allow", text)
    grant = Grant(
        principal=who,
        resource=VAULT,
        kind="vaults",
        name="kv",
        scope=RG,
        provider="azure",
        capability=Capability.READ,
        actions=("getSecret",),
        verdict=Verdict.ALLOW,
        statements=(ref,),
        **more,
    )
    return Access(grant, Path(who, ()))


def gap(kind: str, place: str, subject: str = "") -> Gap:
    return Gap(provider="azure", scope=place, kind=kind, reason="denied", subject=subject)


def hides(found: Gap, of: Access | None = None) -> bool:
    shown = of or access()
    who = FACTS.principals[shown.grant.principal]
    return could_hide(found, shown, {who.id: Identity(who, shown.path)}, SIGHT)


def limits(found: Gap, of: Access | None = None) -> bool:
    return could_limit(found, of or access(), {}, SIGHT)


@pytest.mark.parametrize("kind", ["bindings", "resources", "vaults"])
@pytest.mark.parametrize("place", ["", RG, SUB, GROUP, ROOT, "tenant"])
def test_what_is_above_may_hide(kind: str, place: str) -> None:
    assert hides(gap(kind, place))


@pytest.mark.parametrize("kind", ["bindings", "resources", "vaults", "hierarchy"])
def test_what_is_elsewhere_does_not(kind: str) -> None:
    assert not hides(gap(kind, ELSEWHERE))


def test_a_role_held_on_the_way_counts_where_it_is_held() -> None:
    assert hides(gap("bindings", ELSEWHERE), access(target=ELSEWHERE))


def test_who_gave_itself_policies_is_still_who_it_is() -> None:
    """The path of a role of AWS may hold the sign that parts a name from what became of it."""
    role = "arn:aws:iam::111122223333:role/x#y/one"
    shown = access(f"{role}#any-policy")
    for subject, hidden in ((role, True), (role.partition("#")[0], False)):
        about = replace(gap("identity-policy", "111122223333"), subject=subject)
        assert could_hide(about, shown, {}, SIGHT) is hidden


def test_a_role_is_known_by_its_id_or_its_name() -> None:
    assert hides(gap("roles", ROOT, "/roles/9"))
    assert hides(gap("roles", ROOT))
    assert not hides(gap("roles", ROOT, "/roles/8"))


def test_a_group_within_a_group_counts_and_nobody_s_does_not() -> None:
    assert hides(gap("groups", "tenant", "outer"))
    assert hides(gap("groups", "tenant"))
    assert not hides(gap("groups", "tenant", "strangers"))
    assert not hides(gap("groups", "tenant"), access(who="alone"))


def test_a_subscription_that_is_not_seen_hides_what_is_in_it() -> None:
    assert hides(gap("subscription", "tenant", SUB))
    assert not hides(gap("subscription", "tenant", ELSEWHERE))


def test_parts_of_a_thing_are_hidden_with_its_own_list() -> None:
    assert hides(gap("vaults", SUB, RG), access())
    assert not hides(gap("vaults", SUB, f"{RG}/vaults/other"))


def test_what_runs_on_the_way_may_not_have_been_listed() -> None:
    support = Support("agent", "run/action", f"{RG}/machines/vm", ())
    hop = Pivot("run", "agent", "alone", Strength.CERTAIN, TRUE, (support,), via=RG)
    through = replace(access(), path=Path("agent", (hop,)))
    assert hides(gap("resources", SUB), through)
    assert hides(gap("runtimes:machines", SUB), through)
    assert not hides(gap("runtimes:machines", ELSEWHERE), through)
    assert not hides(gap("runtimes:machines", SUB))


BUCKET, QUEUE = "arn:aws:s3:::models", "arn:aws:sqs:eu-west-1:222222222222:jobs"
LISTED = Facts(
    Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-24T00:00:00Z",
        scopes=(scope("111111111111", ROOT), scope("222222222222", ROOT)),
        resources=(
            Resource(id=BUCKET, provider="aws", kind="s3:bucket", scope="111111111111"),
            Resource(
                id=QUEUE,
                provider="aws",
                kind="sqs:queue",
                scope="222222222222",
                region="eu-west-1",
            ),
        ),
        runtimes=(
            Runtime(
                id="endpoint", provider="aws", kind="sagemaker:endpoint", scope="222222222222"
            ),
        ),
    )
)


def fed(loaded: str = f"{BUCKET}/weights") -> Access:
    """What a role of one account has that loads what lies in a bucket of another one."""
    support = Support("agent", "s3:PutObject", loaded, ())
    hop = Pivot("feed", "agent", "alone", Strength.INFLUENCE, TRUE, (support,), via="endpoint")
    return replace(access(), path=Path("agent", (hop,)))


@pytest.mark.parametrize(
    ("kind", "place", "subject", "hidden"),
    [
        ("s3:bucket", "111111111111", "", True),
        ("s3:bucket", ROOT, "", True),
        ("s3:bucket", "222222222222", "", False),
        ("sqs:queue", "111111111111", "", False),
        ("runtimes:sagemaker:endpoint", "222222222222", "", True),
        ("runtimes:lambda:function", "222222222222", "", False),
        ("runtimes:sagemaker:endpoint", "111111111111", "", False),
        ("resource-policy", "111111111111", BUCKET, True),
        ("resource-policy", "111111111111", "", True),
        ("resource-policy", "111111111111", QUEUE, False),
        ("principals", "111111111111", "", False),
    ],
)
def test_what_the_way_goes_by_may_not_have_been_listed(
    kind: str, place: str, subject: str, hidden: bool
) -> None:
    assert could_hide(gap(kind, place, subject), fed(), {}, Sight(LISTED)) is hidden


def test_a_gap_of_another_region_hides_nothing_on_the_way() -> None:
    for region, hidden in (("eu-west-1", True), ("us-east-1", False)):
        about = replace(gap("sqs:queue", "222222222222"), region=region)
        assert could_hide(about, fed(QUEUE), {}, Sight(LISTED)) is hidden


def test_what_was_moved_is_hidden_by_gaps_of_both_its_places() -> None:
    """Whichever side is asked first: a comparison and its opposite say the same."""
    elsewhere = replace(FACTS.snapshot, scopes=(scope(RG, ELSEWHERE), scope(ELSEWHERE, ROOT)))
    for sides in ((FACTS, Facts(elsewhere)), (Facts(elsewhere), FACTS)):
        for place in (SUB, ELSEWHERE):
            shown = access(target=RG)
            assert could_hide(gap("bindings", place), shown, {}, Sight(*sides))
            assert could_limit(gap("deny", place), shown, {}, Sight(*sides))


def test_whom_a_convenience_member_means_is_told_by_roles_of_its_project() -> None:
    """`projectViewer:p` of a binding elsewhere is who is a viewer on p.
    https://docs.cloud.google.com/storage/docs/access-control/iam#convenience-values"""
    folder, project = "folders/2", "projects/p"
    numbered = replace(scope(project, folder), attributes={"number": "11"})
    facts = Facts(replace(FACTS.snapshot, scopes=(scope(folder, ""), numbered)))
    for name, hidden in (("p", True), ("11", True), ("q", False)):
        shown = access(target="projects/q", text=f'{{"members":["projectViewer:{name}"]}}')
        for place in (folder, project):
            assert could_hide(gap("bindings", place), shown, {}, Sight(facts)) is hidden


def test_tags_count_only_where_they_decide() -> None:
    assert not hides(gap("tags", SUB))
    assert hides(gap("tags", SUB), access(text="resource.matchTag('env', 'prod')"))
    assert not limits(gap("tags", SUB))
    assert limits(
        gap("tags", SUB),
        access(residual=Atom(AtomKind.CONTEXT, "resource.tag.env", "equals", ("prod",))),
    )


def test_denials_and_locks_limit_what_is_below() -> None:
    for kind in ("deny", "locks"):
        assert limits(gap(kind, SUB))
        assert limits(gap(kind, ROOT))
        assert not limits(gap(kind, ELSEWHERE))
        assert not hides(gap(kind, SUB))


def test_who_holds_nothing_that_was_read_is_hidden_with_the_roles_that_it_holds() -> None:
    """An identity that has nothing is not told of."""
    held = Binding(
        id="b", provider="azure", target=f"{ELSEWHERE}/rgs/c", role="/roles/9", members=("outer",)
    )
    places = (*FACTS.snapshot.scopes, scope(f"{ELSEWHERE}/rgs/c", ELSEWHERE))
    sight = Sight(Facts(replace(FACTS.snapshot, bindings=(held,), scopes=places)))
    become = replace(access().grant, resource="agent", capability=Capability.ASSUME)
    for grant, hidden in ((become, True), (access().grant, False)):
        shown = Access(grant, Path("alone", ()))
        assert could_hide(gap("bindings", ELSEWHERE), shown, {}, sight) is hidden


@pytest.mark.parametrize("kind", ["cluster-identity", "cluster-entry", "token-issuer"])
def test_a_border_is_crossed_by_what_is_shown_there(kind: str) -> None:
    """By which tokens a cluster or account is known outside, and who is let in."""
    pod = Principal(id="pod", provider="kubernetes", kind="service-account", scope=f"{SUB}/ns")
    inside = replace(FACTS.snapshot, scopes=(scope(SUB, ""), scope(f"{SUB}/ns", SUB)))
    sight = Sight(Facts(replace(inside, principals=(*inside.principals, pod))))
    for ends, hidden in (
        (("pod", "alone"), True),
        (("alone", "pod"), True),
        (("pod", "pod"), False),
    ):
        hop = Pivot("federation", *ends, Strength.CERTAIN, TRUE, ())
        through = replace(access(), path=Path(ends[0], (hop,)))
        assert could_hide(gap(kind, SUB), through, {}, sight) is hidden
        assert not could_hide(gap(kind, ELSEWHERE), through, {}, sight)


@pytest.mark.parametrize(
    ("about", "hidden"),
    [
        (gap("regions", "111111111111"), True),
        (gap("scopes", ROOT), True),
        (gap("regions", "333333333333"), False),
        (gap("details", "222222222222", "endpoint"), True),
        (gap("details", "222222222222", QUEUE), False),
        (gap("identity", "", "agent"), True),
        (gap("identity", "", "somebody"), False),
    ],
)
def test_what_a_place_or_a_thing_is_may_not_have_been_read(about: Gap, hidden: bool) -> None:
    assert could_hide(about, fed(), {}, Sight(LISTED)) is hidden


@pytest.mark.parametrize(
    ("name", "about", "hidden"),
    [
        ("agent#no-boundary", gap("boundary", "tenant", "agent"), True),
        ("agent#no-boundary", gap("boundary", "tenant", "alone"), False),
        ("agent", gap("boundary", "tenant", "agent"), False),
        (f"agent#no-deny-policy={SUB}", gap("deny", SUB), True),
        (f"agent#no-deny-policy={SUB}", gap("deny", ROOT), True),
        (f"agent#no-deny-policy={SUB}", gap("deny", ELSEWHERE), False),
        (f"agent#any-role@{RG}", gap("deny", ELSEWHERE), False),
    ],
)
def test_a_limit_that_is_lifted_on_the_way_may_not_have_been_read(
    name: str, about: Gap, hidden: bool
) -> None:
    hop = Pivot("self-escalation", "agent", name, Strength.CERTAIN, TRUE, ())
    through = replace(access(), path=Path("agent", (hop,)))
    assert could_hide(about, through, {}, SIGHT) is hidden


def test_what_is_neither_does_nothing() -> None:
    assert not hides(gap("usage", "tenant"))
    assert not limits(gap("bindings", SUB))
