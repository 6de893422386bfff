"""The change ticket: whole for a stranger, harmless whatever a cloud calls its things."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from modelreach.cli.schema import schema_of
from modelreach.gate.commands import commands_of, key_commands, stop_commands
from modelreach.gate.commands.shell import Step
from modelreach.gate.policy import preset
from modelreach.pipeline.gated import GateInput
from modelreach.pipeline.ticket import ticket
from modelreach.report import CredentialRow, DiffReport, Ticket
from modelreach.report_file import decode_ticket, encode
from modelreach_reports.ticket import render_json, render_markdown

BOTH = ("v1.yaml", "v2.yaml", "--snapshot", "estate.snap.json")
DESK = "arn:aws:iam::444455556666:role/booking-desk-4"
Compare = Callable[..., DiffReport]


@pytest.fixture(scope="session")
def made(compare: Compare, manifests: dict[str, Any], releases: dict[str, Any]) -> Ticket:
    given = GateInput(policy=preset("default"), today=date(2026, 11, 25))
    report = compare(manifests["v1"], manifests["v2"], given=given)
    return ticket(
        report, releases["v2"], made_at="2026-11-25T09:00:00Z", check="modelreach diff …"
    )


@pytest.fixture(scope="session")
def text(made: Ticket) -> str:
    return render_markdown(made).decode()


def _part(text: str, number: int) -> str:
    found = re.search(rf"^## {number}\..*?(?=^## )", text, re.MULTILINE | re.DOTALL)
    assert found
    return found.group()


def test_a_stranger_reads_what_changes(text: str) -> None:
    part = _part(text, 1)
    for told in (
        "anthropic.claude-3-5-sonnet-20241022-v2:0 | anthropic.claude-sonnet-4-5-20250929-v1:0",
        "`desk-guard.personalData` | BLOCK | ANONYMIZE",
        "`retentionDays` | 365 | 30",
        "`pay_refund` | no such tool | function tool, effect spend, approval none",
    ):
        assert told in part
    for dimension in ("Data exposure", "Tool authority", "Refusal behaviour", "Workflow integ"):
        assert f"### {dimension}" in part


def test_a_stranger_reads_what_it_reaches_and_by_which_way(text: str) -> None:
    part = _part(text, 2)
    assert "| of them sensitive | 0 | 2 |" in part
    bucket = "`harbour-passengers` (s3 bucket, aws harbour-travel) **sensitive**"
    assert f"{bucket} (tagged data-class=pii)" in part
    assert "`booking-desk-4` → assumes \\(sts:AssumeRole\\) `deployer`" in part
    assert "Not read, and so unknown, not none (1)" in part


ENTRA = "85ce7ab6-8eb7-521c-a67d-e8f2b9026031"


def test_a_stranger_reads_names_and_no_ids(made: Ticket) -> None:
    """Identities of Entra ID are numbers; only the ticket itself can say what they are called."""
    raw = encode(made).decode().replace(DESK, ENTRA)
    read = decode_ticket(raw)
    named = [
        msgspec.structs.replace(row, name="id-support") if row.id == ENTRA else row
        for row in read.identities
    ]
    shown = render_markdown(msgspec.structs.replace(read, identities=tuple(named))).decode()
    for number in (1, 2, 5):
        assert ENTRA not in _part(shown, number)
    assert "as id-support: read by" in _part(shown, 1)
    assert f"`id-support` (`{ENTRA}`)" in _part(shown, 4)


def test_a_ticket_of_before_is_read_as_well(made: Ticket) -> None:
    old = msgspec.json.decode(msgspec.json.encode(made)) | {"schema": "modelreach.ticket/1"}
    del old["identities"]
    read = decode_ticket(msgspec.json.encode(old))
    assert read == msgspec.structs.replace(made, identities=())
    assert render_markdown(read)


def test_a_stranger_reads_who_has_to_do_what(text: str, made: Ticket) -> None:
    part = _part(text, 3)
    for row in made.demands:
        assert f"**{row.title}** ({row.who})" in part.replace("\\", "")
    assert part.count("- [ ]") == sum(row.status != "met" for row in made.demands)
    assert "(travel-desk)" in part


def test_a_stranger_reads_how_to_undo_it(text: str, made: Ticket) -> None:
    part = _part(text, 4)
    assert "Go back to release `3.2.0`" in part
    assert "never, or not declared" in part
    assert made.cuts
    assert part.count("**Cut ") == len(made.cuts)
    assert part.count("take that back") == len(made.cuts) + len(made.stops)
    assert "gcloud iam service-accounts disable" in part


def test_the_head_answers_first(text: str) -> None:
    head = text.split("## 1.")[0]
    assert "**yes: data exposure, tool authority, refusal behaviour, workflow integrity**" in head
    assert "| May it be adopted as it is? | **no**:" in head
    assert "`TD-266`" in head


def test_the_sign_off_names_the_roles(text: str) -> None:
    assert "| Owner: `travel-desk` | | | |" in text
    assert "| Cloud security | | | |" in text


def test_the_json_is_as_its_schema_says(made: Ticket) -> None:
    found = json.loads(render_json(made))
    jsonschema.Draft202012Validator(schema_of("ticket")).validate(found)
    assert found["schema"] == "modelreach.ticket/2"
    assert decode_ticket(render_json(made)) == made


# --- the plan ------------------------------------------------------------------------------


def test_the_cuts_separate_all_that_the_triggers_name(made: Ticket) -> None:
    reached = {
        row.subject for row in made.security_change.triggers if row.witness and row.subject != DESK
    }
    assert reached
    assert {name for cut in made.cuts for name in cut.takes_away} == reached


def test_no_smaller_plan_would_do(made: Ticket) -> None:
    """Each cut is of a step that the release can take itself, and that no other cut takes."""
    steps = [set(product(cut.actions, cut.objects)) for cut in made.cuts]
    assert all(cut.subject == DESK for cut in made.cuts)
    assert sum(map(len, steps)) == len(set().union(*steps))


def test_one_cut_near_the_start_is_taken_rather_than_many_behind_it(made: Ticket) -> None:
    (cut,) = [cut for cut in made.cuts if "arn:aws:iam::444455556666:role/deployer" in cut.objects]
    assert cut.subject == DESK
    assert len(cut.takes_away) > 1


def test_an_update_that_reaches_nothing_new_needs_no_cut(
    compare: Compare, manifests: dict[str, Any], releases: dict[str, Any]
) -> None:
    given = GateInput(policy=preset("default"), today=date(2026, 11, 25))
    report = compare(manifests["v1"], manifests["v1"], given=given)
    found = ticket(report, releases["v1"], made_at="now", check="check")
    assert (found.cuts, found.uncut, found.demands) == ((), (), ())
    text = render_markdown(found).decode()
    assert "Nothing that is reached has to be cut." in text
    assert "Nothing is demanded." in text
    assert "Nothing is reached that was not reached before." in text


# --- commands ------------------------------------------------------------------------------


def _words(line: str) -> list[str]:
    """The words that a real shell makes of a line."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"set -- {line}; printf '%s\\0' \"$@\""],
        capture_output=True,
        check=True,
        timeout=300,
    )
    return done.stdout.decode().split("\0")[:-1]


