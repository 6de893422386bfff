"""Each reader gives what the toy model did, and what each format's traps would hide."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from modelreach import plugins
from modelreach.evidence import Evidence, Outcome, Retest, compare_evidence
from modelreach.evidence.files import ReadOptions, ReportFiles
from modelreach.model import InputError

Report = Callable[[str, str], ReportFiles]
Read = Callable[..., tuple[Evidence, ...]]
FORMATS = (
    "agentdojo",
    "deepteam",
    "garak",
    "inspect",
    "inspect-json",
    "promptfoo",
    "pyrit",
)
RELEASES = ("1.4.0", "2.0.0")


def _ours(found: tuple[Evidence, ...]) -> Evidence:
    """Give the evidence on the support agent, where a report is on others, too."""
    (ours,) = [one for one in found if "a stranger" not in one.targets]
    return ours


def _rates(evidence: Evidence) -> dict[str, list[int]]:
    """Count cases without the program's own comparison."""
    outcomes: dict[tuple[str, str], set[Outcome]] = {}
    for attempt in evidence.attempts:
        outcomes.setdefault((attempt.category, attempt.case), set()).add(attempt.outcome)
    rates: dict[str, list[int]] = {}
    for (category, _), seen in outcomes.items():
        if seen != {Outcome.ERROR}:
            tally = rates.setdefault(category, [0, 0])
            tally[0] += Outcome.BROKEN in seen
            tally[1] += 1
    return rates


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("form", FORMATS)
def test_a_report_is_read_as_it_happened(
    form: str, release: str, report: Report, read: Read, truth: dict[str, Any]
) -> None:
    evidence = _ours(read(form, report(release, form)))
    assert _rates(evidence) == truth[release][form]
    assert evidence.tool == form.removesuffix("-json")
    assert evidence.digest.startswith("sha256:")
    assert (evidence.date[:4] == "2026") == (form != "deepteam")


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_is_known_by_its_looks_and_by_one_reader_only(form: str, report: Report) -> None:
    given = report("2.0.0", form)
    names = plugins.names(plugins.EVIDENCE)
    known = [name for name in names if plugins.evidence_reader(name).recognises(given)]
    assert known == [form.removesuffix("-json")]


@pytest.mark.parametrize("form", FORMATS)
def test_no_prompt_and_no_answer_is_carried_on(form: str, report: Report, read: Read) -> None:
    given = report("2.0.0", form)
    assert any(b"K-CANARY-1177" in raw for raw in given.files.values()) or form == "inspect"
    assert "CANARY" not in repr(read(form, given))


@pytest.mark.parametrize("form", FORMATS)
def test_the_comparison_counts_what_the_readers_counted(
    form: str, report: Report, read: Read, truth: dict[str, Any]
) -> None:
    old, new = (_ours(read(form, report(release, form))) for release in RELEASES)
    for result in compare_evidence([old], [new]):
        assert [result.old.broken, result.old.cases] == truth["1.4.0"][form][result.category]
        assert [result.new.broken, result.new.cases] == truth["2.0.0"][form][result.category]
        assert result.paired == (form != "deepteam")
        if result.paired:  # the newer toy breaks on all that broke the older one
            assert result.mended == ()
            assert len(result.newly_broken) == result.new.broken - result.old.broken


def test_both_forms_of_an_inspect_log_hold_the_same(report: Report, read: Read) -> None:
    (packed,), (plain,) = (read(f, report("2.0.0", f)) for f in ("inspect", "inspect-json"))
    assert sorted(packed.attempts, key=repr) == sorted(plain.attempts, key=repr)
    assert (packed.targets, packed.prompts) == (plain.targets, plain.prompts)


def test_garak_grades_count_once_and_the_ungraded_is_no_success(
    report: Report, read: Read
) -> None:
    (evidence,) = read("garak", report("1.4.0", "garak"))
    lines = report("1.4.0", "garak").only.splitlines()
    listed = [row for row in map(json.loads, lines) if row["entry_type"] == "attempt"]
    graded = sum(row["status"] == 2 for row in listed)
    assert len(listed) == 2 * graded + 2  # two were answered with nothing, and never graded
    outcomes = Counter(attempt.outcome for attempt in evidence.attempts)
    assert outcomes[Outcome.ERROR] == 2
    assert outcomes[Outcome.BROKEN] + outcomes[Outcome.HELD] == 2 * graded


