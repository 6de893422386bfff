"""Checks a decision record again: its signature, its files, its witnesses, and that it follows.

The witnesses are decided anew by the reference evaluator, which shares no code with the engine, so
that a record is not believed because of the program that wrote it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

import msgspec

from modelreach.gate.record import key_id, signed
from modelreach.gate.recorded import Decision, Envelope, Statement
from modelreach.gate.verdict import BLIND, GateOptions, gate
from modelreach.gate.waiver_file import decode
from modelreach.gate.waivers import apply
from modelreach.model import InputError
from modelreach.report import Hop
from modelreach_reference.witness import Outcome, check

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class State(StrEnum):
    """How one check went."""

    OK = "ok"
    FAILED = "failed"
    UNCHECKED = "not checked"


class Check(msgspec.Struct, frozen=True):
    """One check of a record: what was checked, how it went, and why."""

    what: str
    state: State
    why: str = ""


#: Gives the bytes of a material (role, recorded name), or None when it is not at hand.
Read = Callable[[str, str], bytes | None]


def verify(
    found: Envelope, payload: bytes, statement: Statement, key: Ed25519PublicKey | None, read: Read
) -> tuple[Check, ...]:
    """Check everything that can be checked; nothing stops at the first failure."""
    decision = statement.predicate
    return (
        _signature(found, payload, key),
        *_materials(statement, read),
        *_witnesses(decision, read),
        *_waivers(decision, read),
        _follows(decision),
    )


# --- signature -----------------------------------------------------------------------------


def _signature(found: Envelope, payload: bytes, key: Ed25519PublicKey | None) -> Check:
    what = "envelope"
    if key is None:
        why = "it is signed, but no key is given" if found.signatures else "it is not signed"
        return Check(what, State.UNCHECKED, why)
    if not found.signatures:
        return Check(what, State.FAILED, "it is not signed")
    from cryptography.exceptions import InvalidSignature

    wanted = key_id(key)
    for signature in found.signatures:
        try:
            raw = base64.b64decode(signature.sig, validate=True)
            key.verify(raw, signed(found.payload_type, payload))
        except (InvalidSignature, ValueError):
            continue
        return Check(what, State.OK, f"signed by {wanted[:16]}")
    return Check(what, State.FAILED, "it was changed after it was signed, or by another key")


# --- files ---------------------------------------------------------------------------------


#: Files without which there is no decision.
_NEEDED = ("manifest-old", "manifest-new", "snapshot-old", "snapshot-new")


def _materials(statement: Statement, read: Read) -> Iterator[Check]:
    for one in statement.predicate.materials:
        what = f"{one.role} {one.name}"
        raw = read(one.role, one.name)
        if raw is None:
            yield Check(what, State.UNCHECKED, "the file is not at hand")
        elif hashlib.sha256(raw).hexdigest() != one.digest.sha256:
            yield Check(what, State.FAILED, f"the {_kind(one.role)} is not the one decided on")
        else:
            yield Check(what, State.OK)
    held = {one.role for one in statement.predicate.materials}
    for role in _NEEDED:
        if role not in held:
            yield Check(role, State.FAILED, "the record does not say on which one was decided")
    digests = {o.digest.sha256 for o in statement.predicate.materials if o.role == "manifest-new"}
    if {subject.digest.sha256 for subject in statement.subject} != digests:
        yield Check("subject", State.FAILED, "it is not the new release's manifest")


def _kind(role: str) -> str:
    kind = role.partition("-")[0]
    return "waivers file" if kind == "waivers" else kind


# --- witnesses -----------------------------------------------------------------------------


def _witnesses(decision: Decision, read: Read) -> Iterator[Check]:
    """Findings that are gone are shown on the old estate, everything else on the new one."""
    estates: dict[str, Mapping[str, Any] | None] = {}
    for name, role, witness in _claims(decision):
        if role not in estates:
            estates[role] = _estate(decision, role, read)
        estate = estates[role]
        what = f"witness of {name}"
        yield (
            Check(what, State.UNCHECKED, "there is no snapshot")
            if estate is None
            else _checked(what, estate, witness, decision)
        )


def _claims(decision: Decision) -> Iterator[tuple[str, str, tuple[Hop, ...]]]:
    for trigger in decision.security_change.triggers:
        if trigger.witness:
            yield f"{trigger.id} {trigger.subject}", "snapshot-new", trigger.witness
    for row in decision.findings:
        if row.witness:
            gone = row.state == "gone"
            yield f"finding {row.id}", "snapshot-old" if gone else "snapshot-new", row.witness


def _estate(decision: Decision, role: str, read: Read) -> Mapping[str, Any] | None:
    name = next((one.name for one in decision.materials if one.role == role), "")
    raw = read(role, name)
    if raw is None:
        return None
    try:
        found: object = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else None


def _checked(
    what: str, estate: Mapping[str, Any], witness: tuple[Hop, ...], decision: Decision
) -> Check:
    steps = check(estate, msgspec.to_builtins(witness), decision.context)
    for wanted, state in ((Outcome.FAILS, State.FAILED), (Outcome.UNCHECKED, State.UNCHECKED)):
        for step in steps:
            if step.outcome is wanted:
                return Check(what, state, f"{step.step}: {step.why}")
    return Check(what, State.OK)


# --- waivers -------------------------------------------------------------------------------


def _waivers(decision: Decision, read: Read) -> Iterator[Check]:
    """Is what is waived covered by the file, as of the day of the decision?"""
    waived = {row.id for row in decision.findings if row.waived}
    name = next((one.name for one in decision.materials if one.role == "waivers"), "")
    raw = read("waivers", name) if name else None
    if raw is None:
        if waived:
            yield Check("waived findings", State.UNCHECKED, "the waivers file is not at hand")
        return
    try:
        day = date.fromisoformat(decision.decided_at[:10])
        file = decode(raw, place=name, today=day)
    except (InputError, ValueError) as error:
        yield Check("waived findings", State.FAILED, f"the waivers cannot be used: {error}")
        return
    plain = [msgspec.structs.replace(row, waived=None, returned="") for row in decision.findings]
    for before, after in zip(decision.findings, apply(plain, file), strict=True):
        if before.waived != after.waived:
            why = "it is waived in the record, and not (or otherwise) in the waivers file"
            yield Check(f"waiver of {before.id}", State.FAILED, why)


# --- the decision itself -------------------------------------------------------------------


def _follows(decision: Decision) -> Check:
    """Does the verdict follow from the findings, gaps and rules in the record?"""
    said = decision.gate
    options = GateOptions(
        fail_on=said.fail_on,
        fail_on_incomplete=said.fail_on_incomplete,
        fail_on_all=decision.fail_on_all,
    )
    again = gate(
        decision.findings,
        decision.gaps,
        options,
        rules=said.rules,
        policy=said.policy,
        blind=BLIND in said.reasons,
    )
    if (again.verdict, again.reasons) == (said.verdict, said.reasons):
        return Check("decision", State.OK, said.verdict)
    return Check("decision", State.FAILED, f"what it rests on gives {again.verdict}")