HOSTILE = [
    "x'; rm -rf ~; '",
    "$(reboot)",
    "`reboot`",
    'a" && reboot; "',
    "a\\",
    "*",
    "--force",
    "$HOME",
    "!!",
    "a b",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_one_word_of_a_command(name: str) -> None:
    made = commands_of("aws", Step(f"arn:aws:iam::1:role/{name}", ("s3:GetObject",), (name,), 1))
    assert made is not None
    for line in (*made.revoke, *made.undo):
        words = _words(line)
        assert words == shlex.split(line)
        assert words[:2] == ["aws", "iam"]
        assert words[3] == f"--role-name={name.rpartition('/')[2]}"
        assert words[4] == "--policy-name=modelreach-cut-1"
    document = json.loads(_words(made.revoke[0])[5].removeprefix("--policy-document="))
    assert document["Statement"][0]["Effect"] == "Deny"


@pytest.mark.parametrize("char", ["\n", "\x1b", "\u202e", "\x00", "\u200b"])
def test_a_name_that_hides_something_gives_no_command(char: str) -> None:
    assert commands_of("aws", Step(f"arn:aws:iam::1:role/a{char}b", ("s3:*",), ("*",), 1)) is None
    assert stop_commands("gcp", f"a{char}b@p.iam.gserviceaccount.com") is None


def test_a_resource_that_hides_something_is_escaped_in_the_document() -> None:
    made = commands_of("aws", Step(DESK, ("s3:GetObject",), ("arn:aws:s3:::a\n\x1bb",), 1))
    assert made is not None
    assert "\n" not in made.revoke[0]
    assert "\x1b" not in made.revoke[0]


def test_a_bucket_is_denied_with_its_objects() -> None:
    made = commands_of(
        "aws", Step(DESK, ("s3:GetObject",), ("arn:aws:s3:::b", "arn:aws:s3:::c/x"), 2)
    )
    assert made is not None
    document = json.loads(shlex.split(made.revoke[0])[5].removeprefix("--policy-document="))
    resources = document["Statement"][0]["Resource"]
    assert resources == ["arn:aws:s3:::b", "arn:aws:s3:::b/*", "arn:aws:s3:::c/x"]


def test_a_key_is_made_inactive_and_not_deleted() -> None:
    row = CredentialRow(
        id="AKIAEXAMPLE",
        kind="access-key",
        principal="arn:aws:iam::1:user/ops/bot",
        scope="1",
        status="Active",
        created="",
        last_used="",
        expires="",
        age_days=None,
        unused_days=None,
    )
    made = key_commands(row)
    assert made is not None
    assert made.revoke == (
        "aws iam update-access-key --user-name=bot --access-key-id=AKIAEXAMPLE --status=Inactive",
    )
    assert made.undo[0].endswith("--status=Active")


def test_a_key_of_google_cloud_is_disabled(made: Ticket) -> None:
    name = "//iam.googleapis.com/projects/p/serviceAccounts/a@p.iam.gserviceaccount.com/keys/5b1d"
    fields = dict.fromkeys(CredentialRow.__struct_fields__, "")
    row = CredentialRow(**{**fields, "id": name, "age_days": None, "unused_days": None})  # type: ignore[arg-type]
    found = key_commands(row)
    assert found is not None
    account = "--iam-account=a@p.iam.gserviceaccount.com"
    assert found.revoke == (f"gcloud iam service-accounts keys disable 5b1d {account}",)
    assert found.undo == (f"gcloud iam service-accounts keys enable 5b1d {account}",)


@pytest.mark.parametrize("provider", ["aws", "azure", "gcp", "kubernetes", "", "nobody"])
def test_where_no_command_is_known_none_is_made_up(provider: str) -> None:
    assert commands_of(provider, Step("x", ("y",), ("z",), 1)) is None
    assert stop_commands(provider, "x") is None


MEMBER = "serviceAccount:a@p.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    ("target", "group", "name"),
    [
        ("organizations/7", "organizations", "7"),
        ("folders/8", "resource-manager folders", "8"),
        ("projects/p", "projects", "p"),
        (
            "//secretmanager.googleapis.com/projects/1/secrets/s",
            "secrets",
            "projects/1/secrets/s",
        ),
        ("//storage.googleapis.com/projects/_/buckets/b", "storage buckets", "gs://b"),
        ("//pubsub.googleapis.com/projects/p/topics/t", "pubsub topics", "projects/p/topics/t"),
        (
            "//run.googleapis.com/projects/p/locations/eu/services/s",
            "run services",
            "s --project=p --region=eu",
        ),
        (
            "//cloudkms.googleapis.com/projects/p/locations/eu/keyRings/r/cryptoKeys/k",
            "kms keys",
            "k --project=p --location=eu --keyring=r",
        ),
        (
            "//iam.googleapis.com/projects/p/serviceAccounts/x@p.iam.gserviceaccount.com",
            "iam service-accounts",
            "x@p.iam.gserviceaccount.com",
        ),
    ],
)
def test_a_binding_of_google_cloud_is_removed_and_put_back(
    target: str, group: str, name: str
) -> None:
    text = json.dumps({"role": "roles/viewer", "members": [MEMBER]})
    made = commands_of("gcp", Step(MEMBER, ("x",), ("y",), 1, target, text))
    assert made is not None
    rest = f"{name} --member={MEMBER} --role=roles/viewer"
    assert made.revoke == (f"gcloud {group} remove-iam-policy-binding {rest}",)
    assert made.undo == (f"gcloud {group} add-iam-policy-binding {rest}",)


