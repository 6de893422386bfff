"""A report counts for the release that it is about, and says why it does not for another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from modelreach import deployment
from modelreach.deployment import Deployment, SystemPrompt
from modelreach.evidence import (
    Attempt,
    Bound,
    Claim,
    Evidence,
    Outcome,
    Refusal,
    Refused,
    bind,
    bind_report,
)
from modelreach.evidence.binding import guardrails_digest
from modelreach.evidence.files import ReportFiles
from modelreach.model import InputError

RELEASES = Path(__file__).resolve().parents[2] / "fixtures" / "evidence"
NOW = "2026-11-24T09:00:00Z"
PROMPT = "You answer for the help desk of Acme Parcels. The code of the safe stays with you."
DIGEST = "sha256:" + "ab" * 32

Report = Callable[[str, str], ReportFiles]
Read = Callable[..., tuple[Evidence, ...]]


def _release(name: str = "v2", **model: Any) -> Deployment:
    path = RELEASES / f"{name}.yaml"
    found = deployment.decode(path.read_bytes(), place=path.name)
    changed = msgspec.structs.replace(found.spec.model, **model)
    return msgspec.structs.replace(found, spec=msgspec.structs.replace(found.spec, model=changed))


def _evidence(*targets: str, date: str = "2026-11-20T00:00:00Z", **fields: Any) -> Evidence:
    return Evidence(
        tool="garak",
        tool_version="1",
        suite="",
        source="run.jsonl",
        digest=DIGEST,
        targets=targets,
        date=date,
        pairable=True,
        attempts=(Attempt("1", "a", Outcome.HELD),),
        **fields,
    )


def _refused(found: Bound | Refused) -> tuple[Refusal, str]:
    assert isinstance(found, Refused), found
    return found.reason, found.message


@pytest.mark.parametrize(
    "target",
    [
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock:converse:anthropic.claude-sonnet-4-5-20250929-v1:0",
        "support-agent@2.0.0",
        "support-agent 2.0.0",
        "support-agent-2.0.0",
    ],
)
def test_a_report_counts_by_any_name_of_the_release(target: str) -> None:
    bound = bind(_evidence("something else", target), _release(), NOW)
    assert isinstance(bound, Bound)
    assert bound.because[0].startswith("target `")


@pytest.mark.parametrize(
    "target",
    [
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "support-agent@1.4.0",
        "support-agent",
        "2.0.0",
        "0",
        "my-anthropic.claude-sonnet-4-5-20250929-v1:0",
        "anthropic.claude-sonnet-4-5-20250929-v1:0-distilled",
    ],
)
def test_a_report_on_another_target_is_refused(target: str) -> None:
    reason, message = _refused(bind(_evidence(target), _release(), NOW))
    assert reason is Refusal.OTHER_TARGET
    assert message == (
        f"the report is about `{target}`, not `anthropic.claude-sonnet-4-5-20250929-v1:0`"
    )


def test_a_claim_names_the_target_and_the_report_has_to_agree() -> None:
    claim = Claim(target="gfun#v2")
    assert isinstance(bind(_evidence("gfun#v2"), _release(), NOW, claim=claim), Bound)
    for target in ("gfun#v1", "support-agent@2.0.0"):
        reason, message = _refused(bind(_evidence(target), _release(), NOW, claim=claim))
        assert (reason, message[-13:]) == (Refusal.OTHER_TARGET, "not `gfun#v2`")


def test_a_report_without_a_name_counts_only_when_somebody_answers_for_the_file() -> None:
    nameless = _evidence(date="")
    assert _refused(bind(nameless, _release(), NOW))[0] is Refusal.UNNAMED_TARGET
    whole = Claim(sha256=DIGEST, attested_by="ines@acme.example", date="2026-11-20")
    bound = bind(nameless, _release(), NOW, claim=whole)
    assert isinstance(bound, Bound)
    assert bound.because[0] == "target attested by ines@acme.example"
    for part in (replace(whole, sha256=""), replace(whole, attested_by="")):
        found = _refused(bind(nameless, _release(), NOW, claim=part))
        assert found[0] is Refusal.UNNAMED_TARGET
    undated = replace(whole, date="")
    assert _refused(bind(nameless, _release(), NOW, claim=undated))[0] is Refusal.UNDATED


def test_nobody_can_answer_for_a_report_that_names_another_target() -> None:
    claim = Claim(sha256=DIGEST, attested_by="ines@acme.example")
    found = _refused(bind(_evidence("support-agent@1.4.0"), _release(), NOW, claim=claim))
    assert found[0] is Refusal.OTHER_TARGET


def test_a_file_with_another_digest_is_refused() -> None:
    mine = _evidence("support-agent@2.0.0")
    for digest in (DIGEST, DIGEST.removeprefix("sha256:").upper()):
        assert isinstance(bind(mine, _release(), NOW, claim=Claim(sha256=digest)), Bound)
    other = Claim(sha256="sha256:" + "cd" * 32)
    reason, message = _refused(bind(mine, _release(), NOW, claim=other))
    assert reason is Refusal.OTHER_FILE
    assert DIGEST in message and other.sha256 in message


def test_another_system_prompt_is_another_release() -> None:
    wanted = hashlib.sha256(PROMPT.encode()).hexdigest()
    release = _release(system_prompt=SystemPrompt(sha256=f"sha256:{wanted}"))
    mine = _evidence("support-agent@2.0.0", prompts=(wanted,))
    bound = bind(mine, release, NOW)
    assert isinstance(bound, Bound)
    assert "system prompt" in bound.because
    for prompts in (("ff" * 32,), (wanted, "ff" * 32)):
        reason, _ = _refused(bind(replace(mine, prompts=prompts), release, NOW))
        assert reason is Refusal.OTHER_PROMPT
    silent = bind(replace(mine, prompts=()), release, NOW)
    assert isinstance(silent, Bound)
    assert silent.unsaid == ("system prompt",)


def test_other_guardrails_are_another_release() -> None:
    plain = _release()
    guarded = msgspec.structs.replace(
        plain, spec=msgspec.structs.replace(plain.spec, guardrails=())
    )
    assert guardrails_digest(plain) == ""
    wanted = guardrails_digest(guarded)
    mine = _evidence("support-agent@2.0.0", guardrails=(wanted,))
    assert isinstance(bind(mine, guarded, NOW), Bound)
    found = _refused(bind(replace(mine, guardrails=("00" * 32,)), guarded, NOW))
    assert found[0] is Refusal.OTHER_GUARDRAILS


@pytest.mark.parametrize(
    ("date", "reason"),
    [
        ("2026-08-26T09:00:01Z", None),
        ("2026-08-26", None),
        ("2026-08-25T00:00:00Z", Refusal.TOO_OLD),
        ("2026-11-24T09:04:00+00:00", None),
        ("2026-11-24T09:06:00+00:00", Refusal.FROM_THE_FUTURE),
        ("2026-11-24T22:00:00", None),  # of a place that is ahead of UTC
        ("2026-11-25T01:00:00", Refusal.FROM_THE_FUTURE),
        ("last week", Refusal.UNDATED),
        ("", Refusal.UNDATED),
    ],
)
def test_the_age_of_a_report(date: str, reason: Refusal | None) -> None:
    found = bind(_evidence("support-agent@2.0.0", date=date), _release(), NOW)
    assert (found.reason if isinstance(found, Refused) else None) is reason


def test_a_run_from_before_the_release_changed_does_not_count() -> None:
    mine = _evidence("support-agent@2.0.0")
    release = _release()
    assert isinstance(bind(mine, release, NOW, changed_at="2026-11-19T00:00:00Z"), Bound)
    found = bind(mine, release, NOW, changed_at="2026-11-21T00:00:00Z")
    reason, message = _refused(found)
    assert reason is Refusal.TOO_OLD
    assert "before the release changed" in message
    old = _evidence("support-agent@2.0.0", date="2020-01-01")
    assert isinstance(bind(old, release, NOW, max_age_days=None), Bound)


def test_the_manifest_may_say_when_the_release_changed() -> None:
    plain = _release()
    changed = msgspec.structs.replace(plain.metadata, changed="2026-11-21")
    release = msgspec.structs.replace(plain, metadata=changed)
    mine = _evidence("support-agent@2.0.0")
    assert _refused(bind(mine, release, NOW))[0] is Refusal.TOO_OLD
    assert isinstance(bind(mine, release, NOW, changed_at="2026-11-19"), Bound)


def _two(
    old: dict[str, Any] | None = None, new: dict[str, Any] | None = None
) -> tuple[Deployment, Deployment]:
    """Two releases of one model, which differ in what is given of their metadata."""
    plain = _release()
    first, second = (
        msgspec.structs.replace(
            plain,
            metadata=msgspec.structs.replace(plain.metadata, version=version, **(more or {})),
        )
        for version, more in (("1", old), ("2", new))
    )
    return first, second


MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"


def test_a_report_that_could_be_about_either_release_counts_for_neither() -> None:
    """Only the prompt has changed, and the report names the model alone."""
    first, second = _two()
    mine = _evidence(MODEL)
    assert isinstance(bind(mine, second, NOW), Bound)
    reason, message = _refused(bind(mine, second, NOW, before=first))
    assert reason is Refusal.EITHER_RELEASE
    assert "tells support-agent 2 from support-agent 1" in message
    assert _refused(bind(mine, first, NOW, after=second))[0] is Refusal.EITHER_RELEASE
    assert isinstance(bind(mine, second, NOW, before=second), Bound)  # nothing to be told from


def test_a_name_with_the_version_tells_releases_apart() -> None:
    first, second = _two()
    newer, older = _evidence(MODEL, "support-agent@2"), _evidence(MODEL, "support-agent@1")
    assert isinstance(bind(newer, second, NOW, before=first), Bound)
    assert isinstance(bind(older, first, NOW, after=second), Bound)


def test_a_system_prompt_or_guardrails_tell_releases_apart() -> None:
    digests = ("aa" * 32, "bb" * 32)
    first, second = (_release(system_prompt=SystemPrompt(sha256=digest)) for digest in digests)
    silent, telling = _evidence(MODEL), _evidence(MODEL, prompts=(digests[1],))
    assert isinstance(bind(telling, second, NOW, before=first), Bound)
    assert _refused(bind(silent, second, NOW, before=first))[0] is Refusal.EITHER_RELEASE
    same = _release(system_prompt=SystemPrompt(sha256=digests[1]))
    third = msgspec.structs.replace(same, spec=msgspec.structs.replace(same.spec, guardrails=()))
    assert _refused(bind(telling, third, NOW, before=second))[0] is Refusal.EITHER_RELEASE
    guarded = replace(telling, guardrails=(guardrails_digest(third),))
    assert isinstance(bind(guarded, third, NOW, before=second), Bound)


@pytest.mark.parametrize(
    ("old", "new", "for_old", "for_new"),
    [
        ({}, {"changed": "2026-11-19"}, False, True),
        ({"changed": "2026-11-01"}, {"changed": "2026-11-21"}, True, False),
        ({"changed": "2026-11-01"}, {}, False, False),
    ],
)
def test_the_day_of_the_change_tells_releases_apart(
    old: dict[str, Any], new: dict[str, Any], for_old: bool, for_new: bool
) -> None:
    first, second = _two(old, new)
    mine = _evidence(MODEL)
    assert isinstance(bind(mine, first, NOW, after=second), Bound) is for_old
    assert isinstance(bind(mine, second, NOW, before=first), Bound) is for_new


def test_a_name_that_both_manifests_claim_tells_nothing() -> None:
    first, second = _two()
    claim = Claim(target="gateway")
    mine = _evidence("gateway")
    assert isinstance(bind(mine, second, NOW, claim=claim, before=first), Bound)
    entry = deployment.Report(kind="garak", path="x", target="gateway")
    claiming = msgspec.structs.replace(
        first, spec=msgspec.structs.replace(first.spec, evidence=(entry,))
    )
    found = bind(mine, second, NOW, claim=claim, before=claiming)
    assert _refused(found)[0] is Refusal.EITHER_RELEASE
    word = replace(claim, sha256=DIGEST, attested_by="ines@acme.example")
    assert isinstance(bind(mine, second, NOW, claim=word, before=claiming), Bound)


def test_a_time_that_is_none_is_a_wrong_call() -> None:
    for now, changed in (("yesterday", ""), (NOW, "yesterday")):
        with pytest.raises(InputError, match="`yesterday` is no time"):
            bind(_evidence("support-agent@2.0.0"), _release(), now, changed_at=changed)


def test_a_report_without_attempts_is_none() -> None:
    empty = replace(_evidence("support-agent@2.0.0"), attempts=())
    assert _refused(bind(empty, _release(), NOW))[0] is Refusal.EMPTY


@pytest.mark.parametrize("form", ["garak", "promptfoo", "inspect", "pyrit", "agentdojo"])
def test_reports_of_both_releases_bind_to_their_own_only(
    form: str, report: Report, read: Read
) -> None:
    """Also where a report holds another provider beside the release."""
    for mine, other, release in (("1.4.0", "2.0.0", "v1"), ("2.0.0", "1.4.0", "v2")):
        (bound,) = bind_report(read(form, report(mine, form)), _release(release), NOW)
        assert isinstance(bound, Bound)
        refused = bind_report(read(form, report(other, form)), _release(release), NOW)
        assert {_refused(one)[0] for one in refused} == {Refusal.OTHER_TARGET}


def test_what_categories_test_can_be_said(report: Report, read: Read) -> None:
    (evidence,) = read("pyrit", report("2.0.0", "pyrit"))
    said = evidence.retested({"data_exfil": "prompt-leak"})
    assert said.retest_of("data_exfil") == "prompt-leak"
    assert said.retest_of("prompt_injection") == "prompt-injection"
    with pytest.raises(InputError, match="no category `data_exfi`"):
        evidence.retested({"data_exfi": "prompt-leak"})
    with pytest.raises(InputError, match="`leaks` is nothing that is tested"):
        evidence.retested({"data_exfil": "leaks"})
