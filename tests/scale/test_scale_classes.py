"""What is decided once a class is what is decided one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.policy.aws import classes, grants
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.engine import Grant
from modelreach.snapshot import Facts, Gap, Snapshot
from organisations import plan, whole
from organisations.corner import OTHER, OWN, ROLE, Json, bucket, corner, table


def _both(made: Snapshot, names: list[str]) -> tuple[list[list[str]], list[list[str]]]:
    estate = Estate(Facts(made))
    shelving = Shelving(estate)
    quick, slow = [], []
    for name in names:
        asker = Asker.of(estate, name, {})
        found = classes.granted(asker, shelving)
        quick.append(sorted(map(repr, found.written_out())))
        slow.append(sorted(map(repr, grants.one_by_one(asker))))
    return quick, slow


def _briefly(made: Snapshot) -> None:
    """In brief it is the same, without reasons."""
    estate = Estate(Facts(made))
    quick = AwsEngine(Facts(made)).brief(ROLE)
    slow = grants.one_by_one(Asker.of(estate, ROLE, {}))
    held = {
        (name, capability, verdict)
        for one in quick.holdings
        for capability, verdict in one.answer
        for name in one.ids
    }
    held |= {(one.resource, one.capability, one.verdict) for one in quick.alone}
    assert held == {(one.resource, one.capability, one.verdict) for one in slow}


def _alike(made: Snapshot) -> list[list[str]]:
    names = [p.id for p in made.principals if p.kind != "group"]
    quick, slow = _both(made, names)
    assert quick == slow
    return quick


@pytest.mark.parametrize("seed", [1, 2])
def test_a_made_up_organisation(seed: int) -> None:
    made = whole(plan(principals=40, resources=240, accounts=3, seed=seed))
    assert sum(map(len, _alike(made))) > 300


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3, 13))
def test_many_made_up_organisations(seed: int) -> None:
    _alike(whole(plan(principals=400, accounts=8, seed=seed)))


# --- corners ----------------------------------------------------------------------------------


def _allow(action: str | list[str], resource: str | list[str], **more: Any) -> Json:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_a_star_for_the_region_does_not_reach_into_another_table() -> None:
    made = corner(
        [table("billing-a"), table("fleet-a")],
        [_allow("dynamodb:Query", f"arn:aws:dynamodb:*:{OWN}:table/billing-*")],
    )
    found = AwsEngine(Facts(made)).grants(ROLE)
    assert {grant.resource for grant in found} == {table("billing-a").id}
    _alike(made)


def test_a_policy_of_the_resource_that_means_others_narrows_nothing() -> None:
    one = bucket("one")
    foreign = {"AWS": f"arn:aws:iam::{OTHER}:root"}
    made = corner(
        [one],
        [_allow("s3:GetObject", "arn:aws:s3:::*/public/*")],
        [(one.id, "resource", _allow("s3:GetObject", f"{one.id}/*", Principal=foreign))],
    )
    assert [grant.within for grant in AwsEngine(Facts(made)).grants(ROLE)] == [
        ("arn:aws:s3:::*/public/*",)
    ]
    _alike(made)


def test_resources_whose_policies_name_themselves_stand_together() -> None:
    buckets = [bucket(f"data-{n}") for n in range(20)]
    clear = {"Bool": {"aws:SecureTransport": "false"}}
    own: list[tuple[str, Any, Json]] = []
    for one in buckets:
        statement = {"Effect": "Deny", "Action": "s3:*", "Resource": [one.id, f"{one.id}/*"]}
        own.append(
            (
                one.id,
                "resource",
                {"Statement": [{**statement, "Principal": "*", "Condition": clear}]},
            )
        )
    made = corner(buckets, [_allow("s3:*", "arn:aws:s3:::data-*")], own)
    estate = Estate(Facts(made))
    found = classes.granted(Asker.of(estate, ROLE, {}), Shelving(estate))
    assert [one.size for one in found.alike] == [20]
    _alike(made)


def test_each_witness_names_its_own_resource() -> None:
    buckets = [bucket(f"data-{n}") for n in range(3)]
    own = [
        (one.id, "resource", _allow("s3:GetObject", f"{one.id}/*", Principal={"AWS": ROLE}))
        for one in buckets
    ]
    found = AwsEngine(Facts(corner(buckets, [], own))).grants(ROLE)
    for grant in found:
        assert {ref.target for ref in grant.statements} == {grant.resource}
        assert all(grant.resource in ref.text for ref in grant.statements)
    assert len(found) == 3


def test_a_limit_of_a_session_parts_actions() -> None:
    """`sts:GetFederationToken` and the like: two actions that the same statements allow, of which
    a session policy lets one."""
    made = corner([bucket("one")], [_allow(["s3:GetObject", "s3:PutObject"], "*")])
    limit = _allow("s3:GetObject", "*")
    made = corner(
        [bucket("one")],
        [_allow(["s3:GetObject", "s3:PutObject"], "*")],
        [("elsewhere", "session", limit)],
    )
    digest = next(a.document for a in made.attachments if a.kind == "session")
    estate = Estate(Facts(made))
    asker = Asker.of(estate, f"{ROLE}#session={digest}", {})
    actions = {action for grant in grants.one_by_one(asker) for action in grant.actions}
    assert actions == {"s3:GetObject"}


@pytest.mark.parametrize(
    ("resource", "condition"),
    [
        ("arn:aws:s3:::data-1", {}),
        ("arn:aws:s3:::data-1/*", {}),
        ("arn:aws:s3:::data-1/logs/*", {}),
        ("arn:aws:s3:::${aws:PrincipalTag/team}-1*", {}),
        ("*", {"StringEquals": {"aws:ResourceTag/team": "blue"}}),
    ],
)
def test_a_resource_control_policy_tells_resources_apart(resource: str, condition: Json) -> None:
    everything = _allow("*", "*", Principal="*")
    stops = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resource}
    everything["Statement"].append({**stops, "Condition": condition} if condition else stops)
    buckets = [bucket(f"data-{n}", tags={"team": "blue"} if n == 1 else {}) for n in range(4)]
    made = corner(buckets, [_allow("s3:*", "*")], [(OWN, "rcp", everything)])
    _alike(made)
    _briefly(made)


CONDITIONS: list[Json] = [
    {},
    {"StringEquals": {"aws:ResourceTag/team": "blue"}},
    {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
    {"StringNotEquals": {"aws:ResourceAccount": OWN}},
    {"Bool": {"aws:SecureTransport": "true"}},
]
PATTERNS = [
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::data-1*",
    "arn:aws:s3:::data-1",
    "arn:aws:s3:::data-1/*",
    "arn:aws:s3:::data-?/logs/*",
    "arn:aws:s3:::*/logs/*",
    "arn:aws:s3:::*-2/*",
    "arn:aws:s3:::${aws:PrincipalTag/team}-1/*",
    "arn:aws:s3:::${aws:username}-1/*",
    f"arn:aws:dynamodb:*:{OWN}:table/data-*",
    f"arn:aws:dynamodb:*:{OWN}:table/data-1/index/*",
    f"arn:aws:kms:*:{OWN}:key/*",
]
ACTIONS = ["*", "s3:*", "s3:Get*", "s3:GetObject", "s3:ListBucket", "dynamodb:*", "kms:Decrypt"]


@st.composite
def statements(draw: st.DrawFn, principals: bool = False) -> Json:
    made: Json = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    made[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(st.sampled_from(ACTIONS))
    resource = draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2))
    made[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = resource
    condition = draw(st.sampled_from(CONDITIONS))
    if condition:
        made["Condition"] = condition
    if principals:
        made["Principal"] = draw(
            st.sampled_from(
                [
                    "*",
                    {"AWS": ROLE},
                    {"AWS": f"arn:aws:iam::{OWN}:root"},
                    {"AWS": f"arn:aws:iam::{OTHER}:root"},
                    {"Service": "events.amazonaws.com"},
                ]
            )
        )
    return made


@st.composite
def corners(draw: st.DrawFn) -> tuple[Any, ...]:
    tags = st.sampled_from([{}, {"team": "blue"}, {"Team": "blue"}, {"team": "red"}])
    resources = [
        bucket(f"data-{n}", draw(st.sampled_from([OWN, OWN, OTHER])), tags=draw(tags))
        for n in range(4)
    ]
    resources += [bucket("blue-1"), table("data-1"), table("data-2"), table("data-1", OTHER)]
    attached: list[tuple[str, Any, Json]] = []
    for one in resources[:5]:
        if draw(st.booleans()):
            made = draw(st.lists(statements(principals=True), min_size=1, max_size=2))
            for statement in made:
                for key in ("Resource", "NotResource"):
                    if key in statement and draw(st.booleans()):
                        statement[key] = [one.id, f"{one.id}/*"]
            document = {"Version": "2012-10-17", "Statement": made}
            attached.append((one.id, "resource", document))
    for target, kind in (
        *((ROLE, "boundary"), ("r-root", "scp"), (OWN, "scp")),
        *((OWN, "rcp"), (OTHER, "rcp")),
    ):
        if draw(st.integers(0, 3)) == 0:
            made = draw(st.lists(statements(), min_size=1, max_size=2))
            if kind == "rcp":
                made = [{**one, "Principal": "*"} for one in made]
            attached.append((target, kind, {"Version": "2012-10-17", "Statement": made}))
    gaps = [
        Gap(provider="aws", scope=OWN, kind=kind, reason="denied", subject=subject)
        for kind, subject in (
            ("resource-policy", "arn:aws:s3:::data-0"),
            ("tags", "arn:aws:s3:::data-1"),
            ("identity-policy", ROLE),
        )
        if draw(st.integers(0, 4)) == 0
    ]
    identity = draw(st.lists(statements(), min_size=1, max_size=4))
    return resources, [{"Version": "2012-10-17", "Statement": identity}], attached, gaps


@settings(max_examples=60)
@given(made=corners())
def test_whatever_the_policies(made: tuple[Any, ...]) -> None:
    _alike(corner(*made))
    _briefly(corner(*made))


@pytest.mark.soak
@settings(max_examples=5000)
@given(made=corners())
def test_whatever_the_policies_at_length(made: tuple[Any, ...]) -> None:
    _alike(corner(*made))
    _briefly(corner(*made))


def test_patterns_that_overlap_in_buckets_part_them_alike() -> None:
    """A pattern with a star in front means a part of what is in any bucket. Of buckets in which
    two of them overlap in the same way, one is asked about."""
    buckets = [bucket(f"data-{n:02d}") for n in range(40)]
    found = [_allow("s3:*", f"arn:aws:s3:::*-{name}-?????-*") for name in ("orders", "maps")]
    made = corner([*buckets, bucket("data-orders-abcde-x")], found)
    estate = Estate(Facts(made))
    held = classes.granted(Asker.of(estate, ROLE, {}), Shelving(estate))
    assert not held.alone
    assert sorted(one.size for one in held.alike) == [1, 40]
    _alike(made)
    _briefly(made)


def test_buckets_in_which_patterns_overlap_otherwise_are_told_apart() -> None:
    """One letter in a bucket of two is meant by both patterns where the bucket ends in `a`."""
    buckets = [bucket(name) for name in ("xa", "ya", "xx", "yx")]
    patterns = ("*a/b", "??/?")
    made = corner(buckets, [_allow("s3:GetObject", f"arn:aws:s3:::{one}") for one in patterns])
    estate = Estate(Facts(made))
    held = classes.granted(Asker.of(estate, ROLE, {}), Shelving(estate))
    assert sorted(tuple(one.ids) for one in held.alike) == [
        ("arn:aws:s3:::xa", "arn:aws:s3:::ya"),
        ("arn:aws:s3:::xx", "arn:aws:s3:::yx"),
    ]
    _alike(made)


def test_a_pattern_may_mean_all_that_is_in_a_bucket_without_a_star_at_its_end() -> None:
    made = corner(
        [bucket("-"), bucket("-a")],
        [
            _allow("s3:GetObject", "*"),
            {"Statement": [{**_DENY, "Resource": "arn:aws:s3:::*a*?"}]},
        ],
    )
    assert {one.resource for one in AwsEngine(Facts(made)).grants(ROLE)} == {"arn:aws:s3:::-"}
    _alike(made)
    _briefly(made)


_DENY: Json = {"Effect": "Deny", "Action": "s3:*"}
PIECES = st.lists(st.sampled_from(["a", "-", "x", "/", "*", "?"]), min_size=1, max_size=6)


def _overlaps(names: set[str], patterns: list[str], actions: list[str]) -> None:
    identity = [
        _allow(action, f"arn:aws:s3:::{pattern}")
        for action, pattern in zip(actions, patterns, strict=True)
    ]
    made = corner([bucket(name) for name in sorted(names)], identity)
    _alike(made)
    _briefly(made)


_DRAWN = {
    "names": st.sets(st.text("a-x", min_size=1, max_size=4), min_size=2, max_size=8),
    "patterns": st.lists(PIECES.map("".join), min_size=3, max_size=3),
    "actions": st.lists(st.sampled_from(ACTIONS[1:5]), min_size=3, max_size=3),
}


@settings(max_examples=15)
@given(**_DRAWN)
def test_however_patterns_overlap(
    names: set[str], patterns: list[str], actions: list[str]
) -> None:
    _overlaps(names, patterns, actions)


@pytest.mark.soak
@settings(max_examples=5000)
@given(**_DRAWN)
def test_however_patterns_overlap_at_length(
    names: set[str], patterns: list[str], actions: list[str]
) -> None:
    _overlaps(names, patterns, actions)


def test_grants_are_sorted_as_they_were() -> None:
    made = corner(
        [bucket(f"data-{n}") for n in range(12)], [_allow("s3:*", ["arn:aws:s3:::data-*"])]
    )
    found: tuple[Grant, ...] = AwsEngine(Facts(made)).grants(ROLE)
    assert list(found) == sorted(found, key=grants.order)
