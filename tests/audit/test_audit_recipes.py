"""The recipes: of commands and options that there are, and as careful as they say."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from modelreach import deployment

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes" / "audit"
CLUSTER = RECIPES / "kubernetes"
Json = dict[str, Any]


def _yaml(path: Path) -> Json:
    found: Json = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def cronjob() -> Json:
    return _yaml(CLUSTER / "cronjob.yaml")


@pytest.fixture(scope="module")
def pod(cronjob: Json) -> Json:
    found: Json = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return found


@pytest.fixture(scope="module")
def unit() -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read(RECIPES / "systemd" / "modelreach-audit.service")
    return found


# --- commands ------------------------------------------------------------------------------


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line of a recipe, with the name of its file."""
    for name in ("github-actions.yml", "gitlab-ci.yml"):
        for line in (RECIPES / name).read_text(encoding="utf-8").splitlines():
            if found := re.match(r"\s*- (?:run: )?(modelreach .*)", line):
                yield name, shlex.split(found[1])
    container = _yaml(CLUSTER / "cronjob.yaml")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    yield "cronjob.yaml", ["modelreach", *container["containers"][0]["args"]]
    text = (RECIPES / "systemd" / "modelreach-audit.service").read_text(encoding="utf-8")
    for found in re.finditer(r"^ExecStart=\S*/(modelreach .*)$", text, re.M):
        yield "modelreach-audit.service", shlex.split(found[1])


COMMANDS = list(_commands())


def test_every_recipe_runs_an_audit() -> None:
    assert {name for name, (_, command, *_) in COMMANDS if command == "audit"} == {
        "github-actions.yml",
        "gitlab-ci.yml",
        "cronjob.yaml",
        "modelreach-audit.service",
    }


@pytest.mark.parametrize(("name", "words"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_commands_and_options_are_real(name: str, words: list[str]) -> None:
    command: click.Command = import_module(f"modelreach.cli.{words[1]}").command
    # Options of help are kept by a command from its first context on: as the program has them.
    command.make_context(words[1], [*words[2:]], help_option_names=["-h", "--help"])


# --- forges --------------------------------------------------------------------------------


def test_the_workflow_has_no_long_lived_key_and_does_not_overlap() -> None:
    found = _yaml(RECIPES / "github-actions.yml")
    assert found["permissions"] == {"contents": "read", "id-token": "write"}
    assert found["concurrency"]["cancel-in-progress"] is False
    text = (RECIPES / "github-actions.yml").read_text(encoding="utf-8")
    assert "AWS_SECRET_ACCESS_KEY" not in text
    for step in found["jobs"]["audit"]["steps"]:
        assert "${{" not in step.get("run", ""), "nothing is pasted into a script"
    assert found["jobs"]["audit"]["steps"][0]["with"]["persist-credentials"] is False


def test_the_pipeline_runs_on_a_schedule_only_and_does_not_overlap() -> None:
    (job,) = _yaml(RECIPES / "gitlab-ci.yml").values()
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule"'}]
    assert job["resource_group"]
    assert job["id_tokens"]["AWS_TOKEN"]["aud"] == "https://gitlab.com"


# --- Kubernetes ----------------------------------------------------------------------------


def test_rounds_do_not_overlap_and_an_answer_is_not_asked_again(cronjob: Json) -> None:
    spec = cronjob["spec"]
    assert (cronjob["apiVersion"], spec["concurrencyPolicy"]) == ("batch/v1", "Forbid")
    rules = spec["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert rules[0]["onExitCodes"]["values"] == [1, 2, 3, 4]


def test_the_pod_may_do_nothing_that_it_need_not(pod: Json) -> None:
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {one["mountPath"] for one in container["volumeMounts"]} == {"/manifests", "/tmp"}


def test_the_client_s_own_model_knows_every_field(cronjob: Json) -> None:
    from kubernetes import client

    made: Any = client.ApiClient()
    # What it takes an answer as differs from release to release; this below it does not.
    found = made._ApiClient__deserialize(cronjob, "V1CronJob")
    assert _count(made.sanitize_for_serialization(found)) == _count(cronjob)


def _count(value: Any) -> int:
    """How many leaves there are: a field that the model does not know would be lost."""
    if isinstance(value, dict):
        return sum(map(_count, value.values()))
    return sum(map(_count, value)) if isinstance(value, list) else 1


def test_the_files_of_the_kustomization_are_there() -> None:
    found = _yaml(CLUSTER / "kustomization.yaml")
    named = [*found["resources"], *found["configMapGenerator"][1]["files"]]
    assert all((CLUSTER / name).is_file() for name in named)
    deployment.decode((CLUSTER / "agent.yaml").read_bytes(), place="agent.yaml")
    account = _yaml(CLUSTER / "serviceaccount.yaml")
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].startswith("arn:")


# --- systemd, containers -------------------------------------------------------------------


def test_the_unit_is_confined(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    for name in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "ProtectHome"):
        assert service[name] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["SuccessExitStatus"] == "1 3"


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not here")
    for name in ("modelreach-audit.service", "modelreach-audit.timer"):
        text = (RECIPES / "systemd" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(
            text.replace("/usr/local/modelreach/bin/modelreach", "/bin/true")
        )
    files = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", *files],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    ours = [line for line in done.stderr.splitlines() if "modelreach-audit" in line]
    assert (done.returncode, ours) == (0, [])


def test_the_image_runs_as_nobody_and_holds_extras_that_there_are() -> None:
    import tomllib

    text = (RECIPES / "Containerfile").read_text(encoding="utf-8")
    project = tomllib.loads((RECIPES.parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    extras = re.search(r"'\.\[([a-z0-9,]+)\]'", text)
    assert extras is not None
    assert set(extras[1].split(",")) <= set(project["project"]["optional-dependencies"])
    assert "\nUSER 65532:65532\n" in text
    assert "COPY --from=build" in text, "no compiler and no source in what runs"
