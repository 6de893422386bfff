"""The decision record: what was decided, from which files, as an in-toto statement that is signed.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md and, for the envelope,
https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from modelreach import __version__
from modelreach.gate.record_file import read, written
from modelreach.gate.recorded import (
    Decision,
    Digest,
    Envelope,
    Material,
    Signature,
    Statement,
    Subject,
    Tool,
)
from modelreach.model import InputError, MissingExtra
from modelreach.report import DiffReport

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PAYLOAD = "application/vnd.in-toto+json"


def statement(
    report: DiffReport,
    materials: tuple[Material, ...],
    *,
    decided_at: str,
    fail_on_all: bool,
    context: dict[str, tuple[str, ...]],
) -> Statement:
    """Give the statement for a report that the gate has answered."""
    if report.security_change is None:
        raise ValueError("the report has not been classified")
    subject = Subject(
        name=f"{report.new.name}@{report.new.version}",
        digest=Digest(sha256=bare(report.new.manifest_digest)),
    )
    decision = Decision(
        schema="modelreach.decision/2",
        tool=Tool(name="modelreach", version=__version__),
        decided_at=decided_at,
        gate=report.gate,
        fail_on_all=fail_on_all,
        security_change=report.security_change,
        demands=report.demands,
        evidence=report.evidence,
        findings=report.findings,
        gaps=len(report.gaps),
        context=context,
        materials=materials,
    )
    return Statement(
        type_="https://in-toto.io/Statement/v1",
        subject=(subject,),
        predicate_type="urn:modelreach:decision:2",
        predicate=decision,
    )


def bare(digest: str) -> str:
    """Give `sha256:…` without its prefix."""
    return digest.removeprefix("sha256:")


def material(role: str, name: str, digest: str) -> Material:
    """Give a material by its digest as `sha256:…`."""
    return Material(role=role, name=name, digest=Digest(sha256=bare(digest)))


# --- envelope ------------------------------------------------------------------------------


def envelope(found: Statement, key: Ed25519PrivateKey | None) -> bytes:
    """Give the statement in an envelope, signed when there is a key."""
    payload = msgspec.json.encode(written(found))
    signatures: tuple[Signature, ...] = ()
    if key is not None:
        sig = base64.b64encode(key.sign(signed(PAYLOAD, payload))).decode()
        signatures = (Signature(keyid=key_id(key.public_key()), sig=sig),)
    made = Envelope(
        payload=base64.b64encode(payload).decode(), payload_type=PAYLOAD, signatures=signatures
    )
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


def signed(type_: str, payload: bytes) -> bytes:
    """Give the bytes that a DSSE signature is over (its pre-authentication encoding)."""
    return b" ".join(
        [b"DSSEv1", str(len(type_)).encode(), type_.encode(), str(len(payload)).encode(), payload]
    )


def opened(raw: bytes, *, place: str) -> tuple[Envelope, bytes]:
    """Give an envelope and its payload. Raises `InputError` when it is none."""
    try:
        found = msgspec.json.decode(raw, type=Envelope)
        return found, base64.b64decode(found.payload, validate=True)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        problem = str(error).splitlines()[0]
        raise InputError(
            f"this is not a decision record, which is a DSSE envelope ({problem})",
            place=place,
            hint="`modelreach decide OLD NEW --record FILE` writes one",
        ) from None


def stated(payload: bytes, *, place: str) -> Statement:
    """Read the statement of an envelope. Raises `InputError` when it is not one of a decision."""
    try:
        return read(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        problem = str(error).splitlines()[0]
        raise InputError(
            f"the envelope does not hold a decision of modelreach ({problem})", place=place
        ) from None


# --- keys ----------------------------------------------------------------------------------


def private_key(pem: bytes, *, place: str) -> Ed25519PrivateKey:
    """Read an ed25519 private key (PEM, PKCS 8, without a password)."""
    with _needing_cryptography():
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise _no_key(place, pem, "private", other="public") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError("this is not an ed25519 key", place=place, hint=_MAKE)
    return key


def public_key(pem: bytes, *, place: str) -> Ed25519PublicKey:
    """Read an ed25519 public key (PEM)."""
    with _needing_cryptography():
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError):
        raise _no_key(place, pem, "public", other="private") from None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError("this is not an ed25519 key", place=place, hint=_MAKE)
    return key


_MAKE = (
    "openssl genpkey -algorithm ed25519 -out key.pem"
    " && openssl pkey -in key.pem -pubout -out key.pub"
)


def _no_key(place: str, pem: bytes, wanted: str, *, other: str) -> InputError:
    """Say what is wrong with a key without a word of what is in it."""
    said = f"no {wanted} key without a password can be read"
    if f"-----BEGIN {other.upper()} KEY-----".encode() in pem:
        said = f"this is a {other} key, where the {wanted} one is needed"
    return InputError(said, place=place, hint=_MAKE)


@contextmanager
def _needing_cryptography() -> Generator[None]:
    try:
        yield
    except ImportError as error:
        raise MissingExtra("sign", "signing") from error


def key_id(key: Ed25519PublicKey) -> str:
    """Give the SHA-256 of a public key in DER."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
