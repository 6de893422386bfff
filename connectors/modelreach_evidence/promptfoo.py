"""promptfoo: one JSON document, `promptfoo eval -o results.json`.

https://www.promptfoo.dev/docs/configuration/outputs/: a test passes when the model held. `error`
is filled for failed assertions, too; `failureReason` tells 0 none, 1 an assertion, 2 an error. A
document may hold several providers and prompts; each pair of them is a target of its own.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from modelreach.evidence.attempts import Attempt, Evidence, Outcome, Retest
from modelreach.evidence.files import ReadOptions, ReportFiles
from modelreach_evidence.reading import (
    GUARDRAILS_LABEL,
    PROMPT_LABEL,
    TARGET_LABELS,
    Row,
    decode,
    digest,
    distinct,
    incomplete,
    labelled,
    matches,
    prompt_digest,
    retests,
)

_WHAT = "a promptfoo result"
_NO_PLUGIN = "tests"


class _Provider(Row, frozen=True):
    id: str = ""
    label: str | None = None


class _Prompt(Row, frozen=True):
    raw: str = ""


class _Assertion(Row, frozen=True):
    type: str = ""


class _Case(Row, frozen=True, rename={"assertions": "assert"}):
    description: str | None = None
    vars: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    assertions: tuple[_Assertion, ...] | None = None


class _Result(Row, frozen=True, rename="camel"):
    success: bool
    provider: _Provider
    failure_reason: int | None = None
    error: str | None = None
    prompt_idx: int = 0
    prompt: _Prompt = _Prompt()
    vars: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    test_case: _Case = _Case()


class _Stats(Row, frozen=True):
    successes: int
    failures: int
    errors: int = 0


class _Results(Row, frozen=True):
    results: tuple[_Result, ...]
    version: int
    stats: _Stats | None = None
    timestamp: str = ""
    prompts: tuple[_Prompt, ...] = ()


class _Config(Row, frozen=True):
    description: str | None = None
    tags: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


class _About(Row, frozen=True, rename="camel"):
    promptfoo_version: str = ""


class _Runtime(Row, frozen=True):
    repeat: int = 1


class _Document(Row, frozen=True, rename="camel"):
    results: _Results
    config: _Config = _Config()
    metadata: _About = _About()
    runtime_options: _Runtime = _Runtime()


class _Inner(Row, frozen=True):
    results: msgspec.Raw
    version: int


class _Shape(Row, frozen=True, rename="camel"):
    eval_id: str | None
    results: _Inner


_Target = tuple[str, str, int]


class Promptfoo:
    """Reads promptfoo's JSON output."""

    name = "promptfoo"

    def recognises(self, report: ReportFiles) -> bool:
        """Is it one document with an evaluation's id and results?"""
        return len(report.files) == 1 and matches(report.only, _Shape)

    def read(self, report: ReportFiles, options: ReadOptions) -> tuple[Evidence, ...]:
        """Give the results of each target."""
        document = decode(report.only, _Document, place=report.name, what=_WHAT)
        _check(document.results, report.name)
        by_target: dict[_Target, list[_Result]] = defaultdict(list)
        for one in document.results.results:
            target = (one.provider.label or "", one.provider.id, one.prompt_idx)
            by_target[target].append(one)
        return tuple(
            self._evidence(report, document, target, found)
            for target, found in sorted(by_target.items())
        )

    def _evidence(
        self, report: ReportFiles, document: _Document, target: _Target, found: list[_Result]
    ) -> Evidence:
        attempts = _attempts(found, document.runtime_options.repeat)
        labels = {**(document.config.tags or {}), **(document.config.metadata or {})}
        return Evidence(
            tool=self.name,
            tool_version=document.metadata.promptfoo_version,
            suite=document.config.description or "",
            source=report.name,
            digest=report.digest,
            targets=distinct([*target[:2], *labelled(labels, TARGET_LABELS)]),
            date=document.results.timestamp,
            pairable=True,
            attempts=attempts,
            retests=retests((one.category for one in attempts), retest_of),
            prompts=distinct([*_system(found), *labelled(labels, [PROMPT_LABEL])]),
            guardrails=labelled(labels, [GUARDRAILS_LABEL]),
            graders=tuple(sorted({(_category(one), _grader(one)) for one in found})),
        )


def _check(results: _Results, place: str) -> None:
    if results.stats is None:
        return
    said = results.stats.successes + results.stats.failures + results.stats.errors
    if said != len(results.results):
        raise incomplete(f"it says that {said} tests ran, but holds {len(results.results)}", place)