def test_garak_takes_the_probes_own_detector(report: Report, read: Read) -> None:
    raw = report("1.4.0", "garak").only
    (evidence,) = read("garak", raw.replace(b"primary_detector", b"unknown"))
    assert all(a.outcome in (Outcome.BROKEN, Outcome.ERROR) for a in evidence.attempts)


def test_garak_prompts_repeat_and_are_one_case(report: Report, read: Read) -> None:
    (evidence,) = read("garak", report("1.4.0", "garak"))
    runs = Counter((a.category, a.case, a.repetition) for a in evidence.attempts)
    assert max(runs.values()) == 2
    (result, _) = compare_evidence([evidence], [evidence])
    assert result.new.cases < sum(a.category == result.category for a in evidence.attempts) / 2


def test_promptfoo_tells_an_error_from_a_failure(report: Report, read: Read) -> None:
    evidence = _ours(read("promptfoo", report("2.0.0", "promptfoo")))
    document = json.loads(report("2.0.0", "promptfoo").only)
    rows = [r for r in document["results"]["results"] if r["provider"]["label"] != "a stranger"]
    assert sum(bool(row.get("error")) for row in rows) > 4
    assert sum(a.outcome is Outcome.ERROR for a in evidence.attempts) == 4


def test_promptfoo_keeps_providers_apart(report: Report, read: Read) -> None:
    found = read("promptfoo", report("2.0.0", "promptfoo"))
    assert [one.targets[0] for one in found] == ["a stranger", "support-agent@2.0.0"]
    assert all(a.outcome is Outcome.BROKEN for a in found[0].attempts)


def test_inspect_needs_to_be_told_what_correct_means(report: Report, read: Read) -> None:
    given = report("2.0.0", "inspect")
    with pytest.raises(InputError, match="`refused` means that the model held is not said"):
        read("inspect", given, ReadOptions())
    (held,) = read("inspect", given)
    (broke,) = read("inspect", given, ReadOptions(correct_means="broken"))
    turned = {Outcome.HELD: Outcome.BROKEN, Outcome.BROKEN: Outcome.HELD}
    assert [a.outcome for a in broke.attempts] == [
        turned.get(a.outcome, a.outcome) for a in held.attempts
    ]


@pytest.mark.parametrize(
    ("value", "held", "broken"),
    [
        ("C", Outcome.HELD, Outcome.BROKEN),
        ("I", Outcome.BROKEN, Outcome.HELD),
        ("P", Outcome.BROKEN, Outcome.BROKEN),
        ("N", Outcome.ERROR, Outcome.ERROR),
        (None, Outcome.ERROR, Outcome.ERROR),
        (True, Outcome.HELD, Outcome.BROKEN),
        (0.25, Outcome.BROKEN, Outcome.BROKEN),
        (1, Outcome.HELD, Outcome.BROKEN),
        (float("nan"), Outcome.ERROR, Outcome.ERROR),
    ],
)
def test_what_is_only_partly_correct_is_not_held(
    value: object, held: Outcome, broken: Outcome, report: Report, read: Read
) -> None:
    log = json.loads(report("2.0.0", "inspect-json").only)
    log["samples"] = [log["samples"][2]]
    log["results"]["total_samples"] = 1
    log["samples"][0]["scores"]["refused"]["value"] = value
    raw = json.dumps(log).encode()
    outcomes = [
        read("inspect", raw, ReadOptions(correct_means=means))[0].attempts[0].outcome
        for means in ("held", "broken")
    ]
    assert outcomes == [held, broken]


