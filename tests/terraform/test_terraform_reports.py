"""From a plan to the line in the pull request: the whole way of somebody who checks one, and what
the configuration says where the plan does not."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelreach import report_file
from modelreach.cli import run
from modelreach.snapshot import Origin, Snapshot, decode
from modelreach_terraform.expressions import evaluated
from modelreach_terraform.hcl import NotReadable, attributes, blocks, parse
from modelreach_terraform.values import UNKNOWN

Json = dict[str, Any]
ADDRESS = "aws_iam_role_policy.agent_exports"


@pytest.fixture(scope="module")
def checked(plans: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The demo's estate with a plan applied to it, by the command; and the command that compares
    one release in both."""
    folder = tmp_path_factory.mktemp("check")
    demo = files("modelreach") / "demo"
    for name in ("estate.snap.json", "v1.yaml"):
        (folder / name).write_bytes((demo / name).read_bytes())
    source = folder / "infra"
    source.mkdir()
    for path in (plans / "demo" / "infra").iterdir():
        (source / path.name).write_bytes(path.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        plan = ["--plan", str(plans / "demo" / "plan.json"), "--source", "infra"]
        given = ["collect", "terraform", *plan, "--onto", "estate.snap.json", "-o", "new.snap"]
        assert run([*given, "-q"]) == 0
    sides = ["--old-snapshot", "estate.snap.json", "--new-snapshot", "new.snap"]
    return folder, ["v1.yaml", "v1.yaml", *sides]


def _run(checked: tuple[Path, list[str]], *arguments: str) -> int:
    folder, sides = checked
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return int(run([arguments[0], *sides, *arguments[1:]]))


def test_the_diff_names_the_address(
    checked: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(checked, "diff", "--color", "never") == 1
    out = capsys.readouterr().out
    assert "From the plan" in out
    assert f"{ADDRESS}  create, infra/iam.tf:2, 5 changes" in out


def test_a_finding_says_where_it_is_written(
    checked: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, sides = checked
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["explain", "F01", *sides]) == 0
    assert f"from {ADDRESS}, infra/iam.tf:2" in capsys.readouterr().out


def test_sarif_points_into_the_configuration(checked: tuple[Path, list[str]]) -> None:
    assert _run(checked, "diff", "-o", "found.sarif", "--exit-zero", "--color", "never") == 0
    log = json.loads((checked[0] / "found.sarif").read_text())
    new = [one for one in log["runs"][0]["results"] if one["baselineState"] == "new"]
    assert new
    for result in new:
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == "infra/iam.tf"
        assert physical["region"]["startLine"] == 2
        assert location["logicalLocations"][0]["fullyQualifiedName"] == ADDRESS
    old = [one for one in log["runs"][0]["results"] if one["baselineState"] == "unchanged"]
    places = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in old}
    assert places == {"v1.yaml"}


def test_what_is_known_only_after_apply_is_told_with_its_address(
    plans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = ["--plan", str(plans / "modules" / "plan.json"), "--account", "123456789012"]
    snapshot = str(tmp_path / "new.snap")
    assert run(["collect", "terraform", *plan, "-o", snapshot]) == 0
    told = capsys.readouterr().err
    assert "--source DIR may tell it before" in told
    assert 'after apply: module.agents["triage"].aws_iam_role_policy.this' in told
    role = "arn:aws:iam::123456789012:role/agents/triage"
    assert run(["scan", "--principal", role, "--snapshot", snapshot, "--exit-zero"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert 'module.agents["triage"].aws_iam_role_policy.this after apply; unknown: what it' in out


def test_a_report_has_an_origin_only_where_a_plan_was_applied(
    checked: tuple[Path, list[str]],
) -> None:
    assert _run(checked, "diff", "-o", "found.json", "--exit-zero", "--color", "never") == 0
    report = report_file.decode((checked[0] / "found.json").read_bytes())
    changes = msgspec.json.decode(msgspec.json.encode(report))["changes"]
    assert {one["witness"][-1]["origin"]["address"] for one in changes} == {ADDRESS}
    assert "origin" not in changes[0]["witness"][0]


def test_the_page_for_a_board_says_where_it_is_written(checked: tuple[Path, list[str]]) -> None:
    assert _run(checked, "diff", "-o", "r.html", "-o", "r.md", "--exit-zero", "-o", "r.csv") == 0
    assert f"from {ADDRESS}, infra/iam.tf:2" in (checked[0] / "r.html").read_text()
    assert f"| `{ADDRESS}` | create | `infra/iam.tf:2` | 5 |" in (checked[0] / "r.md").read_text()


_HOSTILE = "\x1b[31m<img src=x>|`@all\u202e"


def test_hostile_addresses_stay_text(
    checked: tuple[Path, list[str]], plans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys of `for_each` come from anywhere."""
    folder, _ = checked
    plan = json.loads((plans / "demo" / "plan.json").read_text())
    plan["resource_changes"][0]["address"] = f'{ADDRESS}["{_HOSTILE}"]'
    (folder / "hostile.json").write_text(json.dumps(plan))
    sides = ["--old-snapshot", "estate.snap.json", "--new-snapshot", "hostile.snap"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        given = ["--plan", "hostile.json", "--onto", "estate.snap.json", "-o", "hostile.snap"]
        assert run(["collect", "terraform", *given]) == 0
        written = ["-o", "h.html", "-o", "h.md", "-o", "h.sarif", "--exit-zero"]
        assert run(["diff", "v1.yaml", "v1.yaml", *sides, *written]) == 0
        assert run(["explain", "F01", "v1.yaml", "v1.yaml", *sides]) == 0
    told = "".join(capsys.readouterr())
    told += "".join((folder / name).read_text() for name in ("h.html", "h.md", "h.sarif"))
    assert ADDRESS in told
    assert "\x1b[31m" not in told
    assert "\u202e" not in told
    assert "<img src=x>" not in (folder / "h.html").read_text()


def test_what_the_plan_keeps_has_an_origin_too(apply: Any, planned: Any) -> None:
    account = "123456789012"
    user = {"name": "u", "path": "/", "arn": f"arn:aws:iam::{account}:user/u"}
    base = apply(planned("aws").change("aws_iam_user.u", "create", after=user), account=account)
    kept = planned("aws").change("aws_iam_user.u", "no-op", before=user, after=user)
    made: Snapshot = apply(kept, base)
    assert [(one.address, one.action) for one in made.origins] == [
        ("aws_iam_user.u", "create"),
        ("aws_iam_user.u", "no-op"),
    ]


def test_origins_go_through_a_store(checked: tuple[Path, list[str]]) -> None:
    folder, _ = checked
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["convert", "new.snap", "-o", "kept.mrdb"]) == 0
        assert run(["convert", "kept.mrdb", "-o", "again.snap"]) == 0
    made = decode((folder / "again.snap").read_bytes(), place="again.snap")
    assert made.origins == (
        Origin(
            subject="arn:aws:iam::123456789012:role/support-agent-runtime",
            part="exports",
            address=ADDRESS,
            action="create",
            file="infra/iam.tf",
            line=2,
        ),
    )


# --- the configuration -------------------------------------------------------------------------


def _value(expression: str, **known: Any) -> Any:
    body = parse(f"x = {expression}\n").children[0]
    return evaluated(
        attributes(body)["x"], lambda steps: known.get(".".join(map(str, steps)), UNKNOWN)
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"a"', "a"),
        ('"${a.b.arn}/*"', "ARN/*"),
        ("a.b.arn", "ARN"),
        ("[a.b.arn, 1, true, null]", ["ARN", 1, True, None]),
        ('{ "k" = a.b.arn, plain : 2 }', {"k": "ARN", "plain": 2}),
        ('jsonencode({ R = ["${a.b.arn}/*"] })', {"R": ["ARN/*"]}),
        ('format("%s/*", a.b.arn)', "ARN/*"),
        ('join(",", [a.b.arn, "x"])', "ARN,x"),
        ("concat([a.b.arn], [1])", ["ARN", 1]),
        ("merge({a = 1}, {b = 2})", {"a": 1, "b": 2}),
        ('true ? "x" : "y"', "x"),
        ('"$${literal} \\n"', "${literal} \n"),
        ('<<-EOT\n    {"R": "${a.b.arn}"}\n  EOT\n', '{"R": "ARN"}\n'),
        ("(a.b.arn)", "ARN"),
        ("[for k in a.b.arn : k]", UNKNOWN),
        ('file("secret.txt")', UNKNOWN),
        ('"${unknown.thing}/*"', UNKNOWN),
        ("1 + 1", UNKNOWN),
        ("a.b[*].arn", UNKNOWN),
    ],
)
def test_expressions(expression: str, value: Any) -> None:
    assert _value(expression, **{"a.b.arn": "ARN"}) == value


def test_what_is_not_understood_within_a_value_stays_unknown_there() -> None:
    assert _value('{ a = file("x"), b = 1 }') == {"a": UNKNOWN, "b": 1}


def test_blocks_are_told_with_their_lines_and_not_what_only_looks_like_one() -> None:
    text = '# resource "a" "no" {}\nlocals {\n  x = <<EOT\nresource "a" "no" {\nEOT\n}\n'
    text += 'resource "a" "yes" {\n  dynamic "b" {\n    content {}\n  }\n}\n'
    found = [(one.labels, one.line) for one in blocks(text, "main.tf")]
    assert found == [(("locals",), 2), (("resource", "a", "yes"), 7)]


def test_a_file_that_is_not_readable_costs_its_lines_only(
    plans: Path, apply: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "infra"
    folder.mkdir()
    (folder / "broken.tf").write_text('resource "a" {{{\n')
    with pytest.raises(NotReadable):
        list(blocks('resource "a" {{{\n', "broken.tf"))
    made = apply(plans / "demo" / "plan.json", source=str(folder), account="123456789012")
    assert {(one.file, one.line) for one in made.origins} == {("", 0)}


def test_a_module_from_elsewhere_is_told_by_its_call(
    plans: Path, apply: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "infra"
    folder.mkdir()
    (folder / "main.tf").write_text('\nmodule "agents" {\n  source = "registry/role/aws"\n}\n')
    made = apply(plans / "modules" / "plan.json", source=str(folder), account="123456789012")
    places = {
        (one.file, one.line) for one in made.origins if one.address.startswith("module.agents")
    }
    assert places == {((folder / "main.tf").as_posix(), 2)}