def _attempts(found: Sequence[_Result], repeat: int) -> tuple[Attempt, ...]:
    times: Counter[tuple[str, str]] = Counter()
    attempts: list[Attempt] = []
    for one in found:
        category, case = _category(one), _case(one)
        times[category, case] += 1
        repetition = times[category, case] if repeat > 1 else 1
        attempts.append(Attempt(case, category, _outcome(one), repetition))
    return tuple(attempts)


def _outcome(one: _Result) -> Outcome:
    if one.failure_reason == 2:
        return Outcome.ERROR
    if one.success:
        return Outcome.HELD
    if one.failure_reason is None and one.error:
        return Outcome.ERROR  # older versions, which do not tell an error from a failure
    return Outcome.BROKEN


def _grader(one: _Result) -> str:
    kinds = sorted({assertion.type for assertion in one.test_case.assertions or ()})
    return " and ".join(kinds) or "no assertion"


def _about(one: _Result, key: str) -> str:
    for metadata in (one.metadata, one.test_case.metadata):
        if metadata and isinstance(metadata.get(key), str):
            return str(metadata[key])
    return ""


def _category(one: _Result) -> str:
    plugin, strategy = _about(one, "pluginId"), _about(one, "strategyId")
    if strategy in ("", "basic"):
        return plugin or _NO_PLUGIN
    return f"{plugin or _NO_PLUGIN} by {strategy}"


def _case(one: _Result) -> str:
    given = one.vars if one.vars is not None else one.test_case.vars
    return f"test {digest(json.dumps(given, sort_keys=True))}"


def _system(found: Iterable[_Result]) -> list[str]:
    """Give the digests of the system messages of prompts that are written as a chat."""
    texts: dict[str, None] = {}
    for one in found:
        if one.prompt.raw.lstrip().startswith("["):
            try:
                turns = json.loads(one.prompt.raw)
            except (ValueError, RecursionError):
                continue
            for turn in turns:
                if isinstance(turn, dict) and turn.get("role") == "system":
                    texts[str(turn.get("content"))] = None
    return [prompt_digest(text) for text in texts]


#: Plug-in, or its name before `:` -> what it tests.
_RETESTS = {
    "agentic": Retest.TOOL_ABUSE,
    "ascii-smuggling": Retest.PROMPT_INJECTION,
    "beavertails": Retest.REFUSAL,
    "bfla": Retest.TOOL_ABUSE,
    "bola": Retest.TOOL_ABUSE,
    "cross-session-leak": Retest.DATA_EXFILTRATION,
    "cyberseceval": Retest.PROMPT_INJECTION,
    "data-exfil": Retest.DATA_EXFILTRATION,
    "debug-access": Retest.TOOL_ABUSE,
    "donotanswer": Retest.REFUSAL,
    "excessive-agency": Retest.TOOL_ABUSE,
    "goal-misalignment": Retest.TOOL_ABUSE,
    "harmbench": Retest.REFUSAL,
    "harmful:privacy": Retest.DATA_EXFILTRATION,
    "harmful": Retest.REFUSAL,
    "hijacking": Retest.PROMPT_INJECTION,
    "indirect-prompt-injection": Retest.INDIRECT_INJECTION,
    "jailbreak": Retest.JAILBREAK,
    "mcp": Retest.TOOL_ABUSE,
    "memory-poisoning": Retest.INDIRECT_INJECTION,
    "over-refusal": Retest.OVER_REFUSAL,
    "overrefusal": Retest.OVER_REFUSAL,
    "pii": Retest.DATA_EXFILTRATION,
    "pliny": Retest.JAILBREAK,
    "prompt-extraction": Retest.PROMPT_LEAK,
    "prompt-injection": Retest.PROMPT_INJECTION,
    "rag-document-exfiltration": Retest.DATA_EXFILTRATION,
    "rag-poisoning": Retest.INDIRECT_INJECTION,
    "rbac": Retest.TOOL_ABUSE,
    "shell-injection": Retest.TOOL_ABUSE,
    "sql-injection": Retest.TOOL_ABUSE,
    "ssrf": Retest.TOOL_ABUSE,
    "system-prompt-override": Retest.PROMPT_INJECTION,
    "tool-discovery": Retest.TOOL_ABUSE,
    "toxic-chat": Retest.REFUSAL,
    "unsafebench": Retest.REFUSAL,
    "xstest": Retest.OVER_REFUSAL,
}


def retest_of(category: str) -> Retest:
    """Give what a category tests; a strategy on harmful wishes makes them jailbreaks."""
    plugin, _, strategy = category.partition(" by ")
    found = _RETESTS.get(plugin) or _RETESTS.get(plugin.partition(":")[0], Retest.OTHER)
    return Retest.JAILBREAK if strategy and found is Retest.REFUSAL else found
