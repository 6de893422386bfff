"""A survey says of each release what its radius says, in numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from modelreach import deployment
from modelreach.cli import run
from modelreach.judge.policy import JudgePolicy
from modelreach.model import base_of
from modelreach.pipeline import Release, evaluate
from modelreach.pipeline.evaluate import Estates, Side
from modelreach.pipeline.many import Many
from modelreach.policy.providers import resource_class
from modelreach.reach import Access
from modelreach.snapshot import Snapshot, encode
from modelreach.store import write
from organisations import deployments, manifest, plan, whole

PLAN = plan(principals=90, resources=400, accounts=4, deployments=10)
RANK = ("allow", "conditional", "unknown")


@pytest.fixture(scope="module")
def made() -> Snapshot:
    return whole(PLAN)


def _side(made: Snapshot, principal: str, estates: Estates) -> Side:
    release = Release(deployment.decode(manifest(principal).encode(), place="m"), made)
    return evaluate(release, JudgePolicy(), estates)


def _reach(accesses: Iterable[Access]) -> dict[str, dict[str, Counter[str]]]:
    surest: dict[tuple[str, str, str], int] = {}
    for access in accesses:
        grant = access.grant
        key = (resource_class(grant.kind), str(grant.capability), grant.resource)
        place = RANK.index(str(access.verdict))
        surest[key] = min(place, surest.get(key, place))
    found: dict[str, dict[str, Counter[str]]] = {}
    for (kind, capability, _), place in surest.items():
        found.setdefault(kind, {}).setdefault(capability, Counter())[RANK[place]] += 1
    return found


def test_a_survey_counts_what_radii_list(made: Snapshot) -> None:
    many, estates = Many(made, "", JudgePolicy()), Estates()
    principals = deployments(PLAN, made)
    releases = [(deployment.decode(manifest(p).encode(), place="m"), "m", b"") for p in principals]
    for principal, row in zip(principals, many.survey(releases, lambda _: None), strict=True):
        radius = _side(made, principal, estates).radius
        assert sum(row.identities.values()) == len(set(map(base_of, radius.identities)))
        assert set(row.administers) == set(radius.takeovers)
        assert row.patterns == len(radius.patterns)
        counted = {
            kind: {
                capability: {v: n for v in RANK if (n := getattr(count, v))}
                for capability, count in capabilities.items()
            }
            for kind, capabilities in row.reach.items()
        }
        assert counted == {
            kind: {capability: dict(count) for capability, count in capabilities.items()}
            for kind, capabilities in _reach(radius.accesses).items()
        }


def test_the_command_writes_a_line_a_release_from_both_forms(
    made: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "releases"
    folder.mkdir()
    for number, principal in enumerate(deployments(PLAN, made)[:4]):
        (folder / f"{number}.yaml").write_text(manifest(principal, number))
    (tmp_path / "estate.snap").write_bytes(encode(made))
    write(tmp_path / "estate.mrdb", made)
    found: list[str] = []
    for form in ("snap", "mrdb"):
        assert run(["survey", str(folder), "--snapshot", str(tmp_path / f"estate.{form}")]) == 0
        found.append(capsys.readouterr().out)
    assert found[0] == found[1]
    rows = [json.loads(line) for line in found[0].splitlines()]
    assert [row["name"] for row in rows] == [f"deployment-0000{n}" for n in range(4)]
    assert all(row["schema"] == "modelreach.survey/1" for row in rows)


OTHERS = {
    "values.yaml": "replicas: 2\n",
    "chart.yml": "apiVersion: v2\nname: {{ .Values.name }}\n",
    "all.yaml": "---\nkind: Service\n---\nkind: Secret\n",
    "empty.yaml": "",
    "in-a-map.yaml": "kind: ConfigMap\ndata:\n  v1: |\n    kind: ModelDeployment\n",
    "\x1b[2J.yaml": "[]\n",
}


def _folder(made: Snapshot, place: Path) -> Path:
    (place / "estate.snap").write_bytes(encode(made))
    (place / "releases").mkdir()
    one = manifest(deployments(PLAN, made)[0])
    (place / "releases" / "release.yaml").write_text(one)
    return place / "releases"


def test_other_yaml_in_a_folder_is_passed_over_and_named(
    made: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _folder(made, tmp_path)
    for name, text in OTHERS.items():
        (folder / name).write_text(text)
    assert run(["survey", str(folder), "--snapshot", str(tmp_path / "estate.snap"), "-q"]) == 0
    done = capsys.readouterr()
    assert len(done.out.splitlines()) == 1
    assert "6 files are no manifests, and passed over: " in done.err
    assert "\x1b" not in done.err
    assert f"{folder}/chart.yml" in done.err
    for name in OTHERS:
        assert (
            run(["survey", str(folder / name), "--snapshot", str(tmp_path / "estate.snap")]) == 2
        )


@pytest.mark.parametrize(
    "broken",
    [
        "apiVersion: modelreach/v1\nkind: ModelDeploymnet\n",
        "apiVersion: modelreach/v2\nmetadata: {}\n",
        "{kind: ModelDeployment, metadata: {}}",
        "kind: ModelDeployment\nmetadata: [\n",
        "kind: ModelDeployment\n---\nkind: ModelDeployment\n",
    ],
)
def test_a_broken_manifest_in_a_folder_is_an_error(
    made: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    folder = _folder(made, tmp_path)
    (folder / "broken.yaml").write_text(broken)
    assert run(["survey", str(folder), "--snapshot", str(tmp_path / "estate.snap")]) == 2
    assert f"{folder}/broken.yaml" in capsys.readouterr().err


def test_principals_that_are_not_there_are_an_error(
    made: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "estate.snap").write_bytes(encode(made))
    (tmp_path / "ids").write_text("arn:aws:iam::200000000000:role/nobody\n")
    arguments = [
        "--principals",
        str(tmp_path / "ids"),
        "--snapshot",
        str(tmp_path / "estate.snap"),
    ]
    assert run(["survey", *arguments]) == 2
    assert "nobody" in capsys.readouterr().err
