"""PyRIT: a JSON list of `AttackResult`s, as its memory exports them.

https://azure.github.io/PyRIT/: `outcome: success` says that the attack succeeded, so that the
model broke. PyRIT has no labels of its own for what is tested; `labels` are the user's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, Literal

from modelreach.evidence.attempts import Attempt, Evidence, Outcome
from modelreach.evidence.files import ReadOptions, ReportFiles
from modelreach.model import InputError
from modelreach_evidence.reading import (
    GUARDRAILS_LABEL,
    PROMPT_LABEL,
    TARGET_LABELS,
    Row,
    decode,
    digest,
    distinct,
    labelled,
    matches,
    retests,
)
from modelreach_evidence.words import by_words

_WHAT = "a list of PyRIT's attack results"
_NO_CATEGORY = "attacks"


class _Attack(Row, frozen=True):
    attack_result_id: str
    objective: str
    outcome: Literal["success", "failure", "undetermined", "error"]
    timestamp: str = ""
    labels: dict[str, Any] | None = None
    targeted_harm_categories: tuple[str, ...] = ()
    error_type: str | None = None
    atomic_attack_identifier: dict[str, Any] | None = None


class _Shape(Row, frozen=True):
    conversation_id: str
    objective: str
    outcome: str


class Pyrit:
    """Reads PyRIT's attack results."""

    name = "pyrit"

    def recognises(self, report: ReportFiles) -> bool:
        """Is it a list of attack results?"""
        if len(report.files) != 1 or not report.only.lstrip().startswith(b"["):
            return False
        return matches(report.only, tuple[_Shape, ...])

    def read(self, report: ReportFiles, options: ReadOptions) -> tuple[Evidence, ...]:
        """Give the attacks on each target."""
        listed = decode(report.only, tuple[_Attack, ...], place=report.name, what=_WHAT)
        if not listed:
            raise InputError("the list of attack results is empty", place=report.name)
        attacks = {one.attack_result_id: one for one in listed}
        by_target: dict[tuple[str, ...], list[_Attack]] = defaultdict(list)
        for one in attacks.values():
            by_target[_targets(one)].append(one)
        return tuple(
            self._evidence(report, targets, found) for targets, found in sorted(by_target.items())
        )

    def _evidence(
        self, report: ReportFiles, targets: tuple[str, ...], found: list[_Attack]
    ) -> Evidence:
        attempts = _attempts(found)
        return Evidence(
            tool=self.name,
            tool_version=_text(_identifier(found[0]).get("pyrit_version")),
            suite=", ".join(sorted({one.category for one in attempts})),
            source=report.name,
            digest=report.digest,
            targets=targets,
            date=min((one.timestamp for one in found if one.timestamp), default=""),
            pairable=True,
            attempts=attempts,
            retests=retests((one.category for one in attempts), by_words),
            prompts=distinct(
                text for one in found for text in labelled(one.labels, [PROMPT_LABEL])
            ),
            graders=tuple(sorted({(_category(one), _grader(one)) for one in found})),
            guardrails=distinct(
                text for one in found for text in labelled(one.labels, [GUARDRAILS_LABEL])
            ),
        )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _identifier(one: _Attack) -> dict[str, Any]:
    return one.atomic_attack_identifier or {}


def _attack(one: _Attack) -> dict[str, Any]:
    """Give the part of the identifier that is about the attack, whatever wraps it."""
    part = _identifier(one)
    for name in ("attack_technique", "attack"):
        children = part.get("children")
        inner = children.get(name) if isinstance(children, dict) else None
        part = inner if isinstance(inner, dict) else part
    return part


def _targets(one: _Attack) -> tuple[str, ...]:
    children = _attack(one).get("children")
    target = children.get("objective_target") if isinstance(children, dict) else None
    about = target if isinstance(target, dict) else {}
    named = [_text(about.get(key)) for key in ("model_name", "underlying_model_name")]
    return distinct([*labelled(one.labels, TARGET_LABELS), *named])


def _grader(one: _Attack) -> str:
    """Give the scorer's class with the digest of its settings, or the digest alone."""
    children = _attack(one).get("children")
    scorer = children.get("objective_scorer") if isinstance(children, dict) else None
    about = scorer if isinstance(scorer, dict) else {}
    return f"{_text(about.get('class_name'))} {_text(about.get('hash'))[:12]}".strip() or "unnamed"


def _attempts(found: list[_Attack]) -> tuple[Attempt, ...]:
    times: Counter[tuple[str, str]] = Counter()
    attempts: list[Attempt] = []
    for one in found:
        category = _category(one)
        technique = _text(_attack(one).get("class_name"))
        case = f"objective {digest(one.objective, technique)}"
        times[category, case] += 1
        attempts.append(Attempt(case, category, _outcome(one), times[category, case]))
    return tuple(attempts)


def _category(one: _Attack) -> str:
    labels = labelled(one.labels, ["category"])
    return (labels or one.targeted_harm_categories or (_NO_CATEGORY,))[0]


def _outcome(one: _Attack) -> Outcome:
    if one.error_type or one.outcome in ("undetermined", "error"):
        return Outcome.ERROR
    return Outcome.BROKEN if one.outcome == "success" else Outcome.HELD