@pytest.mark.parametrize(
    ("target", "statement"),
    [
        ("//bigquery.googleapis.com/projects/p/datasets/d", {"role": "r", "members": [MEMBER]}),
        ("projects/p", {"role": "r", "members": [MEMBER], "condition": "true"}),
        ("projects/p", {"role": "r", "members": []}),
        ("projects/--force", {"role": "r", "members": [MEMBER]}),
        ("projects/p", {"role": "r\x1b", "members": [MEMBER]}),
        ("projects/p", []),
    ],
)
def test_a_binding_that_cannot_be_put_back_gives_no_command(target: str, statement: Any) -> None:
    step = Step(MEMBER, ("x",), ("y",), 1, target, json.dumps(statement))
    assert commands_of("gcp", step) is None


# --- hostile names -------------------------------------------------------------------------

ATTACK = "x`|</td><script>alert(1)</script>[a](http://evil)\n# @root ![](y) ````\n$(reboot)\u202e"


def _poisoned(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {k: v if k == "summary" else _poisoned(v, k) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_poisoned(item, name) for item in value]
    closed = {"schema", "kind", "severity", "state", "verdict", "status", "capability", "fail_on"}
    if isinstance(value, str) and name not in closed:
        return f"{ATTACK}{value}"
    return value


def test_hostile_names_are_inert_in_markdown(made: Ticket) -> None:
    plain = _poisoned(msgspec.to_builtins(made), "")
    poisoned = msgspec.convert({**plain, "commands": []}, Ticket)
    text = render_markdown(poisoned).decode()
    assert "\u202e" not in text
    kinds = {token.type for token in _tokens(text)}
    assert kinds & {"html_inline", "html_block", "link_open", "image"} == set()


def test_the_test_of_inertness_sees_what_is_not() -> None:
    kinds = {token.type for token in _tokens("a <b>c</b> [d](http://e) ![](f)\n\n<p>")}
    assert kinds >= {"html_inline", "html_block", "link_open", "image"}


def _tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


def test_a_huge_ticket_stays_readable(made: Ticket) -> None:
    many = msgspec.structs.replace(made, reached=made.reached * 2000, findings=made.findings * 500)
    assert len(render_markdown(many)) < 200_000


# --- the command ---------------------------------------------------------------------------


def test_the_command_writes_both_forms(call: Callable[..., Any]) -> None:
    now = "--now=2026-11-25T09:00:00Z"
    done = call("ticket", *BOTH, now)
    assert done.code == 0
    assert done.out.startswith("# Change ticket `TD-266`\n")
    assert "modelreach diff v1.yaml v2.yaml --snapshot estate.snap.json" in done.out
    assert call("ticket", *BOTH, now, "-o", "t.md", "-o", "t.json").code == 0
    assert Path("t.md").read_text(encoding="utf-8") == done.out
    assert call("ticket", *BOTH, now, "-o", "t.pdf").code == 2
