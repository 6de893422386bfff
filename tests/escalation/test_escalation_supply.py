"""Who may write what runtimes of other accounts load feeds these: across accounts both sides have
to say so, and what nobody lists is unknown."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.model import Strength
from modelreach.policy.engine import Pivot
from modelreach.policy.expr import AtomKind, atoms
from modelreach.snapshot import Coverage, Gap, Link, Principal, Resource, Runtime, Scope

#: Where what is loaded is kept, where it runs, and somebody else's account.
SHARED, RUNS, OTHER = "111122223333", "444455556666", "777788889999"
PUSH = [
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
]
BASE = f"arn:aws:ecr:eu-west-1:{SHARED}:repository/team/base"
BUCKET = "arn:aws:s3:::models-of-all"
TASK = f"arn:aws:ecs:eu-west-1:{RUNS}:task-definition/web:3"
ENDPOINT = f"arn:aws:sagemaker:eu-west-1:{RUNS}:endpoint/scorer"
WORKER = f"arn:aws:iam::{RUNS}:role/worker"
IMAGE = f"{SHARED}.dkr.ecr.eu-west-1.amazonaws.com/team/base:1"
MODEL = "s3://models-of-all/scorer/model.tar.gz"


def allow(action: str | list[str], on: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": on, **more}


def ours(account: str, kind: str = "role", name: str = "pusher") -> str:
    return f"arn:aws:iam::{account}:{kind}/{name}"


class Organisation:
    """Three accounts: two of them have somebody, and in one something runs."""

    def __init__(self, made: Any) -> None:
        self.made = made
        for account in (SHARED, RUNS, OTHER):
            made.add("scopes", Scope(id=account, provider="aws", kind="account"))
            self.somebody(ours(account))
        self.somebody(WORKER)
        self.listed(BASE, "ecr:repository")
        self.listed(BUCKET, "s3:bucket")

    def somebody(self, name: str) -> None:
        short, account = name.rsplit("/", 1)[-1], name.split(":")[4]
        fact = Principal(id=name, provider="aws", kind="role", scope=account, name=short)
        self.made.add("principals", fact)

    def listed(self, name: str, kind: str, account: str = SHARED) -> None:
        self.made.add("resources", Resource(id=name, provider="aws", kind=kind, scope=account))

    def runs(self, name: str, address: str, **attributes: Any) -> None:
        kind = "ecs:task-definition" if ":ecs:" in name else "sagemaker:endpoint"
        fact = Runtime(
            id=name,
            provider="aws",
            kind=kind,
            scope=name.split(":")[4],
            region="eu-west-1",
            identities=(WORKER,),
            links=(Link(kind="pulls", target=address),),
            attributes=attributes,
        )
        self.made.add("runtimes", fact)

    def may(self, name: str, *said: dict[str, Any]) -> None:
        self.made.attach(name, "identity", said)

    def lets(self, thing: str, *said: dict[str, Any]) -> None:
        self.made.attach(thing, "resource", said)

    def hops(self, name: str) -> list[Pivot]:
        """The hops to the one who runs elsewhere, as the full definition has them, which the brief
        way has to have as well."""
        engine = self.made.engine()
        found = [one for one in engine.pivots(name) if one.target == WORKER]
        brief = [one.strength for one in engine.outline(name).every if one.target == WORKER]
        assert brief == ([Strength.INFLUENCE] if found else [])
        return found


@pytest.fixture
def org(scenes: Any) -> Organisation:
    """An organisation in which nobody may anything yet."""
    return Organisation(scenes.Estate())


def test_who_may_push_to_its_own_registry_feeds_what_runs_elsewhere(org: Organisation) -> None:
    org.runs(TASK, IMAGE)
    org.may(ours(SHARED), allow(PUSH, BASE))
    (hop,) = org.hops(ours(SHARED))
    assert (hop.rule, hop.strength, hop.via) == ("push-image", Strength.INFLUENCE, TASK)
    assert [(one.action, one.object) for one in hop.support] == [(one, BASE) for one in PUSH]
    assert all(one.statements for one in hop.support)
    assert not org.hops(ours(OTHER))


@pytest.mark.parametrize("missing", PUSH)
def test_each_step_of_a_push_is_needed(org: Organisation, missing: str) -> None:
    org.runs(TASK, IMAGE)
    org.may(ours(SHARED), allow([one for one in PUSH if one != missing], BASE))
    assert not org.hops(ours(SHARED))


def test_a_repository_of_a_like_name_is_another_one(org: Organisation) -> None:
    org.runs(TASK, f"{IMAGE.rpartition('/')[0]}/other:1")
    org.may(ours(SHARED), allow(PUSH, BASE))
    assert not org.hops(ours(SHARED))


def test_a_shorter_name_is_another_repository_with_a_policy_of_its_own(org: Organisation) -> None:
    short = BASE.rpartition("/")[0]
    org.listed(short, "ecr:repository")
    org.lets(short, allow(PUSH, Principal="*"))
    org.runs(TASK, f"{IMAGE.rpartition('/')[0]}/unlisted:1")
    org.may(ours(OTHER), allow(PUSH))
    assert not org.hops(ours(OTHER))


def test_its_own_account_may_be_let_in_by_the_repository_alone(org: Organisation) -> None:
    org.runs(TASK, IMAGE)
    org.lets(BASE, allow(PUSH, Principal={"AWS": ours(SHARED)}))
    assert [one.via for one in org.hops(ours(SHARED))] == [TASK]


@pytest.mark.parametrize("mine", [True, False])
@pytest.mark.parametrize("theirs", [True, False])
def test_from_another_account_both_sides_have_to_say_so(
    org: Organisation, mine: bool, theirs: bool
) -> None:
    org.runs(TASK, IMAGE)
    if mine:
        org.may(ours(OTHER), allow(PUSH, BASE))
    if theirs:
        org.lets(BASE, allow(PUSH, Principal={"AWS": f"arn:aws:iam::{OTHER}:root"}))
    found = org.hops(ours(OTHER))
    assert bool(found) == (mine and theirs)
    for hop in found:
        holders = {ref.target for one in hop.support for ref in one.statements}
        assert holders == {ours(OTHER), BASE}


def test_the_organisation_binds_who_pushes_and_what_is_pushed_to(org: Organisation) -> None:
    org.runs(TASK, IMAGE)
    org.runs(ENDPOINT, MODEL)
    root = {"AWS": f"arn:aws:iam::{OTHER}:root"}
    org.may(ours(OTHER), allow([*PUSH, "s3:PutObject"]))
    org.lets(BASE, allow(PUSH, Principal=root))
    org.lets(BUCKET, allow("s3:PutObject", f"{BUCKET}/*", Principal=root))
    assert {one.via for one in org.hops(ours(OTHER))} == {TASK, ENDPOINT}
    deny = {"Effect": "Deny", "Action": "ecr:PutImage", "Resource": "*"}
    org.made.attach(OTHER, "scp", [allow("*"), deny])
    assert {one.via for one in org.hops(ours(OTHER))} == {ENDPOINT}
    limit = {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*"}
    foreign = {"StringNotEquals": {"aws:PrincipalAccount": SHARED}}
    org.made.attach(SHARED, "rcp", [allow("*", Principal="*"), {**limit, "Condition": foreign}])
    assert not org.hops(ours(OTHER))


def test_a_condition_on_either_side_is_what_the_hop_hangs_on(org: Organisation) -> None:
    org.runs(TASK, IMAGE)
    within = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    org.may(ours(OTHER), allow(PUSH, BASE))
    org.lets(BASE, allow(PUSH, Principal="*", Condition=within))
    (hop,) = org.hops(ours(OTHER))
    assert {one.key.lower() for one in atoms(hop.residual)} == {"aws:sourceip"}


def test_who_writes_an_artefact_feeds_the_endpoint_that_loads_it(org: Organisation) -> None:
    org.runs(ENDPOINT, MODEL)
    org.may(ours(SHARED), allow("s3:PutObject", f"{BUCKET}/scorer/*"))
    (hop,) = org.hops(ours(SHARED))
    assert (hop.rule, hop.via) == ("write-model-artefact", ENDPOINT)
    assert hop.support[0].object == f"{BUCKET}/scorer/model.tar.gz"
    assert hop.residual.__class__.__name__ == "Const"


def test_other_objects_of_the_bucket_are_nothing_to_it(org: Organisation) -> None:
    org.runs(ENDPOINT, MODEL)
    org.may(ours(SHARED), allow("s3:PutObject", f"{BUCKET}/other/*"))
    assert not org.hops(ours(SHARED))


def test_whoever_runs_it_alone_is_fed(org: Organisation) -> None:
    org.runs(TASK, IMAGE)
    org.runs(TASK.replace(RUNS, SHARED), "public.ecr.aws/nginx/nginx:latest")
    org.may(ours(SHARED), allow(PUSH))
    assert [one.via for one in org.hops(ours(SHARED))] == [TASK]


def test_an_administrator_of_the_registry_feeds_them_as_well(org: Organisation) -> None:
    org.runs(TASK, IMAGE)
    org.may(ours(SHARED), allow("*"))
    engine = org.made.engine()
    assert {one.kind for one in engine.pivots(ours(SHARED))} == {"administer", "feed"}
    (hop,) = org.hops(ours(SHARED))
    assert (hop.rule, hop.via) == ("push-image", TASK)


def test_an_administrator_may_be_asked_for_by_name(org: Organisation) -> None:
    org.runs(TASK, IMAGE)
    org.may(ours(OTHER), allow("*"))
    who = {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/pusher"}}
    org.lets(BASE, allow(PUSH, Principal="*", Condition=who))
    org.somebody(ours(OTHER, name="admin"))
    org.may(ours(OTHER, name="admin"), allow("*"))
    engine = org.made.engine()
    for name, found in ((ours(OTHER), True), (ours(OTHER, name="admin"), False)):
        assert any(one.target == WORKER for one in engine.outline(name).every) is found
        assert any(one.target == WORKER for one in engine.pivots(name)) is found


def test_an_administrator_may_work_on_what_lets_its_account_in(org: Organisation) -> None:
    """The account says the rest, but not what other accounts let it do."""
    function = f"arn:aws:lambda:eu-west-1:{RUNS}:function:job"
    fact = Runtime(
        id=function, provider="aws", kind="lambda:function", scope=RUNS, identities=(WORKER,)
    )
    org.made.add("runtimes", fact)
    org.lets(
        function, allow("lambda:*", function, Principal={"AWS": f"arn:aws:iam::{OTHER}:root"})
    )
    org.may(ours(OTHER), allow("*"))
    engine = org.made.engine()
    found = [one for one in engine.pivots(ours(OTHER)) if one.target == WORKER]
    assert found
    assert {one.via for one in found} == {function}
    brief = [one for one in engine.outline(ours(OTHER)).every if one.target == WORKER]
    assert [one.strength for one in brief] == [Strength.CERTAIN]


@pytest.mark.parametrize("account", [SHARED, OTHER])
def test_a_bucket_that_nobody_lists_is_unknown_where_it_is_named(
    org: Organisation, account: str
) -> None:
    org.runs(ENDPOINT, "s3://not-read/model.tar.gz")
    org.may(ours(account), allow("s3:PutObject", "arn:aws:s3:::not-read/*"))
    (hop,) = org.hops(ours(account))
    (atom,) = atoms(hop.residual)
    assert atom.kind is AtomKind.GAP
    assert "arn:aws:s3:::not-read" in atom.key


def test_a_bucket_that_nobody_lists_is_not_told_to_whoever_writes_anywhere(
    org: Organisation,
) -> None:
    org.runs(ENDPOINT, "s3://not-read/model.tar.gz")
    org.may(ours(SHARED), allow("s3:PutObject"))
    assert not org.hops(ours(SHARED))


@pytest.mark.parametrize(("named", "told"), [("*", 0), ("arn:aws:s3:::not-read/*", 1)])
def test_a_bucket_beside_all_that_were_read_of_the_account_is_somebody_elses(
    org: Organisation, named: str, told: int
) -> None:
    org.runs(ENDPOINT, "s3://not-read/model.tar.gz")
    org.may(ours(RUNS), allow("s3:PutObject", named))
    (hop,) = org.hops(ours(RUNS))
    assert not list(atoms(hop.residual))
    org.made.add("coverage", Coverage(provider="aws", scope=RUNS, kind="s3:bucket"))
    found = org.hops(ours(RUNS))
    kinds = [[one.kind for one in atoms(hop.residual)] for hop in found]
    assert kinds == [[AtomKind.GAP]] * told


def test_what_a_foreign_repository_says_and_was_not_read_is_unknown(org: Organisation) -> None:
    org.runs(TASK, IMAGE)
    org.may(ours(OTHER), allow(PUSH, BASE))
    unread = Gap(
        provider="aws", scope=SHARED, kind="resource-policy", reason="denied", subject=BASE
    )
    assert not org.hops(ours(OTHER))
    org.made.add("gaps", unread)
    (hop,) = org.hops(ours(OTHER))
    assert {one.kind for one in atoms(hop.residual)} == {AtomKind.GAP}


@pytest.mark.parametrize("runner", [RUNS, OTHER])
def test_a_repository_of_an_account_that_was_not_read_is_unknown(
    org: Organisation, runner: str
) -> None:
    away = "999900001111"
    address = f"{away}.dkr.ecr.eu-west-1.amazonaws.com/base:1"
    org.runs(TASK.replace(RUNS, runner), address)
    org.may(ours(OTHER), allow(PUSH, f"arn:aws:ecr:eu-west-1:{away}:repository/base"))
    org.may(ours(SHARED), allow(PUSH))
    (hop,) = org.hops(ours(OTHER))
    assert {one.kind for one in atoms(hop.residual)} == {AtomKind.GAP}
    assert not org.hops(ours(SHARED))
    org.made.add("coverage", Coverage(provider="aws", scope=away, kind="ecr:repository"))
    assert not org.hops(ours(OTHER))


@pytest.mark.parametrize("account", [SHARED, OTHER])
def test_an_image_by_its_digest_stays_what_it_is(org: Organisation, account: str) -> None:
    org.runs(TASK.replace(RUNS, account), f"{IMAGE[:-2]}@sha256:0a1b2c")
    org.may(ours(SHARED), allow(PUSH))
    assert not org.hops(ours(SHARED))


@pytest.mark.parametrize(("attributes", "told"), [({"package": "Image"}, 1), ({}, 0)])
def test_a_function_of_which_the_image_was_not_read_is_unknown(
    org: Organisation, attributes: dict[str, Any], told: int
) -> None:
    function = f"arn:aws:lambda:eu-west-1:{RUNS}:function:job"
    fact = Runtime(
        id=function,
        provider="aws",
        kind="lambda:function",
        scope=RUNS,
        identities=(WORKER,),
        attributes=attributes,
    )
    org.made.add("runtimes", fact)
    org.may(ours(RUNS), allow(PUSH, f"arn:aws:ecr:*:{RUNS}:repository/*"))
    org.may(ours(OTHER), allow(PUSH))
    found = org.hops(ours(RUNS))
    assert [(one.rule, one.via) for one in found] == [("push-image", function)] * told
    for hop in found:
        assert {one.kind for one in atoms(hop.residual)} == {AtomKind.GAP}
    assert not org.hops(ours(OTHER))
