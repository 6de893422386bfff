"""What `can` may be asked about: ids, and names that only one thing has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from modelreach.snapshot import encode
from modelreach.store import write
from modelreach.store.facts import StoredFacts
from organisations import plan, whole

Call = Callable[..., Any]
ESTATE = ("--snapshot", "estate.snap.json")
ROLE = "arn:aws:iam::123456789012:role/support-agent-runtime-v2"


def test_names_mean_what_their_ids_mean(call: Call) -> None:
    named = call("can", "support-agent-runtime-v2", "s3:GetObject", "acme-support-kb", *ESTATE)
    spelled = call("can", ROLE, "s3:GetObject", "arn:aws:s3:::acme-support-kb", *ESTATE)
    assert (named.code, named.out) == (0, spelled.out)
    assert " ALLOWED " in named.out


@pytest.mark.parametrize(
    ("principal", "resource", "missing"),
    [("nobody", "acme-support-kb", "nobody"), (ROLE, "acme-suport-kb", "acme-suport-kb")],
)
def test_a_name_of_nothing_is_not_answered(
    call: Call, principal: str, resource: str, missing: str
) -> None:
    done = call("can", principal, "s3:GetObject", resource, *ESTATE)
    assert done.code == 2
    assert f"`{missing}` is not in estate.snap.json" in done.err


def test_a_name_of_several_asks_which(call: Call, place: Path) -> None:
    found = json.loads((place / "estate.snap.json").read_text())
    (bucket,) = [one for one in found["resources"] if one.get("name") == "acme-support-kb"]
    found["resources"].append({**bucket, "id": "arn:aws:s3:::acme-support-kb-2"})
    (place / "two.json").write_text(json.dumps(found))
    done = call("can", ROLE, "s3:GetObject", "acme-support-kb", "--snapshot", "two.json")
    assert done.code == 2
    assert "hint:  arn:aws:s3:::acme-support-kb, arn:aws:s3:::acme-support-kb-2" in done.err


def test_an_id_is_what_it_says_whatever_others_are_called(call: Call, place: Path) -> None:
    """Who names things like another's ARN cannot have the answer about that one withheld."""
    found = json.loads((place / "estate.snap.json").read_text())
    (bucket,) = [one for one in found["resources"] if one.get("name") == "acme-support-kb"]
    found["resources"].append({**bucket, "id": "arn:aws:s3:::other", "name": bucket["id"]})
    (place / "named.json").write_text(json.dumps(found))
    asked = ("can", ROLE, "s3:GetObject", bucket["id"])
    done = call(*asked, "--snapshot", "named.json")
    assert (done.code, done.out) == (0, call(*asked, *ESTATE).out)


def test_of_a_store_only_the_account_that_is_asked_about_is_read(
    call: Call, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = whole(plan(principals=60, accounts=3, seed=1))
    write(place / "many.mrdb", made)
    (place / "many.json").write_bytes(encode(made))
    role = next(one for one in made.principals if one.kind == "role")
    asked = ("can", role.id, "s3:ListBucket", f"arn:aws:s3:::of-{role.scope}")
    first = call(*asked, "--snapshot", "many.mrdb")  # looks once who is named where
    opened: list[StoredFacts] = []
    make = StoredFacts.__init__

    def noted(self: StoredFacts, *given: Any) -> None:
        make(self, *given)
        opened.append(self)

    monkeypatch.setattr(StoredFacts, "__init__", noted)
    again = call(*asked, "--snapshot", "many.mrdb")
    assert first.out == again.out == call(*asked, "--snapshot", "many.json").out
    accounts = {one.id for one in made.scopes if one.kind == "account"}
    assert role.scope in opened[0].read_parts
    assert len(accounts & {*opened[0].read_parts}) < len(accounts)


def test_a_name_with_slashes_is_one(call: Call) -> None:
    """As reports show it; an answer about what has no such id would read as if it were safe."""
    asked = ("can", ROLE, "secretsmanager:GetSecretValue")
    named = call(*asked, "prod/payments/stripe-live", *ESTATE)
    place = "arn:aws:secretsmanager:eu-west-1:123456789012:secret"
    secret = f"{place}:prod/payments/stripe-live-hGlIPO"
    assert named.out == call(*asked, secret, *ESTATE).out
    assert " ALLOWED " in named.out
    slip = call(*asked, "prod/payments/stripe-life", *ESTATE)
    assert slip.code == 2
    assert "`prod/payments/stripe-life` is not in estate.snap.json" in slip.err


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (
            "s3:GetObjekt",
            "that there is an action s3:GetObjekt, which AWS's list does not have; did",
        ),
        ("s4:GetObject", "that there is an action s4:GetObject, which AWS's list does not have"),
        ("s3:getobject", ""),
        ("s3:Get*", ""),
    ],
)
def test_an_action_that_aws_does_not_have_is_told(call: Call, action: str, told: str) -> None:
    """That nothing grants it would else read as if it were safe."""
    done = call("can", ROLE, action, "acme-support-kb", *ESTATE, "--format", "json")
    assert done.code == 0
    found = [one for one in json.loads(done.out)["assumes"] if "list" in one]
    assert found == [] if not told else found[0].startswith(told)


