"""`modelreach.evidence/1`: evaluation reports of one release or two, compared, as types.

Like `modelreach.report` this is what leaves the program, and all that a renderer is given.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from modelreach.report import Row

Standing = Literal["", "regression", "non-inferior", "not-enough-evidence"]


class EvaluationRow(Row, frozen=True):
    """One report on one target. `side` is old or new.

    `status` is `bound` (it counts, `because` of what agrees; the report does not speak of what is
    `unsaid`), `refused` (for the `reason`, said in `message`), or `unbound` where no manifest was
    given. `cases` are distinct, `errors` are attempts without a result, `dropped` says which rows
    of the report are no attempts.
    """

    side: Literal["old", "new"]
    source: str
    digest: str
    tool: str
    tool_version: str
    suite: str
    targets: tuple[str, ...]
    date: str
    cases: int
    attempts: int
    errors: int
    dropped: tuple[str, ...]
    status: Literal["bound", "refused", "unbound"]
    because: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    reason: str = ""
    message: str = ""


class RateRow(Row, frozen=True):
    """How many cases broke, of those with a result, with Wilson's interval."""

    broken: int
    cases: int
    low: float
    high: float
    errors: int


class CategoryRow(Row, frozen=True):
    """One category of one tool; fields as in `evidence.comparison.CategoryResult`. `verdict` is
    empty where only one release was given."""

    tool: str
    category: str
    retest: str
    paired: bool
    old: RateRow | None
    new: RateRow
    difference: float | None
    low: float | None
    high: float | None
    worst_high: float | None
    p_value: float | None
    p_adjusted: float | None
    verdict: Standing
    newly_broken: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    missing: int = 0
    added: int = 0
    needed: int | None = None
    note: str = ""


class EvidenceReport(Row, frozen=True):
    """Evaluation reports and their comparison. `verdict` is the worst of all categories, empty
    where only one release was given."""

    schema: Literal["modelreach.evidence/1"] = msgspec.field(name="schema")
    now: str
    old_release: str
    new_release: str
    margin: float
    alpha: float
    unit: str
    reports: tuple[EvaluationRow, ...]
    categories: tuple[CategoryRow, ...]
    totals: tuple[CategoryRow, ...]
    verdict: Standing


def encode(report: EvidenceReport) -> bytes:
    """Give the report as JSON: two spaces, keys in the order of the types, newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
