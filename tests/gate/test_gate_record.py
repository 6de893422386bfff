"""The decision record: what is in it, and that no part of it can be changed unnoticed."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from modelreach.cli import run
from modelreach.cli.schema import schema_of
from modelreach.gate.record import opened, signed, stated
from modelreach.gate.record_file import written

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "booking_desk"
BOTH = ("v1.yaml", "v2.yaml", "--snapshot", "estate.snap.json")
NOW = "--now=2026-11-25T09:00:00Z"
Json = dict[str, Any]
Call = Callable[..., Any]


def pem(key: Ed25519PrivateKey) -> tuple[bytes, bytes]:
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"test").digest())


@pytest.fixture(scope="session")
def sealed(key: Ed25519PrivateKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a signed record of the decision on the second release; one finding of it is
    waived."""
    folder = tmp_path_factory.mktemp("sealed")
    for name in ("v1.yaml", "v2.yaml", "estate.snap.json"):
        (folder / name).write_bytes((FOLDER / name).read_bytes())
    (folder / "key.pem").write_bytes(pem(key)[0])
    (folder / "key.pub").write_bytes(pem(key)[1])
    waive = ("--until=2027-03-01", "--owner=ml", "--approved-by=secops", "--reason=bucket moves")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["diff", *BOTH, "-o", "diff.json"]) == 1
        assert run(["waive", "F01", "--in", "diff.json", *waive, NOW]) == 0
        assert run(["decide", *BOTH, NOW, "--record", "decision.json", "--key", "key.pem"]) == 1
    return folder


@pytest.fixture
def decided(sealed: Path, place: Path) -> Path:
    """A copy of that folder, to be tampered with; gives the record in it."""
    shutil.copytree(sealed, place, dirs_exist_ok=True)
    return place / "decision.json"


def lines(done: Any, state: str) -> list[str]:
    return [line for line in done.out.splitlines() if line.startswith(state)]


def verify(call: Call, *more: str) -> Any:
    return call("verify", "decision.json", "--key", "key.pub", *more)


def test_the_record_is_an_in_toto_statement_in_an_envelope(
    decided: Path, key: Ed25519PrivateKey
) -> None:
    envelope = json.loads(decided.read_bytes())
    payload = base64.b64decode(envelope["payload"])
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    (signature,) = envelope["signatures"]
    key.public_key().verify(
        base64.b64decode(signature["sig"]), signed(envelope["payloadType"], payload)
    )
    statement = json.loads(payload)
    jsonschema.Draft202012Validator(schema_of("decision")).validate(statement)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    digest = hashlib.sha256(Path("v2.yaml").read_bytes()).hexdigest()
    assert statement["subject"] == [{"name": "booking-desk@4.0.0", "digest": {"sha256": digest}}]
    decision = statement["predicate"]
    assert decision["tool"]["name"] == "modelreach"
    assert decision["decided_at"] == "2026-11-25T09:00:00Z"
    assert {one["role"] for one in decision["materials"]} == {
        *("manifest-old", "manifest-new", "snapshot-old", "snapshot-new", "waivers")
    }
    assert decision["gate"]["verdict"] == "fail"
    assert decision["findings"][0]["waived"]["owner"] == "ml"


def test_the_encoding_that_is_signed_is_that_of_dsse() -> None:
    """The example of the protocol's description."""
    found = signed("http://example.com/HelloWorld", b"hello world")
    assert found == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_what_was_not_touched_is_verified(call: Call, decided: Path) -> None:
    done = verify(call)
    assert done.code == 0, done.out
    assert lines(done, "failed") == lines(done, "not checked") == []
    assert len(lines(done, "ok")) > 15
    assert done.out.splitlines()[-1] == "verified: booking-desk@4.0.0"


def test_the_same_inputs_give_the_same_bytes(call: Call, decided: Path) -> None:
    call("decide", *BOTH, NOW, "--record", "again.json", "--key", "key.pem")
    assert Path("again.json").read_bytes() == decided.read_bytes()


