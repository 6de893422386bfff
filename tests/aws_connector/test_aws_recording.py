"""A recording replays to the same bytes, and holds no secret value."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelreach.model import InputError
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot, encode
from modelreach_aws import AwsConnector

ACCOUNT = "123456789012"
REGION = "eu-west-1"
CANARY = b"hush-canary-value"


def replay(*sources: Path, **options: Any) -> Snapshot:
    later = CollectOptions(now="2030-01-01T00:00:00Z", sources=sources, **options)
    return AwsConnector().collect(later)


def test_replay_gives_the_same_bytes(whole: Any, plain: Any) -> None:
    for run in (whole, plain):
        assert encode(replay(run.recording)) == encode(run.snapshot)


def test_recording_of_a_replay_is_the_recording(whole: Any, tmp_path: Path) -> None:
    again = tmp_path / "again"
    replay(whole.recording, record=again)
    assert _contents(again) == _contents(whole.recording)


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_recordings_are_the_same_files(
    plain: Any, collect: Callable[..., Snapshot], tmp_path: Path
) -> None:
    collect(record=tmp_path / "second")
    first, second = _contents(plain.recording), _contents(tmp_path / "second")
    assert first.keys() == second.keys()
    different = {name for name in first if first[name] != second[name]}
    # moto counts pending windows, and names its own host in the URL of a queue.
    assert different <= {f"aws/{ACCOUNT}/{REGION}/sqs.json"}


def test_files_are_named_by_account_region_and_service(whole: Any) -> None:
    names = set(_contents(whole.recording))
    assert {
        "manifest.json",
        f"aws/{ACCOUNT}/global/iam.json",
        f"aws/{ACCOUNT}/global/s3.json",
        f"aws/{ACCOUNT}/{REGION}/kms.json",
    } <= names
    manifest = json.loads((whole.recording / "manifest.json").read_bytes())
    assert manifest["format"] == "modelreach.aws-recording/1"
    assert manifest["taken_at"] == "2026-11-24T00:00:00Z"
    assert manifest["accounts"] == [ACCOUNT]
    assert names == {"manifest.json", *manifest["files"]}


def test_no_secret_value_is_kept(whole: Any, plain: Any) -> None:
    for run in (whole, plain):
        assert CANARY not in encode(run.snapshot)
        for name, content in _contents(run.recording).items():
            assert CANARY not in content, name


def test_names_are_kept_where_values_are_not(whole: Any) -> None:
    functions = (whole.recording / f"aws/{ACCOUNT}/{REGION}/lambda.json").read_text()
    assert '"TOKEN": "(redacted)"' in functions
    tasks = (whole.recording / f"aws/{ACCOUNT}/{REGION}/ecs.json").read_text()
    assert '"API_KEY"' in tasks


def test_a_value_put_into_a_recording_by_hand_is_not_read(whole: Any, tmp_path: Path) -> None:
    folder = _copy(whole, tmp_path)
    path = folder / f"aws/{ACCOUNT}/{REGION}/lambda.json"
    path.write_text(path.read_text().replace("(redacted)", CANARY.decode()))
    replay(folder, record=tmp_path / "again")
    assert CANARY not in b"".join(_contents(tmp_path / "again").values())


def _copy(run: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(run.recording, folder)
    return folder


def test_recognised_by_content_not_by_name(whole: Any, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    files = [path for path in whole.recording.rglob("*.json") if path.name != "manifest.json"]
    for number, path in enumerate(sorted(files)):
        shutil.copy(path, flat / f"{number}.txt")
    assert encode(replay(flat)) == encode(whole.snapshot)
    assert encode(replay(*sorted(flat.iterdir()))) == encode(whole.snapshot)


def test_a_lost_file_is_an_error(whole: Any, tmp_path: Path) -> None:
    folder = _copy(whole, tmp_path)
    (folder / f"aws/{ACCOUNT}/{REGION}/kms.json").unlink()
    with pytest.raises(InputError, match=r"manifest\.json: .*kms\.json"):
        replay(folder)


def test_a_cut_file_is_an_error_with_its_place(whole: Any, tmp_path: Path) -> None:
    folder = _copy(whole, tmp_path)
    path = folder / f"aws/{ACCOUNT}/{REGION}/kms.json"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"kms\.json:\d+:\d+: .*cut off"):
        replay(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"answers": [{"operation": 3}]},
        {"answers": "none"},
        {"account": None},
        {"surprise": 1},
    ],
)
def test_a_broken_recording_is_an_error(
    whole: Any, tmp_path: Path, change: dict[str, Any]
) -> None:
    path = tmp_path / "one.json"
    content = json.loads((whole.recording / f"aws/{ACCOUNT}/{REGION}/kms.json").read_bytes())
    path.write_text(json.dumps(content | change))
    with pytest.raises(InputError, match=r"one\.json: this recording is broken"):
        replay(path)


@pytest.mark.parametrize("content", ["{}", "[1]", '{"schema": "modelreach.snapshot/1"}', "3"])
def test_what_is_not_recognised_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "foreign.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"foreign\.json: this file is not recognised") as raised:
        replay(path)
    assert "get-account-authorization-details" in raised.value.hint


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"hello", b"", b"[" * 100_000])
def test_what_is_not_json_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"foreign\.json.*not JSON"):
        replay(path)


def test_a_path_without_anything_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        replay(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no file in this folder"):
        replay(tmp_path)


def test_two_recordings_of_one_account_contradict(whole: Any, plain: Any) -> None:
    assert encode(replay(whole.recording, whole.recording)) == encode(whole.snapshot)
    with pytest.raises(InputError, match="already in"):
        replay(whole.recording, plain.recording)


def test_a_recording_needs_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(InputError, match="not empty"):
        replay(record=tmp_path)
    with pytest.raises(InputError, match="cannot be used"):
        replay(record=tmp_path / "mine.txt")
