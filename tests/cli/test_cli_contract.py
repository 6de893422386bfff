"""What the command line promises: exit codes, help, schemas, completion, permissions."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from modelreach import cli
from modelreach.cli import COMMANDS, PARTS

BOTH = ("v1.yaml", "v2.yaml", "--snapshot", "estate.snap.json")


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help(call: Any, name: str) -> None:
    done = call(*filter(None, [name]), "--help")
    assert done.code == 0
    assert done.out.startswith(f"Usage: modelreach {name}".rstrip())
    assert "Example" in done.out or not name
    assert call(*filter(None, [name]), "-h") == done


@pytest.mark.parametrize("name", ["", "manifest"])
def test_who_says_nothing_is_shown_the_help_as_it_stands(call: Any, name: str) -> None:
    asked, silent = call(*filter(None, [name]), "--help"), call(*filter(None, [name]))
    assert (silent.code, silent.out) == (2, "")
    assert silent.err == asked.out


def test_the_help_has_a_line_for_each_command_by_what_one_does(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = call("--help").out.splitlines()
    first = lines.index("Begin:")
    told = [line.split()[0] for line in lines[first:-2] if line.startswith("  ")]
    assert told == list(COMMANDS)
    assert [line for line in lines[first:] if line and not line.startswith(" ")] == [
        f"{title}:" for title in PARTS
    ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("diff", *BOTH), 1),
        (("diff", "v1.yaml", "v1.yaml", *BOTH[2:]), 0),
        (("diff", *BOTH, "--fail-on", "never"), 0),
        (("diff", *BOTH, "--exit-zero"), 0),
        (("diff", "v1.yaml", "v1.yaml", *BOTH[2:], "--fail-on-incomplete"), 3),
        (("diff", *BOTH, "--fail-on-incomplete"), 1),
        (("diff", *BOTH, "--fail-on", "never", "--fail-on-incomplete"), 3),
        (("diff", "v2.yaml", "v2.yaml", *BOTH[2:], "--fail-on-all"), 1),
        (("scan", "v2.yaml", *BOTH[2:]), 1),
        (("report", *BOTH, "-o", "x.json"), 0),
        (("explain", "F01", *BOTH), 0),
        (("diff", "v1.yaml"), 2),
    ],
)
def test_exit_codes(call: Any, arguments: tuple[str, ...], code: int) -> None:
    assert call(*arguments).code == code


NOWHERE = """
apiVersion: modelreach/v1
kind: ModelDeployment
metadata: {name: somewhere, version: "1", owner: {team: t}}
spec:
  model: {provider: aws-bedrock, id: m}
  identities: [{id: runtime, cloud: saas, principal: unknown}]
