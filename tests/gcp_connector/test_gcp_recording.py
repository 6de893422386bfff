"""A recording replays to the same bytes, and holds only what is listed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from google_cloud.everything import CANARY
from google_cloud.server import LocalGoogle, serving
from modelreach.model import InputError
from modelreach.plugins import CollectOptions
from modelreach.snapshot import encode
from modelreach_gcp import GcpConnector
from modelreach_gcp.live import Patience
from modelreach_gcp.pace import Pacer
from vertex_agent import estate

SCENARIO = Path(estate.__file__).parent / "recording"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_replay_gives_the_same_bytes(whole: Any, replay: Any) -> None:
    assert encode(replay(whole.recording)) == encode(whole.snapshot)


def test_recording_of_a_replay_is_the_recording(whole: Any, replay: Any, tmp_path: Path) -> None:
    replay(whole.recording, record=tmp_path / "again")
    assert contents(tmp_path / "again") == contents(whole.recording)


def test_two_recordings_are_the_same_files(
    whole: Any, collect: Any, local: LocalGoogle, tmp_path: Path
) -> None:
    collect(record=tmp_path / "second")
    assert contents(tmp_path / "second") == contents(whole.recording)


def test_a_refused_run_replays_too(
    local: LocalGoogle, collect: Any, replay: Any, tmp_path: Path
) -> None:
    local.fail(r"iam\.policies.*|cloudidentity.*|cloudasset\.assets.*", 403)
    snapshot = collect(record=tmp_path / "refused")
    assert encode(replay(tmp_path / "refused")) == encode(snapshot)


def test_files_are_named_by_scope(whole: Any) -> None:
    names = set(contents(whole.recording))
    assert names == {
        "manifest.json",
        "gcp/everywhere.json",
        "gcp/organizations/111.json",
        "gcp/folders/222.json",
        "gcp/projects/ml-prod.json",
        "gcp/projects/other.json",
    }
    manifest = json.loads((whole.recording / "manifest.json").read_bytes())
    assert manifest["format"] == "modelreach.gcp-recording/1"
    assert names == {"manifest.json", *manifest["files"]}


def test_the_scenario_is_what_the_wire_gives(tmp_path: Path) -> None:
    """The recorded scenario is not edited: the same estate answers the same."""
    unpaced = Patience(pacer=lambda: Pacer(sleep=lambda _: None))
    with serving(LocalGoogle(estate.cloud())) as local:
        options = CollectOptions(
            now=estate.NOW, scopes=(estate.ROOT,), endpoint_url=local.url, record=tmp_path / "new"
        )
        GcpConnector(patience=unpaced).collect(options)
    assert contents(tmp_path / "new") == contents(SCENARIO)


def test_a_value_put_into_a_recording_by_hand_is_not_read(
    whole: Any, replay: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(whole.recording, folder)
    path = folder / "gcp" / "organizations" / "111.json"
    text = path.read_text().replace('"uniqueId":', f'"privateKeyData": "{CANARY}", "uniqueId":')
    assert CANARY in text
    path.write_text(text)
    replay(folder, record=tmp_path / "again")
    assert CANARY.encode() not in b"".join(contents(tmp_path / "again").values())


def test_recognised_by_content_not_by_name(whole: Any, replay: Any, tmp_path: Path) -> None:
    files = [path for path in whole.recording.rglob("*.json") if path.name != "manifest.json"]
    for number, path in enumerate(sorted(files)):
        shutil.copy(path, tmp_path / f"{number}.txt")
    assert encode(replay(tmp_path)) == encode(whole.snapshot)


def test_a_lost_file_is_an_error(whole: Any, replay: Any, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(whole.recording, folder)
    (folder / "gcp" / "folders" / "222.json").unlink()
    with pytest.raises(InputError, match=r"manifest\.json: .*222\.json"):
        replay(folder)


def test_a_cut_file_is_an_error_with_its_place(whole: Any, replay: Any, tmp_path: Path) -> None:
    raw = (whole.recording / "gcp" / "folders" / "222.json").read_bytes()
    (tmp_path / "one.json").write_bytes(raw[:-80])
    with pytest.raises(InputError, match=r"one\.json:\d+:\d+: .*cut off"):
        replay(tmp_path)


@pytest.mark.parametrize(
    "change", [{"answers": [{"method": 3}]}, {"answers": "none"}, {"place": None}, {"more": 1}]
)
def test_a_broken_recording_is_an_error(
    whole: Any, replay: Any, tmp_path: Path, change: dict[str, Any]
) -> None:
    content = json.loads((whole.recording / "gcp" / "folders" / "222.json").read_bytes())
    (tmp_path / "one.json").write_text(json.dumps(content | change))
    with pytest.raises(InputError, match=r"one\.json: this recording is broken"):
        replay(tmp_path / "one.json")


def test_names_of_scopes_do_not_lead_out_of_the_folder(tmp_path: Path, replay: Any) -> None:
    made = {
        "format": "modelreach.gcp-answers/1",
        "taken_at": "2026-11-24T00:00:00Z",
        "place": "../../../outside",
        "answers": [
            {"service": "storage.v1", "method": "buckets.list", "response": {"items": []}}
        ],
    }
    (tmp_path / "one.json").write_text(json.dumps(made))
    replay(tmp_path / "one.json", record=tmp_path / "kept")
    assert [path for path in contents(tmp_path) if "outside" in path] == [
        "kept/gcp/__/__/__/outside.json"
    ]


def test_two_answers_to_one_question_contradict(
    whole: Any, replay: Any, collect: Any, local: LocalGoogle, tmp_path: Path
) -> None:
    assert encode(replay(whole.recording, whole.recording)) == encode(whole.snapshot)
    local.cloud.groups["team@acme.example"].pop()
    collect(record=tmp_path / "other")
    with pytest.raises(InputError, match="already in"):
        replay(whole.recording, tmp_path / "other")


def test_a_recording_needs_an_empty_folder(tmp_path: Path, replay: Any) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(InputError, match="not empty"):
        replay(record=tmp_path)
