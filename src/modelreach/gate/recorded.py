"""What a decision record says: an in-toto statement, and its DSSE envelope."""

from __future__ import annotations

from typing import Literal

import msgspec

from modelreach.report import DemandRow, EvidenceRow, FindingRow, Gate, Row, SecurityChange


class Digest(Row, frozen=True):
    """A digest as in-toto writes it."""

    sha256: str


class Subject(Row, frozen=True):
    """What was decided on: the manifest of the new release."""

    name: str
    digest: Digest


class Material(Row, frozen=True):
    """A file that went into the decision. `role` is `manifest-old`, `manifest-new`,
    `snapshot-old`, `snapshot-new`, `policy`, `waivers` or `evidence`."""

    role: str
    name: str
    digest: Digest


class Tool(Row, frozen=True):
    """What decided."""

    name: str
    version: str


class Decision(Row, frozen=True):
    """The predicate. `gaps` is how many things could not be read. `context` are the condition
    keys that the new release's manifest fixes of every request."""

    schema: Literal["modelreach.decision/2"] = msgspec.field(name="schema")
    tool: Tool
    decided_at: str
    gate: Gate
    fail_on_all: bool
    security_change: SecurityChange
    demands: tuple[DemandRow, ...]
    evidence: tuple[EvidenceRow, ...]
    findings: tuple[FindingRow, ...]
    gaps: int
    context: dict[str, tuple[str, ...]]
    materials: tuple[Material, ...]


class Statement(Row, frozen=True):
    """An in-toto statement about a release."""

    type_: Literal["https://in-toto.io/Statement/v1"] = msgspec.field(name="_type")
    subject: tuple[Subject, ...]
    predicate_type: Literal["urn:modelreach:decision:2"] = msgspec.field(name="predicateType")
    predicate: Decision


class Signature(Row, frozen=True):
    """One signature over the envelope's payload; `keyid` is the SHA-256 of the public key."""

    keyid: str
    sig: str


class Envelope(Row, frozen=True):
    """A DSSE envelope; the payload is base64."""

    payload: str
    payload_type: str = msgspec.field(name="payloadType")
    signatures: tuple[Signature, ...]