def _reseal(
    path: Path, edit: Callable[[Json], None], key: Ed25519PrivateKey | None = None
) -> None:
    """Change the statement in an envelope, and sign it again if there is a key."""
    envelope = json.loads(path.read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    edit(statement)
    payload = json.dumps(statement).encode()
    envelope["payload"] = base64.b64encode(payload).decode()
    if key is not None:
        sig = key.sign(signed(envelope["payloadType"], payload))
        envelope["signatures"][0]["sig"] = base64.b64encode(sig).decode()
    path.write_text(json.dumps(envelope))


def test_a_tampered_envelope_fails(call: Call, decided: Path) -> None:
    def passed(statement: Json) -> None:
        statement["predicate"]["decided_at"] = "2026-11-26T09:00:00Z"

    _reseal(decided, passed)
    done = verify(call)
    assert done.code == 1
    assert lines(done, "failed") == [
        "failed       envelope: it was changed after it was signed, or by another key"
    ]


def test_another_key_fails(call: Call, decided: Path) -> None:
    Path("key.pub").write_bytes(pem(Ed25519PrivateKey.generate())[1])
    done = verify(call)
    assert done.code == 1
    assert "or by another key" in done.out


def test_an_unsigned_record_is_not_taken_for_a_signed_one(call: Call, decided: Path) -> None:
    envelope = json.loads(decided.read_bytes())
    decided.write_text(json.dumps({**envelope, "signatures": []}))
    assert verify(call).code == 1
    done = call("verify", "decision.json")
    assert done.code == 3
    assert lines(done, "not checked") == ["not checked  envelope: it is not signed"]


def test_a_tampered_snapshot_fails(call: Call, decided: Path) -> None:
    text = Path("estate.snap.json").read_text()
    Path("estate.snap.json").write_text(text.replace("harbour-travel", "harbour-travels"))
    done = verify(call)
    assert done.code == 1
    failed = lines(done, "failed")
    assert failed == [
        f"failed       snapshot-{side} estate.snap.json: the snapshot is not the one decided on"
        for side in ("old", "new")
    ]


def test_a_witness_is_not_believed_because_it_is_signed(
    call: Call, decided: Path, key: Ed25519PrivateKey
) -> None:
    """Statement, action and object of a hop are checked in the estate, by the reference."""

    def others(statement: Json) -> None:
        decision = statement["predicate"]
        hops, texts = decision["hops"], decision["statements"]
        first, second = (finding["witness"] for finding in decision["findings"][:2])
        hops["first"] = hops[first[-1]] | {"statement": "other"}
        other = texts[hops[first[-1]]["statement"]]
        text = other["text"].replace("harbour-passengers", "harbour-payroll")
        texts["other"] = other | {"text": text}
        hops["second"] = hops[second[-1]] | {"action": "secretsmanager:DeleteSecret"}
        first[-1], second[-1] = "first", "second"

    _reseal(decided, others, key)
    _two_are_refused(verify(call))


def test_a_record_of_the_first_version_is_checked_as_closely(
    call: Call, decided: Path, key: Ed25519PrivateKey
) -> None:
    def of_before(statement: Json) -> None:
        found = msgspec.to_builtins(stated(json.dumps(statement).encode(), place="d"))
        statement["predicateType"] = "urn:modelreach:decision:1"
        statement["predicate"] = found["predicate"] | {"schema": "modelreach.decision/1"}

    now = verify(call)
    _reseal(decided, of_before, key)
    before = verify(call)
    assert (before.code, before.out) == (now.code, now.out)

    def others(statement: Json) -> None:
        findings = statement["predicate"]["findings"]
        hop = findings[0]["witness"][-1]
        hop["statement"] = hop["statement"].replace("harbour-passengers", "harbour-payroll")
        findings[1]["witness"][-1]["action"] = "secretsmanager:DeleteSecret"

    _reseal(decided, others, key)
    _two_are_refused(verify(call))


def _two_are_refused(done: Any) -> None:
    assert done.code == 1
    first, second = lines(done, "failed")
    assert first.startswith("failed       witness of finding F01: ")
    assert first.endswith("no such statement stands there")
    assert second.startswith("failed       witness of finding F02: ")
    assert second.endswith("the reference evaluator does not allow it")


def test_a_tampered_waiver_fails(call: Call, decided: Path) -> None:
    text = Path("modelreach-waivers.yaml").read_text()
    Path("modelreach-waivers.yaml").write_text(text.replace("2027-03-01", "2027-04-01"))
    done = verify(call)
    assert done.code == 1
    assert lines(done, "failed") == [
        "failed       waivers modelreach-waivers.yaml: the waivers file is not the one decided on",
        "failed       waiver of F01: it is waived in the record, and not (or otherwise) in the "
        "waivers file",
    ]


def test_a_waiver_that_is_only_in_the_record_fails(
    call: Call, decided: Path, key: Ed25519PrivateKey
) -> None:
    def more(statement: Json) -> None:
        findings = statement["predicate"]["findings"]
        findings[1]["waived"] = findings[0]["waived"]

    _reseal(decided, more, key)
    failed = lines(verify(call), "failed")
    assert any(line.startswith("failed       waiver of F02") for line in failed)


def test_a_verdict_that_does_not_follow_fails(
    call: Call, decided: Path, key: Ed25519PrivateKey
) -> None:
    def passed(statement: Json) -> None:
        statement["predicate"]["gate"] |= {"verdict": "pass", "exit_code": 0, "reasons": []}

    _reseal(decided, passed, key)
    assert lines(verify(call), "failed") == ["failed       decision: what it rests on gives fail"]


def test_another_manifest_fails(call: Call, decided: Path) -> None:
    Path("v2.yaml").write_bytes(Path("v1.yaml").read_bytes())
    assert "manifest-new v2.yaml: the manifest is not the one decided on" in verify(call).out


def test_the_subject_is_the_new_manifest(
    call: Call, decided: Path, key: Ed25519PrivateKey
) -> None:
    def other(statement: Json) -> None:
        statement["subject"][0]["digest"]["sha256"] = "0" * 64

    _reseal(decided, other, key)
    assert "failed       subject: it is not the new release's manifest" in verify(call).out


def test_files_may_have_moved(call: Call, decided: Path, tmp_path: Path) -> None:
    Path("estate.snap.json").rename("elsewhere.json")
    done = verify(call)
    assert done.code == 3
    assert "verified only in part" in done.out
    assert verify(call, "--snapshot", "elsewhere.json").code == 0


def test_a_record_cannot_make_us_read_what_is_not_here(
    call: Call, decided: Path, key: Ed25519PrivateKey
) -> None:
    def outside(statement: Json) -> None:
        for one in statement["predicate"]["materials"]:
            one["name"] = "/etc/passwd" if one["role"] == "waivers" else one["name"]

    _reseal(decided, outside, key)
    assert "not checked  waivers /etc/passwd: the file is not at hand" in verify(call).out


def _broken() -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "no envelope", b"{}"
    yield "no base64", b'{"payload": "*", "payloadType": "t", "signatures": []}'
    yield "no statement", b'{"payload": "e30=", "payloadType": "t", "signatures": []}'
    deep = base64.b64encode(b"[" * 100_000).decode()
    yield "deep", json.dumps({"payload": deep, "payloadType": "t", "signatures": []}).encode()


@pytest.mark.parametrize(("name", "raw"), list(_broken()), ids=[name for name, _ in _broken()])
def test_what_is_no_record_is_refused(call: Call, place: Path, name: str, raw: bytes) -> None:
    (place / "decision.json").write_bytes(raw)
    done = call("verify", "decision.json")
    assert done.code == 2
    assert "decision.json" in done.err


def test_other_keys_are_refused(call: Call, place: Path) -> None:
    rsa = generate_private_key(public_exponent=65537, key_size=1024).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for raw in (rsa, b"no key"):
        (place / "key.pem").write_bytes(raw)
        done = call("decide", *BOTH, NOW, "--record", "d.json", "--key", "key.pem")
        assert done.code == 2
        assert "openssl genpkey -algorithm ed25519" in done.err
        assert not (place / "d.json").exists()


def test_the_other_half_of_a_pair_is_told(
    call: Call, place: Path, decided: Path, key: Ed25519PrivateKey
) -> None:
    for name, raw in zip(("key.pem", "key.pub"), pem(key), strict=True):
        (place / name).write_bytes(raw)
    told = call("verify", str(decided), "--key", "key.pem").err
    assert told.startswith("error: key.pem: this is a private key, where the public one is needed")
    told = call("decide", *BOTH, NOW, "--record", "d.json", "--key", "key.pub").err
    assert told.startswith("error: key.pub: this is a public key, where the private one is needed")


def test_a_key_without_a_record_is_a_wrong_call(call: Call, place: Path) -> None:
    assert call("decide", *BOTH, NOW, "--key", "key.pem").code == 2


def test_the_statement_survives_a_round_trip(decided: Path) -> None:
    envelope, payload = opened(decided.read_bytes(), place="d")
    found = stated(payload, place="d")
    assert msgspec.json.encode(written(found)) == payload
    assert envelope.payload_type == "application/vnd.in-toto+json"