def test_of_several_scorers_one_is_chosen(report: Report, read: Read) -> None:
    log = json.loads(report("2.0.0", "inspect-json").only)
    for sample in log["samples"]:
        if sample["scores"]:
            sample["scores"]["length"] = {"value": 31}
    raw = json.dumps(log).encode()
    with pytest.raises(InputError, match="several scorers"):
        read("inspect", raw)
    (chosen,) = read("inspect", raw, ReadOptions(correct_means="held", scorer="refused"))
    (plain,) = read("inspect", report("2.0.0", "inspect-json"))
    assert chosen.attempts == plain.attempts
    with pytest.raises(InputError, match="no scorer `tone`"):
        read("inspect", raw, ReadOptions(correct_means="held", scorer="tone"))
    with pytest.raises(InputError, match="neither C, P, I, N"):
        read("inspect", raw, ReadOptions(correct_means="held", scorer="length"))


def test_agentdojo_drops_runs_without_injection_and_says_so(report: Report, read: Read) -> None:
    (evidence,) = read("agentdojo", report("2.0.0", "agentdojo"))
    assert evidence.dropped == (("nothing was injected", 5),)
    assert len(evidence.attempts) == 20


def test_a_pyrit_attack_that_is_listed_twice_counts_once(report: Report, read: Read) -> None:
    (evidence,) = read("pyrit", report("2.0.0", "pyrit"))
    assert len(evidence.attempts) == len(json.loads(report("2.0.0", "pyrit").only)) - 1
    assert max(a.repetition for a in evidence.attempts) == 1


def test_deepteam_reports_share_no_case_and_name_nothing(report: Report, read: Read) -> None:
    old, new = (read("deepteam", report(release, "deepteam"))[0] for release in RELEASES)
    assert not {a.case for a in old.attempts} & {a.case for a in new.attempts}
    assert (new.targets, new.date, new.pairable) == ((), "", False)


@pytest.mark.parametrize(
    ("form", "category", "retest"),
    [
        ("garak", "latentinjection.LatentInjectionReport", Retest.INDIRECT_INJECTION),
        ("garak", "promptinject.HijackHateHumans", Retest.PROMPT_INJECTION),
        ("promptfoo", "overrefusal", Retest.OVER_REFUSAL),
        ("promptfoo", "pii:direct", Retest.DATA_EXFILTRATION),
        ("inspect", "tool_abuse", Retest.TOOL_ABUSE),
        ("pyrit", "data_exfil", Retest.DATA_EXFILTRATION),
        ("agentdojo", "important_instructions", Retest.INDIRECT_INJECTION),
        ("deepteam", "Excessive Agency", Retest.TOOL_ABUSE),
        ("deepteam", "never heard of", Retest.OTHER),
    ],
)
def test_categories_say_what_they_test(
    form: str, category: str, retest: Retest, report: Report, read: Read
) -> None:
    assert _ours(read(form, report("2.0.0", form))).retest_of(category) is retest


@pytest.mark.parametrize(
    ("form", "category", "grader"),
    [
        (
            "garak",
            "promptinject.HijackHateHumans",
            "promptinject.AttackRogueString from 0.5",
        ),
        ("promptfoo", "pii:direct", "not-contains"),
        ("inspect", "jailbreak", "refused, correct means held"),
        ("pyrit", "data_exfil", "SubStringScorer 1f2e3d4c5b6a"),
        ("agentdojo", "important_instructions", "benchmark v1.2.1"),
    ],
)
def test_who_graded_is_kept(
    form: str, category: str, grader: str, report: Report, read: Read
) -> None:
    for release in RELEASES:
        assert dict(_ours(read(form, report(release, form))).graders)[category] == grader


def test_a_strategy_on_harmful_wishes_is_a_jailbreak(report: Report, read: Read) -> None:
    raw = report("2.0.0", "promptfoo").only.replace(b'"pii:direct"', b'"harmful:cybercrime"')
    plain = _ours(read("promptfoo", raw))
    assert plain.retest_of("harmful:cybercrime") is Retest.REFUSAL
    crescendo = _ours(read("promptfoo", raw.replace(b'"basic"', b'"crescendo"')))
    assert crescendo.retest_of("harmful:cybercrime by crescendo") is Retest.JAILBREAK
