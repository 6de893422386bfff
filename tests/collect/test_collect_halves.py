"""JSON of a cloud may hold halves of characters, which no file can: they are spelled out."""

from __future__ import annotations

import json
from pathlib import Path

from modelreach.cli import run
from modelreach.snapshot import SCHEMA, Principal, Scope, Snapshot, canonical, decode
from modelreach.snapshot import document_bytes as document

HALVES = ("a\ud800", "a\ud801", "\udfff")


def test_facts_stay_apart_and_can_be_read_again() -> None:
    names = tuple(
        Principal(provider="aws", scope="1", kind="role", id=name, name=name, tags={name: name})
        for name in HALVES
    )
    scopes = (Scope(provider="aws", kind="account", id="1", name="\ud800"),)
    made = canonical(Snapshot(SCHEMA, "2026-11-26T00:00:00Z", principals=names, scopes=scopes))
    assert [one.id for one in made.principals] == ["\\udfff", "a\\ud800", "a\\ud801"]
    assert made.principals[1].tags == {"a\\ud800": "a\\ud800"}
    assert canonical(made) == made


def test_a_policy_stays_one() -> None:
    found = document({"Statement": [{"Sid": "\ud800", "Resource": ["a\udfff*"]}]})
    assert json.loads(found) == {"Statement": [{"Sid": "\\ud800", "Resource": ["a\\udfff*"]}]}
    assert json.loads(document('{"Sid": "\\ud800"}')) == {"Sid": "\\ud800"}
    assert json.loads(document("\ud800")) == "\\ud800"


def test_a_cluster_is_read_with_them(tmp_path: Path) -> None:
    half = "\\ud800"
    account = f'{{"kind": "ServiceAccount", "metadata": {{"name": "{half}", "namespace": "n"}}}}'
    pod = (
        f'{{"kind": "Pod", "metadata": {{"name": "{half}p", "namespace": "n"}},'
        f' "spec": {{"serviceAccountName": "{half}", "containers": [{{"image": "{half}"}}]}}}}'
    )
    (tmp_path / "k.json").write_text(f'{{"kind": "List", "items": [{account}, {pod}]}}')
    out = tmp_path / "k.snap"
    assert run(["collect", "kubernetes", "--from", str(tmp_path / "k.json"), "-o", str(out)]) == 0
    found = decode(out.read_bytes(), place="")
    assert "k8s/k/system:serviceaccount:n:\\ud800" in {one.id for one in found.principals}
    (runtime,) = found.runtimes
    assert runtime.identities == ("k8s/k/system:serviceaccount:n:\\ud800",)
