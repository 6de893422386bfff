"""Plans as files: every version that is known, what is broken or hostile, what is secret, and what
is not understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.cli import run
from modelreach.model import InputError
from modelreach.plugins import CollectOptions
from modelreach.snapshot import SCHEMA, Runtime, Scope, Snapshot, encode
from modelreach_terraform import TerraformConnector
from modelreach_terraform.plan import Action, decode, module_of, provider_of
from modelreach_terraform.reference import page
from modelreach_terraform.values import UNKNOWN, WITHHELD, is_unread, told

Json = dict[str, Any]
ACCOUNT = "123456789012"
CANARY = "hush-canary-value"
VERSIONS = (
    "tf-0.12-aws-2.70",
    "tf-0.13-aws-3.39",
    "tf-0.14-aws-3.39",
    "tf-0.15-aws-3.39",
    "tf-1.11-aws-3.39",
    "tf-1.11-aws-5.100",
)
_AGENT = f"arn:aws:iam::{ACCOUNT}:role/agent"


def _account() -> Snapshot:
    scope = Scope(id=ACCOUNT, provider="aws", kind="account")
    return Snapshot(schema=SCHEMA, taken_at="2026-11-01T00:00:00Z", scopes=(scope,))


def test_a_plan_is_not_read_beside_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["collect", "aws", "terraform", "--plan", "p.json", "-o", "x.snap"]) == 2
    assert "applied to a snapshot" in capsys.readouterr().err


def test_a_store_as_the_base_is_refused_with_what_to_do(tmp_path: Path) -> None:
    store = tmp_path / "estate.mrdb"
    store.write_bytes(b"SQLite format 3\0" + b"\0" * 100)
    given = {"plan": ("p.json",), "onto": (str(store),)}
    with pytest.raises(InputError, match="this is a store") as refused:
        TerraformConnector().collect(CollectOptions(now="", settings=given))
    assert "modelreach convert" in refused.value.hint


def test_a_statement_of_which_a_part_is_not_known_is_unknown(
    plans: Path, apply: Any, may: Any
) -> None:
    """Without the configuration, on which things is not known; with it, it is."""
    folder = plans / "modules"
    asked = (f"arn:aws:iam::{ACCOUNT}:user/ann", "s3:PutObject", "arn:aws:s3:::customer-data/x")
    unsure = apply(folder / "plan.json", account=ACCOUNT)
    sure = apply(folder / "plan.json", account=ACCOUNT, source=str(folder))
    assert (may(unsure, *asked), may(sure, *asked)) == ("unknown", "allow")
    other = (asked[0], "s3:DeleteObject", asked[2])
    assert (may(unsure, *other), may(sure, *other)) == ("deny", "deny")
    elsewhere = (*asked[:2], "arn:aws:s3:::elsewhere/x")
    assert (may(unsure, *elsewhere), may(sure, *elsewhere)) == ("unknown", "deny")


# --- versions --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VERSIONS)
def test_every_version_tells_the_same(
    name: str, plans: Path, apply: Any, reaches: Any, tmp_path: Path
) -> None:
    """Formats 0.1 and 1.2, with three versions of the provider: one configuration, one answer."""
    folder = plans / "versions"
    made = apply(folder / f"{name}.json", _account(), source=str(folder))
    last = apply(folder / f"{VERSIONS[-1]}.json", _account(), source=str(folder))
    assert [one.id for one in made.principals] == [one.id for one in last.principals]
    assert made.attachments == last.attachments
    assert reaches(made, _AGENT) == reaches(last, _AGENT)
    assert CANARY in (folder / f"{name}.json").read_text()
    assert CANARY.encode() not in encode(made)


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.1", "1.2", "1.9"])
def test_formats_that_are_accepted(version: str) -> None:
    raw = json.dumps({"format_version": version, "resource_changes": []}).encode()
    assert decode(raw, place="plan.json").changes == ()


def test_opentofu_writes_the_same_form() -> None:
    """Only the registry in the names of providers is another."""
    assert provider_of("aws_iam_role", "registry.opentofu.org/hashicorp/aws") == "aws"
    assert provider_of("aws_iam_role", "aws") == "aws"
    assert provider_of("google_project", "registry.terraform.io/hashicorp/google-beta") == "gcp"
    assert provider_of("random_pet", "registry.terraform.io/hashicorp/random") == ""


# --- broken, foreign, hostile -----------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"PK\x03\x04binary plan",
        b"[]",
        b'{"format_version": "2.0"}',
        b'{"format_version": 1}',
        b'{"resource_changes": []}',
        b'{"format_version": "1.2", "errored": true}',
        b'{"format_version": "1.2", "resource_changes": [{"address": 1}]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_plan_is_refused_by_name(raw: bytes) -> None:
    with pytest.raises(InputError, match=r"^some/plan\.json: ") as refused:
        decode(raw, place="some/plan.json")
    assert refused.value.hint


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_plan_is_read_as_windows_shells_redirect_it(encoding: str, plans: Path) -> None:
    raw = (plans / "policies" / "plan.json").read_bytes()
    marked = raw.decode().replace("\n", "\r\n").encode(encoding)
    assert decode(marked, place="plan.json") == decode(raw, place="plan.json")
    with pytest.raises(InputError) as refused:
        decode(marked[: len(marked) // 2 + 1], place="plan.json")
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
def test_a_plan_that_is_cut_short_is_refused_and_tells_no_value(cut: float, plans: Path) -> None:
    raw = (plans / "policies" / "plan.json").read_bytes()
    with pytest.raises(InputError) as refused:
        decode(raw[: int(len(raw) * cut)], place="plan.json")
    assert CANARY not in str(refused.value) + refused.value.hint


def test_a_value_of_another_type_is_in_no_message(planned: Any, apply: Any) -> None:
    plan = planned("aws").change(
        "aws_iam_role.r", "create", after={"name": [CANARY], "assume_role_policy": CANARY}
    )
    made = apply(plan, _account())
    assert CANARY not in str([gap.message for gap in made.gaps])


def test_no_plan_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--plan: there is no plan"):
        TerraformConnector().collect(CollectOptions(now="2026-11-25T00:00:00Z"))


def test_an_account_that_nothing_tells_has_to_be_given(planned: Any, apply: Any) -> None:
    plan = planned("aws").change("aws_iam_user.u", "create", after={"name": "u"})
    with pytest.raises(InputError, match="which AWS account") as refused:
        apply(plan)
    assert "--account" in refused.value.hint
    assert apply(plan, account=ACCOUNT).principals[0].id == f"arn:aws:iam::{ACCOUNT}:user/u"


_HOSTILE = 'a"]\x1b[31m<script>\u202e'


def test_hostile_names_stay_names(planned: Any, apply: Any) -> None:
    plan = planned("aws").change(
        f'aws_iam_user.u["{_HOSTILE}"]', "create", after={"name": _HOSTILE, "path": "/"}
    )
    (user,) = apply(plan, _account()).principals
    assert user.name == _HOSTILE


_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@settings(max_examples=20)
@given(st.sampled_from(["role", "policy", "bucket", "assume_role_policy"]), _VALUES, _VALUES)
def test_any_values_are_read_without_a_fall(name: str, value: Any, unknown: Any) -> None:
    change = {
        "actions": ["create"],
        "before": None,
        "after": {name: value},
        "after_unknown": {name: unknown},
    }
    kinds = ("aws_iam_role", "aws_iam_role_policy", "aws_s3_bucket_policy", "aws_lambda_function")
    changes = [
        {"address": f"{kind}.x", "type": kind, "name": "x", "change": change} for kind in kinds
    ]
    raw = json.dumps({"format_version": "1.2", "resource_changes": changes}).encode()
    found = decode(raw, place="plan.json")
    from modelreach_terraform.apply import apply
    from modelreach_terraform.source import Written
    from modelreach_terraform.world import World

    world = World(_account())
    apply(found, world, Written(), account=ACCOUNT, own_base=False)
    first = encode(world.snapshot(taken_at="", tool=""))
    again = World(_account())
    apply(found, again, Written(), account=ACCOUNT, own_base=False)
    assert encode(again.snapshot(taken_at="", tool="")) == first


# --- values -----------------------------------------------------------------------------------


def test_what_is_sensitive_is_dropped_before_anybody_sees_it() -> None:
    assert told({"a": CANARY, "b": 1}, None, {"a": True}) == {"a": WITHHELD, "b": 1}
    assert told([{"a": CANARY}], None, [{"a": True}]) == [{"a": WITHHELD}]
    assert told(CANARY, True, True) is WITHHELD


def test_what_is_unknown_is_never_nothing() -> None:
    assert told({"a": 1}, {"b": True}) == {"a": 1, "b": UNKNOWN}
    assert told([None, "x"], [True, False]) == [UNKNOWN, "x"]
    assert told(None, {"a": True}) == {"a": UNKNOWN}
    assert is_unread([{"a": [UNKNOWN]}])


def test_modules_are_told_from_addresses() -> None:
    assert module_of('module.a["x.y"].module.b[0].aws_iam_role.r') == 'module.a["x.y"].module.b[0]'
    assert module_of("aws_iam_role.module") == ""


# --- what a plan does -------------------------------------------------------------------------


def test_what_leaves_only_the_state_stays_in_the_estate(planned: Any, apply: Any) -> None:
    user = {"name": "u", "path": "/", "arn": f"arn:aws:iam::{ACCOUNT}:user/u"}
    base = apply(planned("aws").change("aws_iam_user.u", "create", after=user), _account())
    kept = apply(planned("aws").change("aws_iam_user.u", "forget", before=user), base)
    gone = apply(planned("aws").change("aws_iam_user.u", "delete", before=user), base)
    assert [one.name for one in kept.principals] == ["u"]
    assert gone.principals == ()


def test_without_a_base_what_is_there_by_the_plan_is_the_base(planned: Any, apply: Any) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/there"
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    values = {"name": "there", "path": "/", "arn": arn, "assume_role_policy": trust}
    plan = planned("aws").change(
        "aws_iam_role_policy.p", "create", after={"name": "p", "role": "there", "policy": trust}
    )
    plan.prior.append(
        {
            "address": "aws_iam_role.there",
            "mode": "managed",
            "type": "aws_iam_role",
            "name": "there",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "values": values,
            "sensitive_values": {},
        }
    )
    made = apply(plan)
    assert [one.id for one in made.principals] == [arn]
    assert {one.kind for one in made.attachments} == {"trust", "identity"}
    assert [one.id for one in made.scopes] == [ACCOUNT]


def test_states_of_the_first_version_leave_keys_and_modules_out_of_addresses() -> None:
    def resource(key: str | int | None) -> Json:
        found = {
            "address": "google_storage_bucket.b",
            "type": "google_storage_bucket",
            "name": "b",
        }
        return found | ({} if key is None else {"index": key}) | {"values": {"name": "x"}}

    child = {"address": 'module.m["k"]', "resources": [resource(0)]}
    root = {"resources": [resource('a"b'), resource(None)], "child_modules": [child]}
    state = {"values": {"root_module": root}}
    raw = json.dumps({"format_version": "0.1", "prior_state": state}).encode()
    assert [one.address for one, _ in decode(raw, place="p").prior] == [
        'google_storage_bucket.b["a\\"b"]',
        "google_storage_bucket.b",
        'module.m["k"].google_storage_bucket.b[0]',
    ]


def test_a_data_source_tells_what_a_policy_of_aws_allows(planned: Any, apply: Any) -> None:
    """The base has documents only of those that somebody had before."""
    arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    base = apply(
        planned("aws").change("aws_iam_user.u", "create", after={"name": "u"}), _account()
    )
    plan = planned("aws").change(
        "aws_iam_user_policy_attachment.a", "create", after={"user": "u", "policy_arn": arn}
    )
    (gap,) = apply(plan, base).gaps
    assert (gap.kind, gap.reason) == ("identity-policy", "not-collected")
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    plan.prior.append(
        {
            "address": "data.aws_iam_policy.read",
            "mode": "data",
            "type": "aws_iam_policy",
            "name": "read",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "values": {"arn": arn, "name": "AmazonS3ReadOnlyAccess", "policy": document},
        }
    )
    made = apply(plan, base)
    assert not made.gaps
    assert [one.policy for one in made.attachments] == [arn]


@pytest.mark.parametrize(
    ("kind", "matters"),
    [
        ("aws_glue_resource_policy", True),
        ("aws_lakeformation_permissions", True),
        ("aws_ram_resource_share", True),
        ("google_dataproc_cluster_iam_member", True),
        ("google_access_context_manager_access_level", True),
        ("azurerm_lighthouse_assignment", True),
        ("azuread_administrative_unit", True),
        ("kubernetes_certificate_signing_request_v1", True),
        ("aws_iam_service_specific_credential", True),
        ("aws_cloudwatch_log_destination_policy", True),
        ("aws_efs_file_system_policy", True),
        ("aws_iam_account_password_policy", False),
        ("aws_iam_service_linked_role", False),
        ("aws_opensearchserverless_lifecycle_policy", False),
        ("aws_sqs_queue_redrive_allow_policy", False),
        ("aws_sns_topic_data_protection_policy", False),
        ("aws_sesv2_email_identity", False),
        ("aws_autoscaling_policy", False),
        ("aws_vpc", False),
        ("google_compute_network", False),
        ("azurerm_virtual_network", False),
        ("kubernetes_service_v1", False),
        ("random_password", False),
    ],
)
def test_a_type_that_decides_over_access_and_is_not_understood_is_a_gap(
    kind: str, matters: bool, planned: Any, apply: Any
) -> None:
    provider = {"google": "google", "azurerm": "azurerm", "azuread": "azuread"}.get(
        kind.partition("_")[0], kind.partition("_")[0]
    )
    plan = planned(provider).change(f"{kind}.odd", "create", after={"name": "x"})
    gaps = [gap for gap in apply(plan, _account()).gaps if gap.reason == "unsupported"]
    assert [gap.subject for gap in gaps] == ([f"{kind}.odd"] if matters else [])
    assert all(kind in gap.message for gap in gaps)
    unchanged = planned(provider).change(f"{kind}.odd", "no-op", before={}, after={"name": "x"})
    assert not apply(unchanged, _account()).gaps


def test_what_the_base_does_not_have_and_the_plan_keeps_is_a_gap(planned: Any, apply: Any) -> None:
    user = {"name": "u", "path": "/"}
    plan = planned("aws").change("aws_iam_user.u", "no-op", before=user, after=user)
    (gap,) = apply(plan, _account()).gaps
    assert (gap.reason, gap.subject) == ("not-collected", f"arn:aws:iam::{ACCOUNT}:user/u")


def test_actions() -> None:
    assert Action("no-op") is Action.NOTHING
    for actions, wanted in (
        (["delete", "create"], Action.REPLACE),
        (["create", "delete"], Action.REPLACE),
        (["create"], Action.CREATE),
        (["forget"], Action.FORGET),
        (["read"], Action.READ),
        (["no-op"], Action.NOTHING),
    ):
        one = {"address": "a.b", "type": "a", "name": "b", "change": {"actions": actions}}
        raw = json.dumps({"format_version": "1.2", "resource_changes": [one]}).encode()
        assert decode(raw, place="p").changes[0].action is wanted


def test_the_reference_page_is_what_the_tables_say(plans: Path) -> None:
    page_file = plans.parents[2] / "docs" / "reference" / "terraform-resources.md"
    assert page_file.read_text(encoding="utf-8") == page()


# --- what follows ------------------------------------------------------------------------------


def test_a_role_that_trusts_a_cluster_is_what_its_pods_run_as(planned: Any, apply: Any) -> None:
    """The same runtime as the AWS connector makes of it; it goes with the role."""
    host, start = "oidc.eks.eu-west-1.amazonaws.com/id/F00D", f"arn:aws:eks:eu-west-1:{ACCOUNT}"
    cluster = Runtime(
        id=f"{start}:cluster/prod",
        provider="aws",
        kind="eks:cluster",
        scope=ACCOUNT,
        region="eu-west-1",
        name="prod",
        attributes={"oidc_issuer": host},
    )
    base = msgspec.structs.replace(_account(), runtimes=(cluster,))
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"},
        "Condition": {"StringEquals": {f"{host}:sub": "system:serviceaccount:ml:app"}},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = {"name": "r", "path": "/", "assume_role_policy": trust}
    made = apply(planned("aws").change("aws_iam_role.r", "create", after=role), base)
    arn = f"arn:aws:iam::{ACCOUNT}:role/r"
    (pod,) = (one for one in made.runtimes if one.kind == "eks:service-account")
    assert pod.id == f"{cluster.id}#system:serviceaccount:ml:app#{arn}"
    assert (pod.name, pod.identities, pod.region) == ("ml/app", (arn,), "eu-west-1")
    assert pod.attributes == {
        "cluster": cluster.id,
        "namespace": "ml",
        "service_account": "app",
    }
    gone = apply(planned("aws").change("aws_iam_role.r", "delete", before=role), made)
    assert gone.runtimes == (cluster,)


def test_an_instance_that_the_plan_does_not_name_runs_as_whoever_is_in_its_profile(
    planned: Any, apply: Any
) -> None:
    profile = f"arn:aws:iam::{ACCOUNT}:instance-profile/vm"
    instance = Runtime(
        id=f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-1",
        provider="aws",
        kind="ec2:instance",
        scope=ACCOUNT,
        attributes={"instance_profile": profile},
    )
    base = msgspec.structs.replace(_account(), runtimes=(instance,))
    plan = planned("aws").change("aws_iam_role.r", "create", after={"name": "r", "path": "/"})
    plan.change("aws_iam_instance_profile.vm", "create", after={"name": "vm", "role": "r"})
    (made,) = apply(plan, base).runtimes
    assert made.identities == (f"arn:aws:iam::{ACCOUNT}:role/r",)
