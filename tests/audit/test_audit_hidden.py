"""What a comparison says of something half hidden, row by row: told once, and taken back once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from modelreach.audit.reached import Reached
from modelreach.report import ChangeRow, DiffReport, Figures, Gate, ReleaseRow, Summary
from modelreach.state import Standing

BUCKET = "arn:aws:s3:::kb"
ITEM = f"read {BUCKET}"


def row(kind: str, action: str, old: str, new: str) -> ChangeRow:
    texts: dict[str, Any] = {
        name: () if str(form).startswith("tuple") else ""
        for name, form in ChangeRow.__annotations__.items()
    }
    own = {
        "kind": kind,
        "resource": BUCKET,
        "resource_name": "kb",
        "capability": "read",
        "actions": (action,),
        "old_verdict": old,
        "new_verdict": new,
        "identity": "arn:aws:iam::1:role/agent",
        "pattern": False,
    }
    return msgspec.convert(texts | own, ChangeRow)


def difference(*rows: ChangeRow) -> DiffReport:
    release = msgspec.convert(
        {
            name: () if name in ("identities", "lines") else ""
            for name in ReleaseRow.__struct_fields__
        },
        ReleaseRow,
    )
    summary = Summary(
        old=Figures(),
        new=Figures(),
        changes={},
        findings={},
        findings_unchanged={},
        findings_gone={},
        matrix=(),
    )
    gate = Gate(verdict="pass", exit_code=0, fail_on="high", fail_on_incomplete=False, reasons=())
    return DiffReport(
        schema="modelreach.diff/2",
        old=release,
        new=release,
        summary=summary,
        changes=rows,
        findings=(),
        gaps=(),
        identities_old=(),
        identities_new=(),
        admin_of_old=(),
        admin_of_new=(),
        credentials=(),
        gate=gate,
    )


HIDDEN = row("unknown", "s3:GetObject", "allow", "unknown")
MORE = row("gained", "s3:GetObjectVersion", "deny", "allow")


class Story:
    """Audits one after the other; each is told what it shows against the first one, `a0`."""

    def __init__(self) -> None:
        self.number = 0
        self.clear = "a0"
        self.standing: dict[str, Standing] = {}

    def audit(self, *rows: ChangeRow, whole: Sequence[str] = ()) -> list[tuple[str, ...]]:
        self.number += 1
        found = Reached(
            f"a{self.number}",
            self.clear,
            lambda audit: difference(*rows) if audit == "a0" else difference(),
            lambda audit: audit in whole,
            self.standing,
        )
        found.run()
        self.clear, self.standing = found.clear, found.standing
        return [(event.kind, *event.actions) for event in found.events]


def test_what_is_half_hidden_is_told_once_and_taken_back_once() -> None:
    story = Story()
    assert story.audit(HIDDEN) == [("unknown", "s3:GetObject")]
    assert story.audit(HIDDEN) == []
    assert story.audit(HIDDEN, MORE) == [("gained", "s3:GetObjectVersion")]
    assert story.audit(HIDDEN, MORE) == []
    assert story.audit(HIDDEN) == [("lost", "s3:GetObjectVersion")]
    assert story.audit(HIDDEN) == []
    assert story.audit(whole=("a0",)) == [("seen-again",)]
    assert (story.standing, story.clear) == ({}, "a7")


def test_in_the_dark_nothing_is_taken_back() -> None:
    taken = row("unknown", "*", "unknown", "unknown")
    taken = msgspec.structs.replace(taken, capability="administer", resource="111111111111")
    story = Story()
    story.audit(HIDDEN, MORE)
    assert story.audit(taken) == [("unknown", "*")]
    assert story.audit(HIDDEN, MORE, taken) == []


def test_what_was_told_meanwhile_is_not_told_again_at_the_end() -> None:
    story = Story()
    story.audit(HIDDEN)
    story.audit(HIDDEN, MORE)
    assert story.audit(MORE, whole=("a0",)) == [("seen-again",)]
    assert (story.standing, story.clear) == ({}, "a3")


def test_what_was_hidden_and_has_gone_is_lost() -> None:
    story = Story()
    story.audit(HIDDEN)
    gone = row("lost", "s3:GetObject", "allow", "deny")
    assert story.audit(gone, whole=("a0",)) == [("lost", "s3:GetObject")]
    assert (story.standing, story.clear) == ({}, "a2")
