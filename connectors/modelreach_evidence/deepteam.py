"""DeepTeam: one JSON document, the saved `RiskAssessment`.

https://www.trydeepteam.com/docs/red-teaming-introduction: a test case scores 1 when the model
held and 0 when it broke. Attacks are made anew for every run, so that two runs share no case;
and nothing in it says which model was attacked, or when.
"""

from __future__ import annotations

from typing import Any

from modelreach.evidence.attempts import Attempt, Evidence, Outcome, Retest
from modelreach.evidence.files import ReadOptions, ReportFiles
from modelreach_evidence.reading import Row, decode, digest, incomplete, matches, retests
from modelreach_evidence.words import by_words

_WHAT = "a risk assessment of DeepTeam"


class _Case(Row, frozen=True):
    vulnerability: str
    vulnerability_type: str | None = None
    attack_method: str | None = None
    input: Any = None
    turns: Any = None
    score: float | None = None
    error: str | None = None


class _Count(Row, frozen=True):
    passing: int
    failing: int
    errored: int = 0


class _Overview(Row, frozen=True):
    vulnerability_type_results: tuple[_Count, ...]


class _Document(Row, frozen=True):
    overview: _Overview
    test_cases: tuple[_Case, ...]


class Deepteam:
    """Reads DeepTeam's risk assessments."""

    name = "deepteam"

    def recognises(self, report: ReportFiles) -> bool:
        """Is it an overview with test cases?"""
        return len(report.files) == 1 and matches(report.only, _Document)

    def read(self, report: ReportFiles, options: ReadOptions) -> tuple[Evidence, ...]:
        """Give all test cases; there is one target, and it has no name."""
        document = decode(report.only, _Document, place=report.name, what=_WHAT)
        counts = document.overview.vulnerability_type_results
        said = sum(one.passing + one.failing + one.errored for one in counts)
        if said != len(document.test_cases):
            raise incomplete(
                f"its overview counts {said} test cases, but it holds {len(document.test_cases)}",
                report.name,
            )
        attempts = tuple(_attempt(case) for case in document.test_cases)
        return (
            Evidence(
                tool=self.name,
                tool_version="",
                suite=", ".join(sorted({one.category for one in attempts})),
                source=report.name,
                digest=report.digest,
                targets=(),
                date="",
                pairable=False,
                attempts=attempts,
                retests=retests((one.category for one in attempts), retest_of),
            ),
        )


def _attempt(case: _Case) -> Attempt:
    told = digest(
        case.vulnerability_type or "", case.attack_method or "", repr(case.input), repr(case.turns)
    )
    return Attempt(f"attack {told}", case.vulnerability, _outcome(case))


def _outcome(case: _Case) -> Outcome:
    if case.error or case.score is None or case.score != case.score:
        return Outcome.ERROR
    return Outcome.HELD if case.score >= 1 else Outcome.BROKEN


_RETESTS = {
    "BFLA": Retest.TOOL_ABUSE,
    "BOLA": Retest.TOOL_ABUSE,
    "Bias": Retest.REFUSAL,
    "Graphic Content": Retest.REFUSAL,
    "Illegal Activity": Retest.REFUSAL,
    "Personal Safety": Retest.REFUSAL,
    "RBAC": Retest.TOOL_ABUSE,
    "SQL Injection": Retest.TOOL_ABUSE,
    "SSRF": Retest.TOOL_ABUSE,
    "Shell Injection": Retest.TOOL_ABUSE,
    "Toxicity": Retest.REFUSAL,
}


def retest_of(category: str) -> Retest:
    """Give what a vulnerability of DeepTeam tests."""
    return _RETESTS.get(category) or by_words(category)
