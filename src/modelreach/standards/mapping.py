"""Which entries a rule, a trigger or a demand answers to.

A risk that both editions of the OWASP list for LLM applications have is given in both, since the
same number means different risks in them. Every trigger is a change, so that each also carries
the two entries on changes; GV.OC-01 is what the field quotes for it, ID.RA-07 is what says it.
"""

from __future__ import annotations

from functools import cache

import msgspec

from modelreach.standards.frameworks import (
    ASI,
    ATLAS,
    ATTACK,
    CSF,
    LLM_2025,
    LLM_2026,
    MAESTRO,
    NHI,
    SP800_53,
    Framework,
    StandardRef,
)
from modelreach.standards.table import REFERENCES, reference

#: A risk of the LLM list -> its number in 2025 and in 2026.
_LLM = {
    "injection": ("LLM01", "LLM01"),
    "disclosure": ("LLM02", "LLM02"),
    "supply": ("LLM03", "LLM04"),
    "poisoning": ("LLM04", "LLM05"),
    "output": ("LLM05", "LLM10"),
    "agency": ("LLM06", "LLM03"),
    "prompt": ("LLM07", "LLM08"),
    "vectors": ("LLM08", "LLM09"),
    "consumption": ("LLM10", "LLM06"),
}
_PREFIXES: tuple[tuple[str, Framework], ...] = (
    ("NHI", NHI),
    ("ASI", ASI),
    ("AML.", ATLAS),
    ("T1", ATTACK),
    ("L", MAESTRO),
)
_CHANGE = "GV.OC-01 ID.RA-07 CM-3 CM-4"

