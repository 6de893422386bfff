"""Input that cannot be used: one message with file and place, exit 2, and nothing written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROLES = "arn:aws:iam::123456789012:role"
DIFF = ("diff", "v1.yaml", "v2.yaml", "--snapshot", "estate.snap.json", "-o", "out.json")


def _refused(call: Any, place: Path, *arguments: str) -> str:
    before = {path: path.read_bytes() for path in place.iterdir() if path.is_file()}
    done = call(*arguments)
    assert done.code == 2
    assert done.out == ""
    message, *hint = done.err.splitlines()
    assert message.startswith("error: ")
    assert all(line.startswith("hint:  ") for line in hint)
    assert len(hint) <= 1
    after = {path: path.read_bytes() for path in place.iterdir() if path.is_file()}
    assert after == before, "nothing is left behind"
    return str(message.removeprefix("error: "))


def _edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is empty"),
        ('{"schema": "modelreach.snapshot/1", "taken_at": "2026', "truncated"),
        ('{"schema": "modelreach.diff/1"}', "modelreach.diff/1"),
        ('{"schema": "modelreach.snapshot/2", "taken_at": ""}', "modelreach.snapshot/2"),
        ("[]", "array"),
        ("apiVersion: modelreach/v1", "malformed"),
        ('{"schema": "modelreach.snapshot/1", "taken_at": "", "principels": []}', "principels"),
        ("[" * 100_000, "snapshot"),
    ],
    ids=["empty", "cut off", "a diff", "a later version", "a list", "a manifest", "typo", "deep"],
)
def test_a_snapshot_that_is_none(call: Any, place: Path, content: str, said: str) -> None:
    (place / "estate.snap.json").write_text(content)
    message = _refused(call, place, *DIFF)
    assert message.startswith("estate.snap.json: this is not a `modelreach.snapshot/1` file")
    assert said in message


def test_a_snapshot_that_is_cut_anywhere(call: Any, place: Path) -> None:
    whole = (place / "estate.snap.json").read_bytes()
    for part in range(1, 8):
        (place / "estate.snap.json").write_bytes(whole[: len(whole) * part // 8])
        assert _refused(call, place, *DIFF).startswith("estate.snap.json: ")


@pytest.mark.parametrize("at", [b'"Action"', b'"name":"', b'"schema"'])
def test_a_snapshot_in_which_something_is_no_text(call: Any, place: Path, at: bytes) -> None:
    """Also within a document, which is kept as it is written."""
    whole = (place / "estate.snap.json").read_bytes()
    assert at in whole
    (place / "estate.snap.json").write_bytes(whole.replace(at, at[:3] + b"\xff" + at[4:], 1))
    message = _refused(call, place, *DIFF)
    assert message.startswith("estate.snap.json: this is not a `modelreach.snapshot/1` file")
    assert "can't decode byte 0xff" in message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("spec:", "sepc:", "v1.yaml:10: unknown field `sepc`"),
        ("  version:", "  vresion:", "v1.yaml:6: unknown field `vresion` at `metadata`"),
        ("  name: support-agent", "  name: a\n  name: b", "v1.yaml:6: key `name` is given twice"),
        ("owner:", "#owner:", "v1.yaml:5: object missing required field `owner` at `metadata`"),
        ('"1.4.0"', "1.4", "v1.yaml:6: expected `str`, got `float` at `metadata.version`"),
        ("kind: ModelDeployment", "kind: Deployment", "v1.yaml:3: invalid enum value"),
        ("spec:", "spec: [", "v1.yaml:1"),
        ("runsAs: runtime", "runsAs: rumtime", "`rumtime` is not the id of an identity"),
    ],
    ids=["key", "nested", "twice", "missing", "number", "kind", "not YAML", "reference"],
)
def test_a_manifest_with_a_mistake(call: Any, place: Path, old: str, new: str, said: str) -> None:
    _edited(place / "v1.yaml", old, new)
    message = _refused(call, place, *DIFF)
    assert message.startswith("v1.yaml:")
    assert said in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "effect: write",
            "effect: wrote",
            "`admin`, `delete`, `execute`, `read`, `spend`, `write`",
        ),
        ("cloud: aws", "cloud: ams", "`aws`, `azure`, `databricks`, `gcp`, `github`, `gitlab`"),
        ("kind: ModelDeployment", "kind: Deployment", "`ModelDeployment`"),
    ],
)
def test_a_word_that_is_not_known(call: Any, place: Path, old: str, new: str, words: str) -> None:
    _edited(place / "v1.yaml", old, new)
    assert f"\nhint:  one of {words}" in call(*DIFF).err


@pytest.mark.parametrize(
    ("waits", "said", "hint"),
    [
        ("[delete, spned]", "`spned` is not an effect of a tool", "did you mean `spend`?"),
        (
            "[refunds]",
            "`refunds` is not an effect of a tool",
            "one of `admin`, `delete`, `execute`",
        ),
        ("[[spend]]", "`['spend']` is not an effect of a tool", "did you mean `spend`?"),
        ("spend", "`humanInLoop` is a list of effects of tools", "one of `admin`"),
        ("true", "`humanInLoop` is a list of effects of tools", "one of `admin`"),
    ],
)
def test_what_waits_for_a_person_is_an_effect(
    call: Any, place: Path, waits: str, said: str, hint: str
) -> None:
    """Any other word would hold nothing back, and read as if it did."""
    _edited(place / "v1.yaml", "humanInLoop: [delete, spend, admin]", f"humanInLoop: {waits}")
    assert _refused(call, place, *DIFF) == f"v1.yaml:36: {said}"
    assert f"\nhint:  {hint}" in call(*DIFF).err


def test_a_field_at_another_place_is_not_said_to_be_meant(call: Any, place: Path) -> None:
    _edited(place / "v1.yaml", "kind: ModelDeployment", "kind: ModelDeployment\nversion: 1")
    told = call(*DIFF).err
    assert "unknown field `version`\n" in told
    assert "did you mean `version`" not in told


def test_an_identity_that_is_not_in_the_snapshot(call: Any, place: Path) -> None:
    _edited(place / "v2.yaml", "role/support-agent-runtime-v2", "role/support-agent-rumtime")
    message = _refused(call, place, *DIFF)
    line = 1 + (place / "v2.yaml").read_text().splitlines().index(
        next(x for x in (place / "v2.yaml").read_text().splitlines() if "rumtime" in x)
    )
    assert message.startswith(f"v2.yaml:{line}: identity `arn:aws:iam::123456789012:role/support")
    assert "is not in estate.snap.json" in message


def test_an_identity_that_a_draft_left_blank(call: Any, place: Path) -> None:
    blank = ROLES.replace("123456789012", "unknown")
    _edited(place / "v2.yaml", f"{ROLES}/support-agent-runtime-v2", f"{blank}/desk")
    assert f"identity `{blank}/desk` is not in" in _refused(call, place, *DIFF)
    assert "or fill in what is `unknown` in it\n" in call(*DIFF).err


def test_of_many_accounts_a_few_are_named(call: Any, place: Path) -> None:
    estate = json.loads((place / "estate.snap.json").read_bytes())
    (scope, *_) = [one for one in estate["scopes"] if one["kind"] == "account"]
    estate["scopes"] += [{**scope, "id": f"9{number:011}"} for number in range(40)]
    (place / "estate.snap.json").write_text(json.dumps(estate))
    _edited(place / "v2.yaml", f"{ROLES}/support-agent-runtime-v2", f"{ROLES}/nobody")
    assert "account 900000000001 and 38 more; collect the place" in call(*DIFF).err


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        (f"{ROLES}/support-agent-rumtime-v2", f"{ROLES}/support-agent-runtime-v2"),
        (f"{ROLES}/somebody-else", ""),
        ("support-agent-rumtime-v2", f"{ROLES}/support-agent-runtime-v2"),
    ],
    ids=["misspelt", "another", "by its name"],
)
def test_whom_an_identity_was_to_be(call: Any, place: Path, named: str, meant: str) -> None:
    done = call("scan", "--principal", named, "--snapshot", "estate.snap.json")
    assert done.code == 2
    assert (f"hint:  did you mean `{meant}`? estate" if meant else "hint:  estate") in done.err


WITH = ("--snapshot", "estate.snap.json")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("can", "support-agent-rumtime-v2", "s3:GetObject", "x", *WITH), "support-agent-runtime"),
        (
            ("can", "etl-reader", "s3:GetObject", "acme-custmer-records", *WITH),
            "acme-customer-rec",
        ),
        (("explain", "acme-custmer-records", "v2.yaml", *WITH), "acme-customer-records"),
        (("explain", "biuld_tool", "v2.yaml", *WITH), "build_tool"),
        (
            ("chokepoints", "v2.yaml", *WITH, "--to", "acme-custmer-records"),
            "acme-customer-records",
        ),
    ],
    ids=lambda one: " ".join(one[:2]) if isinstance(one, tuple) else "",
)
def test_a_name_that_is_nearly_one(call: Any, words: tuple[str, ...], meant: str) -> None:
    done = call(*words)
    assert done.code == 2
    assert f"\nhint:  did you mean `{meant}" in done.err


def test_a_principal_may_be_said_by_its_name(call: Any, place: Path) -> None:
    """In a manifest it may not: that is compared, and kept."""
    named = call("scan", "--principal", "etl-reader", "--snapshot", "estate.snap.json")
    role = "arn:aws:iam::210987654321:role/etl-reader"
    assert (named.code, named.err) == (1, "")
    assert named.out.startswith(role)
    cut = call("chokepoints", "--principal", "etl-reader", "--snapshot", "estate.snap.json")
    assert cut.code == 0
    found = json.loads((place / "estate.snap.json").read_text())
    (one,) = [row for row in found["principals"] if row.get("name") == "etl-reader"]
    found["principals"].append({**one, "id": f"{role}-2"})
    (place / "two.snap").write_text(json.dumps(found))
    done = call("scan", "--principal", "etl-reader", "--snapshot", "two.snap")
    assert (done.code, f"hint:  {role}, {role}-2" in done.err) == (2, True)
    _edited(place / "v1.yaml", f"{ROLES}/support-agent-runtime", "support-agent-runtime")
    told = call(*DIFF).err
    assert f"hint:  did you mean `{ROLES}/support-agent-runtime`?" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("diff", "v1.yaml", "nope.yaml", "--snapshot", "x"), "no such file"),
        (("diff", "v1.yaml", "v2.yaml", "--snapshot", "."), ".: this is a folder"),
        (("diff", "v1.yaml", "v2.yaml"), "--snapshot: no snapshot is given for both releases"),
        (("diff", "v1.yaml", "v2.yaml", "--old-snapshot", "estate.snap.json"), "one release"),
        (("diff", "v1.yaml"), "missing argument 'NEW'"),
        (("schema",), "NAME is missing"),
        (("dif",), "no such command `dif`; did you mean `diff`?"),
        (("diff", "--snapshto", "x"), "no such option '--snapshto'"),
        ((*DIFF[:-1], "out.unknown"), "the format of `out.unknown` cannot be told"),
        (("diff", "no.yaml", "no.yaml", "-o", "out.unknown"), "the format of `out.unknown`"),
        ((*DIFF, "--format", "docx"), "unknown format `docx`"),
        ((*DIFF, "-o", "nowhere/out.html"), "nowhere/out.html: cannot be written"),
        ((*DIFF, "--config", "none.yaml"), "none.yaml: no such file"),
        (("scan", "--snapshot", "estate.snap.json"), "give either a manifest or --principal"),
        (("scan", "--principal", "x", "--snapshot", "estate.snap.json"), "identity `x` is not"),
        (("can", "a", "s3:GetObject", "b"), "PRINCIPAL, ACTION, RESOURCE and --snapshot"),
        (("explain", "F01"), "there is nothing to look into"),
        (
            ("explain", "F01", "--in", "estate.snap.json"),
            "this is not a saved diff or radius (it is `modelreach.snapshot/1`)",
        ),
        (("permissions", "none"), "unknown provider `none`"),
        (("survey", "v1.yaml", "--workers", "0"), "--workers"),
        (
            ("scan", "estate.snap.json", "--snapshot", "v1.yaml"),
            "estate.snap.json: this is a `modelreach.snapshot/1` file; a deployment manifest was",
        ),
        (("convert", "estate.snap.json", "-o", "v1.yaml"), "-o: the form of `v1.yaml` cannot be"),
        (("demo", "--keep", "v1.yaml/demo"), "v1.yaml/demo: cannot be written (Not a directory)"),
        (("demo", "--keep", "v1.yaml"), "v1.yaml: cannot be written (File exists)"),
        ((*DIFF, "-o", "x" * 300 + ".md"), "x.md: file name too long"),
        (("collect", "aws", "-o", "x", "--from", "x" * 300), "x: file name too long"),
        (("audit", "v1.yaml", "--state", "v1.yaml/state", *DIFF[3:5]), "(Not a directory)"),
        (("serve", "--state", "x", "--port", "99999"), "invalid value for '--port': 99999"),
        (("collect", "aws", "-o", "x", "--from", "none"), "none: no such file or folder"),
        (("collect", "aws", "-o", "x", "--from", "v1.yaml"), "v1.yaml"),
        (("collect", "aws", "-o", "x", "--now", "noon"), "--now: `noon` is no time"),
        (("diff", *DIFF[1:], "--now", "yesterday"), "--now: `yesterday` is no time"),
        (("collect", "aws", "-o", "x", "--project", "p"), "--project: this is an option of `gcp`"),
        (("rules", "MR999"), "no such rule `MR999`"),
        (("schema", "none"), "none"),
    ],
)
def test_a_wrong_call(call: Any, place: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in _refused(call, place, *arguments)


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (("schema", "snapshto"), "NAME: `snapshto` is not known", "did you mean `snapshot`?"),
        (
            (*DIFF, "--fail-on", "all"),
            "--fail-on: `all` is not known",
            "one of `critical`, `high`",
        ),
        ((*DIFF, "--color", "x'y"), "--color: `x'y` is not known", "one of `auto`, `always`"),
    ],
)
def test_a_word_that_an_option_does_not_have(
    call: Any, place: Path, arguments: tuple[str, ...], said: str, hint: str
) -> None:
    done = call(*arguments)
    assert (done.code, done.err.splitlines()[0]) == (2, f"error: {said}")
    assert done.err.splitlines()[1].startswith(f"hint:  {hint}")


def test_a_configuration_with_a_typo(call: Any, place: Path) -> None:
    (place / "modelreach.yaml").write_text("version: 1\ngate: {fial_on: low}\n")
    assert _refused(call, place, *DIFF).startswith("modelreach.yaml:2: unknown field `fial_on`")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("version: 1\nfail-on: high\n", "gate.fail_on"), ("version: 1\ngaet: {}\n", "gate")],
)
def test_a_field_is_meant_where_it_has_its_place(
    call: Any, place: Path, written: str, meant: str
) -> None:
    """Else who follows a hint is told that the field of that name is not known, either."""
    (place / "modelreach.yaml").write_text(written)
    assert f"\nhint:  did you mean `{meant}`?\n" in call(*DIFF).err


def test_a_policy_that_there_is_not(call: Any, place: Path) -> None:
    done = call("decide", *DIFF[1:5], "--policy", "strcit")
    assert done.err.startswith("error: no policy and no file is called `strcit`\nhint:  one of `")


def test_a_policy_in_a_snapshot_that_is_not_json(call: Any, place: Path) -> None:
    """As a provider gave it, it is unknown, with its reason: never taken for no access."""
    estate = json.loads((place / "estate.snap.json").read_bytes())
    target = "arn:aws:iam::123456789012:role/support-agent-runtime"
    (used,) = {
        a["document"]
        for a in estate["attachments"]
        if a["target"] == target and a["kind"] == "identity"
    }
    estate["documents"][used] = '{"Version": "2012-10-17", "Statement"'
    (place / "estate.snap.json").write_text(json.dumps(estate))
    done = call(
        *("can", target, "s3:GetObject", "arn:aws:s3:::acme-support-kb/x"),
        *("--snapshot", "estate.snap.json", "--format", "json"),
    )
    answer = json.loads(done.out)
    assert (done.code, answer["verdict"]) == (0, "unknown")
    assert any("not understood" in line for line in answer["depends_on"])


def test_control_characters_are_shown_and_do_nothing(call: Any, place: Path) -> None:
    _edited(place / "v1.yaml", "runsAs: runtime", 'runsAs: "\\e[2J\\u202egnp"')
    message = _refused(call, place, *DIFF)
    assert "\\x1b[2J\\u202egnp" in message


def test_a_rule_that_there_is_not(call: Any, place: Path) -> None:
    """It would change nothing, and nobody would know."""
    (place / "modelreach.yaml").write_text("version: 1\nrules: {MR30l: {severity: low}}\n")
    done = call("scan", "v2.yaml", *WITH)
    assert done.code == 2
    assert "modelreach.yaml: rules: there is no rule `MR30l` of findings" in done.err
    assert "hint:  known: MR101, " in done.err


def test_the_configuration_of_the_documentation_can_be_used(call: Any, place: Path) -> None:
    page = (DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (place / "modelreach.yaml").write_text(block)
    (place / "modelreach-waivers.yaml").write_text("version: 1\nwaivers: []\n")
    assert call("scan", "v2.yaml", *WITH, "--exit-zero").err == ""