"""


def test_what_could_not_be_looked_at_does_not_pass(call: Any) -> None:
    Path("nowhere.yaml").write_text(NOWHERE)
    alone = call("scan", "nowhere.yaml", *BOTH[2:])
    assert alone.code == 3
    (said,) = [line for line in alone.out.splitlines() if "UNKNOWN" in line]
    assert said.split(maxsplit=1)[1].startswith("nothing is known of what its identities reach")
    assert "limit" not in said
    assert call("diff", "nowhere.yaml", "v1.yaml", *BOTH[2:], "--fail-on", "never").code == 0
    assert call("diff", "v1.yaml", "nowhere.yaml", *BOTH[2:], "--fail-on", "never").code == 3
    assert call("scan", "nowhere.yaml", *BOTH[2:], "--exit-zero").code == 0


def test_a_bug_is_seventy_and_its_report_holds_no_data(
    call: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelreach.cli import schema

    def broken(_name: str) -> dict[str, object]:
        raise RuntimeError("arn:aws:iam::123456789012:role/secret-name")

    monkeypatch.setattr(schema, "schema_of", broken)
    monkeypatch.setenv("TMPDIR", str(place))
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(place))
    done = call("schema", "diff")
    assert done.code == 70
    assert "this is a bug" in done.err
    (report,) = place.glob("modelreach-crash-*.txt")
    assert "RuntimeError" in report.read_text()
    assert "secret-name" not in report.read_text() + done.err


def test_too_little_memory_is_told_and_is_no_bug(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelreach.cli import schema

    def greedy(_name: str) -> dict[str, object]:
        raise MemoryError

    monkeypatch.setattr(schema, "schema_of", greedy)
    done = call("schema", "diff")
    assert done.code == 2
    assert "not enough memory" in done.err
    assert "bug" not in done.err


def test_an_interrupt_is_no_crash(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from modelreach.cli import schema

    def interrupted(_name: str) -> dict[str, object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "schema_of", interrupted)
    assert call("schema", "diff").code == 130


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(call: Any, shell: str) -> None:
    done = call("completion", shell)
    assert done.code == 0
    assert "_MODELREACH_COMPLETE" in done.out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("di", "plain,discover plain,diff"),
        ("collect a", "plain,aws plain,azure"),
        ("export diff.json --format sa", "plain,sarif"),
        ("scan v2.yaml --snapshot est", "file,est"),
        ("diff v", "file,v"),
        ("diff --fail-on me", "plain,medium"),
        ("frobnicate v", "plain,verify"),
    ],
)
def test_completion_completes(
    line: str,
    offered: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Files, too: what takes one is any text to click, which offers nothing for that."""
    monkeypatch.setenv("_MODELREACH_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"modelreach {line}")
    monkeypatch.setenv("COMP_CWORD", str(len(line.split())))
    with pytest.raises(SystemExit) as ended:
        cli.run([])
    shown = capfd.readouterr()
    assert (ended.value.code, shown.out.split(), shown.err) == (0, offered.split(), "")


@pytest.mark.parametrize(
    "name", ["snapshot", "radius", "survey", "diff", "answer", "manifest", "config"]
)
def test_schemas_are_json_schema(call: Any, name: str) -> None:
    found = json.loads(call("schema", name).out)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(found)


def test_outputs_are_valid(call: Any, place: Path) -> None:
    import yaml

    (place / "modelreach.yaml").write_text("version: 1\nkeys: {max_age: 30}\n")
    written = {
        "diff": json.loads(call("diff", *BOTH, "--format", "json").out),
        "radius": json.loads(call("scan", "v2.yaml", *BOTH[2:], "--format", "json").out),
        "snapshot": json.loads((place / "estate.snap.json").read_bytes()),
        "manifest": yaml.safe_load((place / "v2.yaml").read_bytes()),
        "config": yaml.safe_load((place / "modelreach.yaml").read_bytes()),
    }
    for name, document in written.items():
        schema = json.loads(call("schema", name).out)
        jsonschema.Draft202012Validator(schema).validate(document)
    assert written["diff"]["changes"]
    assert written["radius"]["grants"]


def test_permissions_hold_no_wildcard(call: Any) -> None:
    policy = json.loads(call("permissions", "aws").out)
    actions = [
        action
        for statement in policy["Statement"]
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    ]
    assert len(actions) > 30
    assert not [action for action in actions if "*" in action or "?" in action]
    reading_values = {"secretsmanager:GetSecretValue", "ssm:GetParameter", "kms:Decrypt"}
    assert not reading_values & set(actions)
    listed = call("permissions", "aws", "--format", "list").out.split()
    # Becoming a role of another account is not the reader's own permission there.
    assert set(listed) - set(actions) <= {"sts:AssumeRole", "sts:GetCallerIdentity"}
    assert set(actions) <= set(listed)


def test_a_failing_output_leaves_none_of_them(call: Any, place: Path) -> None:
    done = call("report", *BOTH, "-o", "a.json", "-o", "nowhere/b.json")
    assert done.code == 2
    assert not (place / "a.json").exists()


def test_files_beside_standard_output(call: Any, place: Path) -> None:
    done = call("diff", *BOTH, "--format", "json", "-o", "saved.json")
    assert (place / "saved.json").read_text() == done.out
    again = call("export", "saved.json", "--format", "json")
    assert again.out == done.out


def test_standard_output_can_be_named(call: Any, place: Path) -> None:
    assert json.loads(call("diff", *BOTH, "-o", "json:-").out)["changes"]


def test_what_is_no_file_is_written_to_and_not_replaced(call: Any, place: Path) -> None:
    os.mkfifo(place / "pipe.json")
    reader = os.open(place / "pipe.json", os.O_RDONLY | os.O_NONBLOCK)
    try:
        saved = call("diff", "v1.yaml", "v1.yaml", *BOTH[2:], "-o", "same.json")
        assert saved.code == 0
        assert call("export", "same.json", "--format", "md", "-o", "pipe.json").code == 0
        assert os.read(reader, 4096)
    finally:
        os.close(reader)
    assert (place / "pipe.json").is_fifo()


def test_the_next_commands_work(call: Any) -> None:
    import shlex

    role = "arn:aws:iam::123456789012:role/support-agent-runtime-v2"
    scans = (("scan", "v2.yaml", *BOTH[2:]), ("scan", "--principal", role, *BOTH[2:]))
    for arguments in (("diff", *BOTH), *scans):
        text = call(*arguments).out
        said = " ".join(text.split("next:")[1].split())
        for command in said.split("·"):
            words = shlex.split(command)
            assert words[0] == "modelreach"
            assert call(*words[1:]).code == (1 if words[1] == "scan" else 0), command


def test_a_missing_extra_prints_the_line_that_installs_it(place: Path) -> None:
    """In a process in which the SDK cannot be imported."""
    program = (
        "import sys; sys.modules['boto3'] = sys.modules['botocore'] = None\n"
        "from modelreach.cli import run\n"
        "sys.exit(run(['collect', 'aws', '-o', 'x.snap', '--region', 'eu-west-1']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install 'modelreach[aws]'" in done.stderr
    assert not (place / "x.snap").exists()


LEAVING = """
import sys, threading
{before}
sys.argv[:] = ["modelreach", *{arguments!r}]
from modelreach.cli import main
main()
"""


@pytest.mark.parametrize(
    ("before", "left"),
    [
        ("", ""),
        ("import atexit; atexit.register(print, 'left')", "left"),
        (
            "def last(): threading.main_thread().join(); print('left')\n"
            "threading.Thread(target=last).start()",
            "left",
        ),
    ],
)
def test_the_process_ends_at_once_unless_somebody_waits_for_it(before: str, left: str) -> None:
    for arguments, code in ((["rules"], 0), (["no-such"], 2)):
        program = LEAVING.format(before=before, arguments=arguments)
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert done.returncode == code
        assert done.stdout.rstrip().endswith(left)
        assert ("MR101" in done.stdout) == (code == 0)
        assert ("no such command" in done.stderr) == (code == 2)


@pytest.mark.parametrize(
    ("asked", "output", "code", "told"),
    [
        ("rules", "| true", 141, ""),
        ("--help", "| true", 141, ""),
        (
            "rules",
            ">/dev/full",
            2,
            "error: the output cannot be written (No space left on device)\n",
        ),
        ("rules", ">&-", 0, ""),
    ],
    ids=["nobody reads", "nobody reads the help", "full", "closed"],
)
def test_output_that_cannot_be_written_is_no_verdict_and_no_bug(
    place: Path, asked: str, output: str, code: int, told: str
) -> None:
    """1 would be a gate that failed, 0 one that passed."""
    program = f"{shlex.quote(sys.executable)} -m modelreach"
    command = f"{{ sleep 0.2; {program} {asked}; }} {output}"
    shell = f"{command}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", shell], cwd=place, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (code, told)


def test_every_command_has_a_module() -> None:
    for name in COMMANDS:
        assert cli.root.get_command(None, name) is not None  # type: ignore[arg-type]


def test_a_decision_says_what_was_found_and_what_was_not_read(call: Any) -> None:
    """In a log of CI it is all that there is: a count of findings does not say what they are."""
    told = call("decide", *BOTH).out
    assert "\nFindings   new: 5 critical · 5 high · 1 low; there before: 1 high\n" in told
    assert "\n  CRITICAL F01 MR101  etl-reader can read customer-profiles" in told
    strict = call("decide", "v1.yaml", "v1.yaml", *BOTH[2:], "--policy", "strict")
    assert strict.code == 3
    assert "\nIncomplete   1 thing could not be read. " in strict.out
    assert "\n\n\n" not in told + strict.out
