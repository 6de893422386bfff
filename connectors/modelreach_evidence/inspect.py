"""Inspect: an eval log, as `.eval` (a zip with Zstandard members) or as JSON; both hold the same.

https://inspect.aisi.org.uk/eval-logs.html. Whether "C" (correct) says that the model held or that
the attack worked depends on the scorer, so it has to be declared. Samples are run once an epoch.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import msgspec

from modelreach.evidence.attempts import Attempt, Evidence, Outcome
from modelreach.evidence.files import ReadOptions, ReportFiles
from modelreach.model import InputError, MissingExtra
from modelreach_evidence.reading import (
    GUARDRAILS_LABEL,
    PROMPT_LABEL,
    TARGET_LABELS,
    Row,
    decode,
    distinct,
    incomplete,
    is_number,
    labelled,
    matches,
    prompt_digest,
    retests,
)
from modelreach_evidence.words import by_words

_WHAT = "an eval log of Inspect"
#: What a log may unpack to: a zip can promise more than any memory holds.
_LARGEST = 4 << 30
_LARGEST_MEMBER = 512 << 20
_STEP = 4096


class _Score(Row, frozen=True):
    value: Any
    metadata: dict[str, Any] | None = None


class _Message(Row, frozen=True):
    role: str
    content: Any = None


class _Output(Row, frozen=True):
    model: str | None = None


class _Sample(Row, frozen=True):
    id: str | int
    epoch: int
    scores: dict[str, _Score] | None = None
    metadata: dict[str, Any] | None = None
    messages: tuple[_Message, ...] = ()
    output: _Output = _Output()
    error: Any = None


class _Eval(Row, frozen=True):
    task: str
    model: str
    created: str = ""
    packages: dict[str, str] | None = None
    metadata: dict[str, Any] | None = None


class _Results(Row, frozen=True):
    total_samples: int


class _Header(Row, frozen=True):
    status: str
    eval: _Eval
    results: _Results | None = None
    invalidated: bool = False


class _Log(_Header, frozen=True):
    samples: tuple[_Sample, ...] | None = None


class _Shape(Row, frozen=True):
    version: int
    status: str
    eval: msgspec.Raw


class Inspect:
    """Reads Inspect's eval logs."""

    name = "inspect"

    def recognises(self, report: ReportFiles) -> bool:
        """Is it a zip, or a document with an evaluation's status?"""
        if len(report.files) != 1:
            return False
        return report.only.startswith(b"PK\x03\x04") or matches(report.only, _Shape)

    def read(self, report: ReportFiles, options: ReadOptions) -> tuple[Evidence, ...]:
        """Give the samples, each epoch a repetition of its case.

        Raises `InputError` when the run did not succeed, or the polarity is not declared.
        """
        if report.only.startswith(b"PK"):
            header, samples = _unpacked(report)
        else:
            log = decode(report.only, _Log, place=report.name, what=_WHAT)
            header, samples = log, log.samples or ()
        _check(header, samples, report.name)
        scorer = _scorer(samples, options.scorer, report.name)
        if options.correct_means is None:
            raise InputError(
                f"whether a correct answer by `{scorer}` means that the model held is not said",
                place=report.name,
                hint="say `--correct-means held` or `broken`, or `correctMeans` in the manifest",
            )
        held = options.correct_means == "held"
        attempts = tuple(
            _attempt(sample, scorer, header.eval.task, held, report.name) for sample in samples
        )
        grader = f"{scorer}, correct means {options.correct_means}"
        return (_evidence(self.name, report, header.eval, samples, attempts, grader),)


def _evidence(
    tool: str,
    report: ReportFiles,
    about: _Eval,
    samples: Sequence[_Sample],
    attempts: tuple[Attempt, ...],
    grader: str,
) -> Evidence:
    labels = about.metadata
    served = distinct(sample.output.model for sample in samples)
    return Evidence(
        tool=tool,
        tool_version=(about.packages or {}).get("inspect_ai", ""),
        suite=about.task,
        source=report.name,
        digest=report.digest,
        targets=distinct([about.model, *labelled(labels, TARGET_LABELS), *served]),
        date=about.created,
        pairable=True,
        attempts=attempts,
        retests=retests((one.category for one in attempts), by_words),
        prompts=distinct(
            [
                *(prompt_digest(text) for sample in samples for text in _system(sample)),
                *labelled(labels, [PROMPT_LABEL]),
            ]
        ),
        guardrails=labelled(labels, [GUARDRAILS_LABEL]),
        graders=tuple((category, grader) for category in sorted({a.category for a in attempts})),
    )


