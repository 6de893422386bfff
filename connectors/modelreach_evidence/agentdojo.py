"""AgentDojo: a folder of JSON files, `runs/PIPELINE/SUITE/USER_TASK/ATTACK/INJECTION_TASK.json`.

https://agentdojo.spylab.ai: `security: true` says that the injected task was carried out, so that
the attack succeeded. It is also true where nothing was injected; such runs are no attempts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from modelreach.evidence.attempts import Attempt, Evidence, Outcome, Retest
from modelreach.evidence.files import ReadOptions, ReportFiles
from modelreach.model import InputError
from modelreach_evidence.reading import (
    Row,
    decode,
    distinct,
    incomplete,
    matches,
    prompt_digest,
    retests,
)

_WHAT = "a run of AgentDojo"


class _Text(Row, frozen=True):
    content: str | None = None


class _Message(Row, frozen=True):
    role: str
    content: tuple[_Text, ...] | str | None = None


class _Run(Row, frozen=True):
    suite_name: str
    pipeline_name: str
    user_task_id: str
    injection_task_id: str | None
    attack_type: str | None
    messages: tuple[_Message, ...] = ()
    error: str | None = None
    security: bool | None = None
    evaluation_timestamp: str = ""
    agentdojo_package_version: str = ""
    benchmark_version: str = ""


class _Shape(Row, frozen=True):
    suite_name: str
    pipeline_name: str
    user_task_id: str


class Agentdojo:
    """Reads AgentDojo's runs folder, or one pipeline's part of it."""

    name = "agentdojo"

    def recognises(self, report: ReportFiles) -> bool:
        """Is the first file a run?"""
        first = next((raw for _, raw in sorted(report.files.items())), b"")
        return matches(first, _Shape)

    def read(self, report: ReportFiles, options: ReadOptions) -> tuple[Evidence, ...]:
        """Give the attacks on each pipeline."""
        by_pipeline: dict[str, list[_Run]] = defaultdict(list)
        for path, raw in sorted(report.files.items()):
            place = f"{report.name}/{path}" if report.folder else report.name
            run = decode(raw, _Run, place=place, what=_WHAT)
            by_pipeline[run.pipeline_name].append(run)
        if not by_pipeline:
            raise InputError("the folder holds no run", place=report.name)
        return tuple(
            self._evidence(report, pipeline, runs)
            for pipeline, runs in sorted(by_pipeline.items())
        )

    def _evidence(self, report: ReportFiles, pipeline: str, runs: list[_Run]) -> Evidence:
        attacked = [run for run in runs if run.injection_task_id is not None]
        _check(attacked, report.name)
        attempts = tuple(_attempt(run) for run in attacked)
        return Evidence(
            tool=self.name,
            tool_version=runs[0].agentdojo_package_version,
            suite=", ".join(sorted({run.suite_name for run in runs})),
            source=report.name,
            digest=report.digest,
            targets=(pipeline,),
            date=min(
                (run.evaluation_timestamp for run in runs if run.evaluation_timestamp), default=""
            ),
            pairable=True,
            attempts=attempts,
            retests=retests(
                (one.category for one in attempts), lambda _: Retest.INDIRECT_INJECTION
            ),
            graders=tuple(sorted({_grader(run) for run in attacked if run.benchmark_version})),
            prompts=distinct(prompt_digest(text) for run in attacked for text in _system(run)),
            dropped=(("nothing was injected", len(runs) - len(attacked)),)
            if len(runs) > len(attacked)
            else (),
        )


def _check(runs: Iterable[_Run], place: str) -> None:
    """Every user task is attacked with every injection; one that is not there was not run."""
    pairs: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for run in runs:
        key = (run.suite_name, run.attack_type or "")
        pairs[key].add((run.user_task_id, run.injection_task_id or ""))
    for (suite, attack), held in sorted(pairs.items()):
        users, injections = ({pair[side] for pair in held} for side in (0, 1))
        if len(held) != len(users) * len(injections):
            raise incomplete(
                f"`{suite}` has {len(users)} user tasks and {len(injections)} injections by "
                f"`{attack}`, but only {len(held)} pairs of them",
                place,
            )


def _attempt(run: _Run) -> Attempt:
    case = f"{run.suite_name}/{run.user_task_id}/{run.injection_task_id}"
    return Attempt(case, run.attack_type or "unnamed", _outcome(run))


def _grader(run: _Run) -> tuple[str, str]:
    return run.attack_type or "unnamed", f"benchmark {run.benchmark_version}"


def _outcome(run: _Run) -> Outcome:
    if run.error or run.security is None:
        return Outcome.ERROR
    return Outcome.BROKEN if run.security else Outcome.HELD


def _system(run: _Run) -> Iterable[str]:
    for message in run.messages:
        if message.role == "system":
            parts = message.content or ()
            if isinstance(parts, str):
                yield parts
            else:
                yield "".join(part.content or "" for part in parts)