#: Ids as their publishers write them; a word is a risk of the LLM list in both editions.
_RULES = {
    "MR101": "NHI5 ASI03 disclosure PR.AA-05 ID.AM-07 AC-6 AC-3 L2 T1530 T1555.006 AML.T0085",
    "MR102": "NHI5 ASI03 agency PR.AA-05 AC-6 AC-6(5) L4 T1078.004 T1098.003 T1548.005 AML.T0012",
    "MR201": "NHI5 ASI03 agency PR.AA-05 AC-6 AC-6(7) L6 T1078.004",
    "MR301": "NHI7 NHI2 ASI03 PR.AA-01 IA-5 IA-5(7) IA-5(13) L4 T1552 T1078.004 AML.T0055",
    "MR401": "NHI1 ASI03 PR.AA-01 PR.AA-05 AC-6 IA-5 L4 T1078.004",
    "MR402": "NHI4 NHI5 ASI03 PR.AA-01 PR.AA-05 AC-6 AC-3 L4 T1078.004 T1550.001",
    "MR501": "NHI1 ASI03 PR.AA-01 ID.AM-07 IA-5 AC-2 L4",
}
_TRIGGERS = {
    "DATA-NEW": "ASI06 disclosure vectors ID.AM-07 AC-4 L2 T1530 AML.T0085.000 AML.T0070",
    "DATA-WIDER": "ASI06 disclosure ID.AM-07 AC-4 L2 T1530 AML.T0085",
    "CTX-GROW": "ASI06 disclosure injection AC-4 L1 L2 AML.T0051.001",
    "EXPOSURE-WIDER": "ASI09 injection AC-3 L7 AML.T0049 AML.T0051.000",
    "SENSITIVE-REACHED": "NHI5 ASI03 disclosure PR.AA-05 AC-6 L2 L4 T1530 T1555.006 AML.T0085",
    "ADMIN-REACHED": "NHI5 ASI03 agency PR.AA-05 AC-6(5) L4 L6 T1098.003 T1548.005 AML.T0012",
    "WORKFLOW-REACHED": "NHI5 ASI02 ASI08 agency PR.AA-05 AC-6 L4 T1648 T1651 AML.T0053",
    "TOOL-NEW": "ASI02 agency PR.AA-05 AC-6 L3 L6 L7 AML.T0053",
    "TOOL-EFFECT": "ASI02 ASI05 agency AC-6 L3 L6 L7 T1485 AML.T0101",
    "TOOL-APPROVAL": "ASI02 ASI09 agency AC-3 L3 L6 L7 AML.T0053",
    "TOOL-SCOPES": "NHI5 ASI02 ASI03 agency PR.AA-05 AC-6 L3 L6 L7 T1550.001 AML.T0053",
    "TOOL-CHANGED": "ASI04 ASI02 supply CA-9 L3 L7 AML.T0010.005 AML.T0109 AML.T0110",
    "TOOL-UNTRUSTED": "ASI01 ASI02 injection output SI-10 L3 AML.T0051.001",
    "IDENTITY-NEW": "NHI5 NHI9 ASI03 PR.AA-01 PR.AA-05 AC-2 AC-6 L4 L6 T1078.004 AML.T0012",
    "SESSION-LONGER": "NHI7 ASI03 PR.AA-01 IA-5(13) L4 T1550.001",
    "CREDENTIAL-NEW": "NHI4 NHI2 ASI03 PR.AA-01 IA-5 IA-9 L4 T1098.001 AML.T0098",
    "LONG-LIVED-KEY": "NHI7 NHI2 ASI03 PR.AA-01 IA-5 IA-5(7) L4 T1552 T1528 AML.T0055",
    "MODEL-CHANGED": "ASI04 ASI01 supply GV.SC-07 CM-3(2) SA-9 L1 AML.T0010.003 AML.T0054",
    "MODEL-FLOATING": "ASI04 supply GV.SC-07 PR.PS-01 SA-9 L1 AML.T0010.003 AML.T0109",
    "FINE-TUNE-CHANGED": "ASI04 poisoning supply CM-3(2) L1 AML.T0018",
    "PROMPT-CHANGED": "ASI01 prompt PR.PS-01 CM-3(2) L3 AML.T0056 AML.T0081",
    "SAMPLING-CHANGED": "ASI01 PR.PS-01 CM-3(2) L1 AML.T0054",
    "CTX-CHANGED": "ASI06 ASI01 injection consumption CM-3(2) L1 AML.T0054",
    "GUARDRAIL-REMOVED": "ASI01 ASI02 injection output SI-10 SI-15 L6 AML.T0051 AML.T0054",
    "GUARDRAIL-WEAKENED": "ASI01 ASI02 injection output SI-10 SI-15 L6 AML.T0054 AML.T0057",
    "GUARDRAIL-CHANGED": "ASI01 injection PR.PS-01 SI-10 SI-15 L6 AML.T0054",
    "VENDOR-CLAIM": "ASI04 supply GV.SC-07 SA-11 SR-6 L1 L5 AML.T0010.003",
    "AUTONOMY-GROW": "ASI10 ASI09 ASI02 agency AC-6 L3 L6 L7 AML.T0053",
    "DOWNSTREAM-NEW": "ASI08 output agency GV.OC-05 CA-9 AC-4 L7 T1565 AML.T0048",
    "DOWNSTREAM-WIDER": "ASI08 output agency GV.OC-05 CA-9 AC-4 L7 T1565 AML.T0048",
    "IRREVERSIBLE": "ASI08 ASI02 agency RC.RP-02 CP-10 L7 T1485 AML.T0101",
    "LOGGING-WEAKENED": "ASI10 PR.PS-04 AU-2 AU-12 L5 T1562.008",
    "ALERT-REMOVED": "ASI10 DE.CM-09 AU-6 SI-4 L5 T1562.008",
    "ROLLBACK-UNTESTED": "ASI08 RC.RP-02 CP-10 L4 AML.T0031",
    "ROLLBACK-WEAKENED": "ASI08 RC.RP-02 CP-10 L4 AML.T0031",
}
_DEMANDS = {
    "retest-jailbreak": "ASI01 injection ID.RA-01 CA-8 SA-11 L5 AML.T0054",
    "retest-prompt-injection": "ASI01 injection ID.RA-01 CA-8 SA-11 L5 AML.T0051.000",
    "retest-indirect-injection": "ASI01 ASI06 injection ID.RA-01 CA-8 SA-11 L5 AML.T0051.001",
    "retest-data-exfiltration": "ASI02 disclosure ID.RA-01 CA-8 SA-11 L5 AML.T0024 AML.T0086",
    "retest-tool-abuse": "ASI02 agency ID.RA-01 CA-8 SA-11 L5 AML.T0053",
    "retest-refusal": "ASI01 ID.RA-01 SA-11 CM-3(2) L5 AML.T0054",
    "retest-over-refusal": "ID.IM-02 SA-11 CM-3(2) L5",
    "retest-prompt-leak": "prompt ID.RA-01 CA-8 SA-11 L5 AML.T0056",
    "review-access-paths": "NHI5 ASI03 PR.AA-05 AC-6(7) CM-4 L6",
    "check-logging": "PR.PS-04 DE.CM-09 AU-2 AU-6 AU-12 L5",
    "plan-revocation": "NHI1 ASI03 PR.AA-01 AC-2 IR-4 L6",
    "drill-rollback": "ASI08 RC.RP-02 CP-10 L4",
    "rotate-credential": "NHI7 PR.AA-01 IA-5 L4",
    "test-integration": "ASI08 output CM-3(2) SA-11 CA-9 L7",
    "approve-tool": "ASI02 ASI09 agency AC-3 CM-5 L6",
    "sign-off-owner": "ID.RA-07 CM-3 L6",
}


