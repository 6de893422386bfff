"""A run kept as files gives the same snapshot, and a damaged one gives none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azure_agent import estate
from modelreach.model import InputError
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot, decode, encode
from modelreach_azure import AzureConnector

ESTATE = Path(__file__).parents[2] / "fixtures" / "azure_agent" / "recording"


def replay(*sources: Path, now: str = "2030-01-01T00:00:00Z", **more: Any) -> Snapshot:
    return AzureConnector().collect(CollectOptions(now=now, sources=sources, **more))


def test_a_replay_gives_the_same_bytes(read: Any) -> None:
    assert encode(replay(read.recording)) == encode(read.snapshot)


def test_the_estate_s_recording_is_what_the_wire_gives(collect: Any, tmp_path: Path) -> None:
    """Renew it with `make fixtures`; the difference is the change."""
    taken_at = json.loads((ESTATE / "manifest.json").read_bytes())["taken_at"]
    made = tmp_path / "recording"
    found = collect(estate.build(), record=made, now=taken_at)
    kept = {p.relative_to(ESTATE): p.read_bytes() for p in ESTATE.rglob("*.json")}
    assert kept == {p.relative_to(made): p.read_bytes() for p in made.rglob("*.json")}
    assert encode(replay(ESTATE)) == encode(found)


def test_a_snapshot_reads_back(read: Any) -> None:
    raw = encode(read.snapshot)
    assert encode(decode(raw, place="snapshot")) == raw


def test_a_replay_can_be_recorded_byte_for_byte(read: Any, tmp_path: Path) -> None:
    replay(read.recording, record=tmp_path / "again")
    files = sorted(p.relative_to(read.recording) for p in read.recording.rglob("*.json"))
    again = sorted(p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*.json"))
    assert files == again
    for name in files:
        assert (read.recording / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_the_order_of_files_and_answers_makes_no_difference(read: Any, tmp_path: Path) -> None:
    place = shutil.copytree(read.recording, tmp_path / "turned")
    for path in place.glob("azure/**/*.json"):
        content = json.loads(path.read_bytes())
        content["answers"].reverse()
        path.write_text(json.dumps(content))
    taken_at = read.snapshot.taken_at
    paths = sorted(place.glob("azure/**/*.json"), reverse=True)
    assert encode(replay(*paths, now=taken_at)) == encode(read.snapshot)


def test_a_folder_that_is_in_use_is_refused(read: Any) -> None:
    with pytest.raises(InputError, match="not empty"):
        replay(read.recording, record=read.recording)


def test_a_file_that_is_lost_is_an_error(read: Any, tmp_path: Path) -> None:
    place = shutil.copytree(read.recording, tmp_path / "lossy")
    next(iter(place.glob("azure/*/tenant/graph.json"))).unlink()
    with pytest.raises(InputError, match="which is not there"):
        replay(place)


def test_a_file_that_is_cut_off_is_an_error(read: Any, tmp_path: Path) -> None:
    place = shutil.copytree(read.recording, tmp_path / "cut")
    path = next(iter(place.glob("azure/*/tenant/graph.json")))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"graph.json:\d+:\d+: this is not JSON, or is cut off"):
        replay(place)


def test_two_recordings_that_disagree_are_an_error(read: Any, tmp_path: Path) -> None:
    place = shutil.copytree(read.recording, tmp_path / "other")
    path = next(iter(place.glob("azure/*/tenant/graph.json")))
    path.write_text(path.read_text().replace("support-connector", "renamed"))
    with pytest.raises(InputError, match="says something else there"):
        replay(read.recording, place)


def test_two_tenants_are_an_error(read: Any, tmp_path: Path) -> None:
    place = shutil.copytree(read.recording, tmp_path / "foreign")
    tenant = read.snapshot.scopes and read.whole.cloud.tenant
    for path in place.glob("azure/**/*.json"):
        path.write_text(path.read_text().replace(f'"tenant": "{tenant}"', '"tenant": "other"'))
    with pytest.raises(InputError, match="of 2 tenants"):
        replay(read.recording, place)


def test_secret_values_written_by_hand_do_not_get_in(read: Any, tmp_path: Path) -> None:
    place = shutil.copytree(read.recording, tmp_path / "hand")
    path = next(iter(place.glob("azure/*/tenant/graph.json")))
    content = json.loads(path.read_bytes())
    for answer in content["answers"]:
        if answer["operation"] == "applications":
            answer["response"]["value"][0]["passwordCredentials"] = [
                {"keyId": "k", "secretText": "by-hand-value"}
            ]
    path.write_text(json.dumps(content))
    assert b"by-hand-value" not in encode(replay(place))


def test_no_sdk_is_needed_to_replay_and_to_print_permissions(read: Any) -> None:
    code = (
        "import sys\n"
        "sys.modules['azure'] = None\n"
        "from pathlib import Path\n"
        "from modelreach.model import MissingExtra\n"
        "from modelreach.plugins import CollectOptions\n"
        "from modelreach_azure import AzureConnector\n"
        "one = AzureConnector()\n"
        "one.policy(), one.calls()\n"
        f"options = CollectOptions(now='', sources=(Path({str(read.recording)!r}),))\n"
        "print(len(one.collect(options).resources))\n"
        "try: one.collect(CollectOptions(now=''))\n"
        "except MissingExtra as error: print(error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    count, hint = done.stdout.splitlines()
    assert int(count) == len(read.snapshot.resources)
    assert "modelreach[azure]" in hint


def test_the_sdk_does_not_speak_to_the_terminal() -> None:
    code = (
        "import logging\n"
        "import modelreach_azure.wire\n"
        "logging.getLogger('azure.identity').warning('nobody is signed in')\n"
        "logging.getLogger('somebody else').warning('heard')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stderr == "heard\n"


@pytest.mark.parametrize("text", ["{}", "[]", '{"format": "modelreach.azure-answers/1"}', "1"])
def test_other_files_are_refused_with_what_was_expected(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"not recognised|broken") as error:
        replay(path)
    assert "azure" in error.value.hint