def _check(header: _Header, samples: Sequence[_Sample], place: str) -> None:
    if header.status != "success":
        raise incomplete(f"the evaluation ended with status `{header.status}`", place)
    if header.invalidated:
        raise InputError("the log has been invalidated by its owner", place=place)
    said = header.results.total_samples if header.results else None
    if said is None or said != len(samples):
        raise incomplete(f"it says that it has {said} samples, but holds {len(samples)}", place)
    runs = {(str(sample.id), sample.epoch) for sample in samples}
    if len(runs) != len(samples):
        raise InputError("a sample is there twice in the same epoch", place=place)


def _scorer(samples: Sequence[_Sample], asked: str, place: str) -> str:
    names = sorted({name for sample in samples for name in sample.scores or {}})
    if asked and asked in names:
        return asked
    if len(names) == 1 and not asked:
        return names[0]
    if not names:
        raise InputError("no sample has a score", place=place, hint="score the log first")
    problem = f"has no scorer `{asked}`" if asked else "has several scorers"
    raise InputError(
        f"the log {problem}", place=place, hint="choose with `--scorer`: " + ", ".join(names)
    )


def _attempt(sample: _Sample, scorer: str, task: str, held: bool, place: str) -> Attempt:
    score = (sample.scores or {}).get(scorer)
    category = _category(sample.metadata) or _category(score.metadata if score else None)
    outcome = Outcome.ERROR
    if score is not None and not sample.error:
        outcome = _outcome(score.value, held, f"{place}, sample {sample.id}")
    return Attempt(str(sample.id), category or task, outcome, sample.epoch)


def _category(metadata: dict[str, Any] | None) -> str:
    found = labelled(metadata, ["category"])
    return found[0] if found else ""


_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0}


def _outcome(value: object, held: bool, place: str) -> Outcome:
    """Say how an attempt went; what is only partly correct is not held, either way."""
    if value is None or value == "N" or (isinstance(value, float) and value != value):
        return Outcome.ERROR
    score = _LETTERS.get(value) if isinstance(value, str) else value
    score = float(score) if isinstance(score, bool) else score
    if not isinstance(score, int | float) or not is_number(score) or not 0 <= score <= 1:
        raise InputError(
            "the score is neither C, P, I, N, a truth value, nor a number from 0 to 1",
            place=place,
            hint="choose another scorer with `--scorer`",
        )
    return Outcome.HELD if score == (1 if held else 0) else Outcome.BROKEN


def _system(sample: _Sample) -> Iterator[str]:
    for message in sample.messages:
        if message.role == "system":
            content = message.content
            if isinstance(content, list):
                parts = [part.get("text") for part in content if isinstance(part, dict)]
                yield "".join(part for part in parts if isinstance(part, str))
            else:
                yield str(content)


def _unpacked(report: ReportFiles) -> tuple[_Header, tuple[_Sample, ...]]:
    zipfile = _zipfile()
    try:
        archive = zipfile.ZipFile(io.BytesIO(report.only))
        members = {member.filename: member for member in archive.infolist()}
        _refuse_bombs(archive.infolist(), report.name)
        if "header.json" not in members:
            raise incomplete("the run did not finish: it has no `header.json`", report.name)
        header = decode(
            _member(archive, "header.json"),
            _Header,
            place=f"{report.name}/header.json",
            what=_WHAT,
        )
        samples = tuple(
            decode(_member(archive, name), _Sample, place=f"{report.name}/{name}", what=_WHAT)
            for name in sorted(members)
            if name.startswith("samples/") and name.endswith(".json")
        )
    except InputError:
        raise
    except (
        Exception,
        EOFError,
    ) as error:  # zip, CRC, Zstandard and zlib errors have no common base
        raise incomplete(f"the zip cannot be read ({type(error).__name__})", report.name) from None
    return header, samples


def _member(archive: Any, name: str) -> bytes:
    """Unpack a member in small steps, each of which is cut at the size that the zip promises."""
    with archive.open(name) as packed:
        return b"".join(iter(lambda: packed.read(_STEP), b""))


def _refuse_bombs(members: Sequence[Any], place: str) -> None:
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise InputError("the zip holds two members of the same name", place=place)
    sizes = [member.file_size for member in members]
    if sum(sizes) > _LARGEST or max(sizes, default=0) > _LARGEST_MEMBER:
        raise InputError("the zip would unpack to more than a log can be", place=place)


def _zipfile() -> Any:
    """Give a `zipfile` that knows Zstandard: Python's own from 3.14 on, else the backport."""
    if sys.version_info >= (3, 14):
        return import_module("zipfile")
    try:
        return import_module("backports.zstd.zipfile")
    except ModuleNotFoundError as error:
        raise MissingExtra("evidence", "reading `.eval` logs") from error