class Quoted(msgspec.Struct, frozen=True):
    """A reference as the field quotes it, and the entries that stand for it here."""

    quoted: str
    problem: str
    stands_for: tuple[str, ...]
    why: str


#: References that are quoted for the security review of model updates, and do not hold as quoted.
QUOTED = (
    Quoted(
        "NIST CSF 2.0 GV.OC-01",
        "exists, but speaks of the organization's mission",
        ("NIST-CSF:2.0:GV.OC-01", "NIST-CSF:2.0:ID.RA-07"),
        "kept where it is expected; the outcome on managing changes is ID.RA-07",
    ),
    Quoted(
        "OWASP Agentic AI Top 10 A2",
        "there is no such id: the list of 2026 counts ASI01 to ASI10",
        ("OWASP-ASI:2026:ASI02", "OWASP-ASI:2026:ASI01"),
        "quoted for refusal behaviour and safe use of tools: tool misuse, and goal hijack",
    ),
    Quoted(
        "CSA MAESTRO M1",
        "there is no such id: the layers are L1 to L7",
        ("CSA-MAESTRO:2025-02:L3", "CSA-MAESTRO:2025-02:L6", "CSA-MAESTRO:2025-02:L7"),
        "quoted for run-time authority and workflow risk, which are in the layers of agent "
        "frameworks, security and compliance, and agent ecosystem; L1 is the model itself",
    ),
)


_PLACES = {one.key: place for place, one in enumerate(REFERENCES)}


def _keys(listed: str) -> tuple[str, ...]:
    keys: set[str] = set()
    for word in listed.split():
        if word in _LLM:
            old, new = _LLM[word]
            keys |= {_key(LLM_2025, old), _key(LLM_2026, new)}
        else:
            keys.add(_key(_framework(word), word))
    return tuple(sorted(keys, key=_PLACES.__getitem__))


def _framework(id_: str) -> Framework:
    for prefix, framework in _PREFIXES:
        if id_.startswith(prefix):
            return framework
    return CSF if "." in id_ else SP800_53


def _key(framework: Framework, id_: str) -> str:
    return reference(f"{framework.code}:{framework.edition}:{id_}").key


_LISTED = {
    **_RULES,
    **{id_: f"{_CHANGE} {listed}" for id_, listed in _TRIGGERS.items()},
    **_DEMANDS,
}


def mapped() -> dict[str, tuple[str, ...]]:
    """Give the keys of entries of every rule, trigger and demand, by its id."""
    return {id_: keys_of(id_) for id_ in _LISTED}


def of(id_: str) -> tuple[StandardRef, ...]:
    """Give the entries that a rule, trigger or demand answers to; none for an id of a stranger."""
    return tuple(reference(key) for key in keys_of(id_))


@cache  # a run tells of few of them
def keys_of(id_: str) -> tuple[str, ...]:
    """Give the keys of these entries, in the order of the table."""
    return _keys(_LISTED.get(id_, ""))
