"""The action and the recipes: valid, safe against what comes from outside, and of commands that
there are; and the comment that they keep, over real HTTP."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import pytest
import yaml
from msgspec.structs import replace

from modelreach.cli import COMMANDS
from modelreach.report import DiffReport
from modelreach_reports import markdown

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action" / "action.yml"
HOWTO = ROOT / "docs" / "howto" / "gate-a-release.md"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def action() -> Json:
    found: Json = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return found


def test_the_action_is_composite_and_its_inputs_are_told(action: Json) -> None:
    assert action["runs"]["using"] == "composite"
    assert {"name", "description", "inputs", "outputs", "runs"} == set(action)
    for name, one in action["inputs"].items():
        assert one["description"], name
        assert one.get("required") or isinstance(one["default"], str)
    named = set(re.findall(r"inputs\.([\w-]+)", ACTION.read_text(encoding="utf-8")))
    assert named == set(action["inputs"])


def test_every_step_that_runs_names_its_shell(action: Json) -> None:
    steps = action["runs"]["steps"]
    assert all(("run" in step) != ("uses" in step) for step in steps)
    assert all(step.get("shell") == "bash" for step in steps if "run" in step)


def test_nothing_from_outside_is_pasted_into_a_script(action: Json) -> None:
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_the_action_uses_no_stored_key(action: Json) -> None:
    text = ACTION.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "aws-access-key-id" not in text
    (assume,) = [s for s in action["runs"]["steps"] if "configure-aws" in s.get("uses", "")]
    assert set(assume["with"]) == {"role-to-assume", "aws-region"}


def test_the_estate_is_not_kept_with_the_reports(action: Json) -> None:
    """Whoever may read the repository could take it along."""
    (keep,) = [
        s["with"] for s in action["runs"]["steps"] if "upload-artifact" in s.get("uses", "")
    ]
    folder, *left_out = keep["path"].split("\n")[:2]
    assert left_out == [f"!{folder}/estate.snap.json"]
    *_, azure = (yaml.safe_load(block) for block in _blocks("yaml"))
    (publish,) = [s["publish"] for s in azure["steps"] if "publish" in s]
    assert publish == "$(Build.ArtifactStagingDirectory)"


def test_the_scripts_are_valid_for_the_shell(action: Json) -> None:
    for step in action["runs"]["steps"]:
        if "run" in step:
            done = subprocess.run(
                ["bash", "-n"], input=step["run"].encode(), capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr


def _decide(action: Json) -> str:
    (script,) = [s["run"] for s in action["runs"]["steps"] if s.get("id") == "decide"]
    return str(script)


@pytest.mark.parametrize(
    ("old", "new", "policy", "verdict", "status"),
    [
        ("v1.yaml", "v2.yaml", "default", "fail", 0),
        ("v1.yaml", "v1.yaml", "strict", "pass", 0),
        ("v1.yaml", "none.yaml", "default", "", 2),
        ("v1.yaml", "$(touch hacked).yaml", "default", "", 2),
    ],
)
def test_the_deciding_step_runs(
    action: Json, place: Path, old: str, new: str, policy: str, verdict: str, status: int
) -> None:
    """The step's own script, with the installed command."""
    program = Path(sys.executable).parent
    env = {
        **os.environ,
        "PATH": f"{program}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(place / "temp"),
        "GITHUB_STEP_SUMMARY": str(place / "summary.md"),
        "GITHUB_OUTPUT": str(place / "output"),
        "OLD": old,
        "NEW": new,
        "SNAPSHOT": "estate.snap.json",
        "POLICY": policy,
        "WAIVERS": "",
    }
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", _decide(action)],
        env=env,
        cwd=place,
        capture_output=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == status, done.stderr
    assert not (place / "hacked").exists()
    if verdict:
        assert f"verdict={verdict}\n" in (place / "output").read_text()
        assert (place / "summary.md").read_text().startswith("<!-- modelreach:booking-desk -->")
        written = {path.name for path in (place / "temp" / "modelreach").iterdir()}
        assert written == {
            *("review.html", "comment.md", "diff.json", "decision.json", "ticket.md"),
            "results.sarif",
        }


# --- recipes -------------------------------------------------------------------------------


def _blocks(language: str) -> list[str]:
    text = HOWTO.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_recipes_are_valid_yaml() -> None:
    github, gitlab, azure = (yaml.safe_load(block) for block in _blocks("yaml"))
    (step,) = [s for s in github["jobs"]["reach"]["steps"] if "modelreach" in s["uses"]]
    inputs = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["inputs"]
    assert set(step["with"]) <= set(inputs)
    assert {name for name, one in inputs.items() if one.get("required")} <= set(step["with"])
    assert github["permissions"]["id-token"] == "write"
    assert gitlab["reach"]["artifacts"]["when"] == "always"
    assert [s for s in azure["steps"] if "bash" in s]
    assert len(_blocks("groovy")) == 1