@pytest.mark.parametrize(
    ("action", "because"),
    [("s3:DeleteObject", "a limit takes it away"), ("s3:PutBucketAcl", "nothing grants it")],
)
def test_a_limit_is_not_taken_for_the_want_of_a_grant(
    call: Call, action: str, because: str
) -> None:
    """The boundary of the role leaves out what its policy grants."""
    done = call("can", ROLE, action, "arn:aws:s3:::acme-support-workspace/notes.txt", *ESTATE)
    assert done.out.startswith(f" NOT ALLOWED   {because}\n")


@pytest.mark.parametrize("resource", ["*", "arn:aws:s3:::not-collected"])
def test_ids_and_patterns_are_asked_as_they_are(call: Call, resource: str) -> None:
    assert call("can", ROLE, "s3:GetObject", resource, *ESTATE).code == 0


def test_an_answer_has_a_name_of_its_own(call: Call) -> None:
    """`modelreach.decision` is what the signed record of a gate is called."""
    asked = (ROLE, "s3:GetObject", "acme-support-kb")
    answer = json.loads(call("can", *asked, *ESTATE, "--format", "json").out)
    assert answer["schema"] == "modelreach.answer/1"
    assert (answer["verdict"], len(answer["determining"])) == ("allow", 1)
    schema = json.loads(call("schema", "answer").out)
    jsonschema.validate(answer, schema)


READER = "arn:aws:iam::210987654321:role/etl-reader"


def test_who_may_in_its_place_is_named(call: Call) -> None:
    """That a role itself may not, reads as if its bucket were safe from it."""
    asked = ("can", ROLE, "s3:GetObject", "acme-customer-records", *ESTATE)
    assert "but can become  role/etl-reader: allowed, 1 hop away\n" in call(*asked).out
    answer = json.loads(call(*asked, "--format", "json").out)
    assert answer["verdict"] == "deny"
    assert answer["through"] == [{"kind": "identity", "id": READER, "verdict": "allow", "hops": 1}]
    jsonschema.validate(answer, json.loads(call("schema", "answer").out))


def test_nobody_is_named_who_may_not_either(call: Call) -> None:
    done = call("can", READER, "s3:PutObject", "acme-customer-records", *ESTATE)
    assert "not granted by  policy\n" in done.out
    assert "become" not in done.out
    itself = call("can", READER, "s3:GetObject", "acme-customer-records", *ESTATE)
    assert "become" not in itself.out


@pytest.mark.parametrize(
    ("who", "resource", "verdict"),
    [
        (READER, "secretsmanager:eu-west-1:210987654321:secret:crm-AbCdEf", "unknown"),
        (READER, "secretsmanager:eu-west-1:123456789012:secret:crm-AbCdEf", "deny"),
        (ROLE, "secretsmanager:eu-west-1:123456789012:secret:crm-AbCdEf", "deny"),
        (ROLE, "secretsmanager:eu-west-3:123456789012:secret:crm-AbCdEf", "unknown"),
    ],
    ids=["not listed", "of another account", "all listed", "not read"],
)
def test_what_may_have_a_policy_of_its_own_is_not_denied_unread(
    call: Call, who: str, resource: str, verdict: str
) -> None:
    """In its own account a secret's policy alone lets in whom it names."""
    asked = ("can", who, "secretsmanager:GetSecretValue", f"arn:aws:{resource}", *ESTATE)
    answer = json.loads(call(*asked, "--format", "json").out)
    assert answer["verdict"] == verdict
    assert bool(answer["depends_on"]) == (verdict == "unknown")