def _lines(text: str) -> Iterator[list[str]]:
    joined = text.replace("\\\n", " ")
    for line in joined.splitlines():
        for found in re.findall(r"\bmodelreach [a-z]+ [^'\"|#]*", line):
            words = shlex.split(found.replace("$folder", "f").replace("|| code=$?", ""))
            if words[1] in COMMANDS:
                yield words[1:]


def test_every_command_of_a_recipe_is_one_that_there_is() -> None:
    seen: set[str] = set()
    for name, *words in _lines(HOWTO.read_text(encoding="utf-8")):
        command: click.Command = import_module(f"modelreach.cli.{name}").command
        options = {o for param in command.params for o in (*param.opts, *param.secondary_opts)}
        used = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert used <= options, name
        seen.add(name)
    assert seen >= {"collect", "decide", "ticket", "verify"}


# --- the comment ---------------------------------------------------------------------------


@dataclass
class Forge:
    """What a pull request has of comments, and what was asked."""

    comments: list[Json] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""


def _handler(forge: Forge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self, found: object) -> None:
            content = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _body(self) -> str:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            return str(json.loads(raw)["body"])

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            page, size = int(query["page"][0]), int(query["per_page"][0])
            forge.asked.append(f"GET {url.path} {self.headers['Authorization']}")
            self._answer(forge.comments[(page - 1) * size : page * size])

        def do_POST(self) -> None:
            forge.asked.append(f"POST {self.path}")
            user = {"type": "Bot", "login": "github-actions[bot]"}
            one = {"id": 1000 + len(forge.comments), "user": user, "body": self._body()}
            forge.comments.append(one)
            self._answer(one)

        def do_PATCH(self) -> None:
            forge.asked.append(f"PATCH {self.path}")
            number = int(self.path.rpartition("/")[2])
            (one,) = [c for c in forge.comments if c["id"] == number]
            one["body"] = self._body()
            self._answer(one)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (as inherited)
            """Say nothing."""

    return Handler


@pytest.fixture
def forge() -> Iterator[Forge]:
    found = Forge()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def _comment(forge: Forge, file: Path) -> int:
    env = {
        **os.environ,
        "NO_PROXY": "127.0.0.1",
        "GITHUB_API_URL": forge.url,
        "GITHUB_REPOSITORY": "org/repo",
        "GITHUB_TOKEN": "token",
        "NUMBER": "7",
        "COMMENT": str(file),
    }
    script = str(ROOT / "action" / "comment.py")
    done = subprocess.run([sys.executable, script], env=env, check=False, timeout=600)
    return done.returncode


def test_one_comment_is_kept_and_written_anew(forge: Forge, tmp_path: Path) -> None:
    file = tmp_path / "comment.md"
    for text in ("first", "second"):
        file.write_text(f"<!-- modelreach:desk -->\n{text}\n")
        assert _comment(forge, file) == 0
    (one,) = forge.comments
    assert one["body"] == "<!-- modelreach:desk -->\nsecond\n"
    path = "/repos/org/repo/issues"
    assert forge.asked == [
        f"GET {path}/7/comments Bearer token",
        f"POST {path}/7/comments",
        f"GET {path}/7/comments Bearer token",
        f"PATCH {path}/comments/1000",
    ]


def test_a_persons_comment_is_never_taken_for_ours(forge: Forge, tmp_path: Path) -> None:
    marker = "<!-- modelreach:desk -->"
    others = [{"id": n, "user": {"type": "User"}, "body": marker} for n in range(150)]
    ours = {"id": 500, "user": {"type": "Bot"}, "body": f"{marker}\nold"}
    forge.comments = [*others, ours]
    file = tmp_path / "comment.md"
    file.write_text(f"{marker}\nnew")
    assert _comment(forge, file) == 0
    assert ours["body"] == f"{marker}\nnew"
    assert {one["body"] for one in others} == {marker}


def test_what_is_no_comment_of_ours_is_not_sent(forge: Forge, tmp_path: Path) -> None:
    file = tmp_path / "comment.md"
    for text in ("hello", "<!-- modelreach:desk -->\n" + "x" * 65_536):
        file.write_text(text)
        assert _comment(forge, file) == 2
    assert forge.asked == []


def test_a_huge_difference_still_fits_one_comment(
    report: DiffReport, plain: Callable[[Any], Any]
) -> None:
    change = report.security_change
    assert change is not None
    long = "`|<>@#_*" * 400
    huge = replace(
        report,
        changes=report.changes * 500,
        findings=tuple(replace(row, message=long, fix=long) for row in report.findings * 100),
        gaps=report.gaps * 900,
        security_change=replace(
            change,
            triggers=tuple(replace(t, old=long, new=long) for t in change.triggers * 100),
            undeclared=tuple(replace(u, fact=long, declare=long) for u in change.undeclared * 999),
        ),
        gate=replace(report.gate, reasons=(long,) * 300),
    )
    text = markdown.render(huge).decode()
    assert len(text) < 65_536
    assert len(text.encode()) < 65_536
    assert text.startswith("<!-- modelreach:booking-desk -->\n")
    assert "### Security change: yes" in text
    assert "are left out" in text
