"""Whether a report is about this release: a report on another target does not count.

What a report does not say is not taken as agreement. Only a claim in the manifest, with the name
of who makes it and the digest of the file, can stand in for the name of the target.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from modelreach.deployment import Deployment, Report
from modelreach.evidence.attempts import Evidence
from modelreach.model import InputError

#: How far a clock may be ahead; a time without a zone may be of any zone.
_AHEAD = timedelta(minutes=5)
_ZONES = timedelta(hours=14)


class Refusal(StrEnum):
    """Why a report is not evidence for a release."""

    EMPTY = "empty"
    UNNAMED_TARGET = "unnamed-target"
    OTHER_TARGET = "other-target"
    OTHER_PROMPT = "other-prompt"
    OTHER_GUARDRAILS = "other-guardrails"
    OTHER_FILE = "other-file"
    EITHER_RELEASE = "either-release"
    UNDATED = "undated"
    TOO_OLD = "too-old"
    FROM_THE_FUTURE = "from-the-future"


class Claim(msgspec.Struct, frozen=True):
    """What the manifest's entry says about a report, or a person on the command line.

    `target` is what the report calls the release where it does not use the model's id or the
    release's name; the report has to use it, too. `sha256` is the digest that the file has to
    have. `attested_by` is who says that a report which names no target, or no date, is on this
    release; it counts only with `sha256`. `date` is the day of such a run.
    """

    target: str = ""
    sha256: str = ""
    attested_by: str = ""
    date: str = ""


class Bound(msgspec.Struct, frozen=True):
    """Evidence that counts for a release. `because` says what agrees, in words; `unsaid` what
    the report does not say although the manifest does, such as `system prompt`."""

    evidence: Evidence
    because: tuple[str, ...]
    unsaid: tuple[str, ...] = ()


class Refused(msgspec.Struct, frozen=True):
    """Evidence that does not count for a release: a reason, and the same in words."""

    evidence: Evidence
    reason: Refusal
    message: str


_NO_CLAIM = Claim()


def bind(
    evidence: Evidence,
    deployment: Deployment,
    now: str,
    *,
    claim: Claim = _NO_CLAIM,
    changed_at: str = "",
    max_age_days: int | None = 90,
    before: Deployment | None = None,
    after: Deployment | None = None,
) -> Bound | Refused:
    """Say whether a report is evidence for a release, and why.

    `now` is RFC 3339; a report older than `max_age_days` is refused (None: of any age, for the
    old release), and so is one from before `changed_at`, when the release last changed; the
    manifest's own `changed` unless it is given. `before` is the release that it follows, and
    `after` the one that follows it: a report that could as well be about that one is refused.
    """
    because: list[str] = []
    unsaid: list[str] = []
    since = changed_at or deployment.metadata.changed or ""
    checks = (
        _file(evidence, claim),
        _target(evidence, deployment, claim, because),
        _prompt(evidence, deployment, because, unsaid),
        _guardrails(evidence, deployment, because, unsaid),
        _date(evidence, claim, now, since, max_age_days, because),
        _either(evidence, claim, deployment, since, before, after),
    )
    for refused in checks:
        if refused is not None:
            return Refused(evidence, *refused)
    return Bound(evidence, tuple(because), tuple(unsaid))


def bind_report(
    found: Sequence[Evidence],
    deployment: Deployment,
    now: str,
    *,
    claim: Claim = _NO_CLAIM,
    changed_at: str = "",
    max_age_days: int | None = 90,
    before: Deployment | None = None,
    after: Deployment | None = None,
) -> tuple[Bound | Refused, ...]:
    """Bind all that one report holds: what counts or, where nothing does, why not.

    A report on several targets is evidence when one of them is the release; the others are then
    nobody's concern.
    """
    judged = [
        bind(
            one,
            deployment,
            now,
            claim=claim,
            changed_at=changed_at,
            max_age_days=max_age_days,
            before=before,
            after=after,
        )
        for one in found
    ]
    return tuple(one for one in judged if isinstance(one, Bound)) or tuple(judged)


def claim_of(entry: Report) -> Claim:
    """Give what the manifest's entry says about a report."""
    return Claim(
        target=entry.target or "",
        sha256=entry.sha256 or "",
        attested_by=entry.attested_by or "",
        date=entry.date or "",
    )


def names_of(deployment: Deployment) -> tuple[str, ...]:
    """Give the names by which a report may call a release: the model's id or digest, and the
    deployment's name with the version."""
    model, release = deployment.spec.model, deployment.metadata
    names = [model.id, model.digest or ""]
    names += [f"{release.name}{mark}{release.version}" for mark in ("@", ":", "-", "/", " ")]
    return tuple(name for name in names if name)


def guardrails_digest(deployment: Deployment) -> str:
    """Give the SHA-256 (hex) of the manifest's guardrails as canonical JSON; empty when it
    declares none. A report says it in its labels as `guardrails_sha256`."""
    if deployment.spec.guardrails is None:
        return ""
    raw = msgspec.json.encode(deployment.spec.guardrails, order="sorted")
    return hashlib.sha256(raw).hexdigest()


_Why = tuple[Refusal, str]


def _file(evidence: Evidence, claim: Claim) -> _Why | None:
    if not evidence.attempts:
        return Refusal.EMPTY, "the report holds no graded attempt"
    if claim.sha256 and _hex(claim.sha256) != _hex(evidence.digest):
        return (
            Refusal.OTHER_FILE,
            f"the file has {evidence.digest}, the manifest names sha256:{_hex(claim.sha256)}",
        )
    return None


def _attested(claim: Claim) -> bool:
    return bool(claim.attested_by and claim.sha256)


def _target(
    evidence: Evidence, deployment: Deployment, claim: Claim, because: list[str]
) -> _Why | None:
    said = set(evidence.targets)
    if not said:
        if _attested(claim):
            because.append(f"target attested by {claim.attested_by}")
            return None
        return Refusal.UNNAMED_TARGET, "the report does not say what it tested"
    known = (claim.target,) if claim.target else names_of(deployment)
    found = next((name for name in known if any(_is_called(one, name) for one in said)), None)
    if found is None:
        wanted = claim.target or deployment.spec.model.id
        shown = ", ".join(f"`{name}`" for name in sorted(said)[:3])
        return Refusal.OTHER_TARGET, f"the report is about {shown}, not `{wanted}`"
    because.append(f"target `{found}`")
    return None


def _is_called(said: str, name: str) -> bool:
    """Is it the name, alone or after the way to it, as in `bedrock/NAME` or `openai:chat:NAME`?"""
    return said == name or said.endswith((f"/{name}", f":{name}"))


def _prompt(
    evidence: Evidence, deployment: Deployment, because: list[str], unsaid: list[str]
) -> _Why | None:
    wanted = _prompt_of(deployment)
    return _digest(
        wanted, evidence.prompts, "system prompt", Refusal.OTHER_PROMPT, because, unsaid
    )


def _prompt_of(deployment: Deployment) -> str:
    prompt = deployment.spec.model.system_prompt
    return _hex(prompt.sha256) if prompt and prompt.sha256 else ""


def _guardrails(
    evidence: Evidence, deployment: Deployment, because: list[str], unsaid: list[str]
) -> _Why | None:
    wanted = guardrails_digest(deployment)
    return _digest(
        wanted, evidence.guardrails, "guardrails", Refusal.OTHER_GUARDRAILS, because, unsaid
    )


def _digest(
    wanted: str,
    said: tuple[str, ...],
    what: str,
    refusal: Refusal,
    because: list[str],
    unsaid: list[str],
) -> _Why | None:
    if not wanted:
        return None
    if not said:
        unsaid.append(what)
        return None
    if other := next((one for one in said if _hex(one) != wanted), None):
        return refusal, f"the run had {what} sha256:{_hex(other)}, the release has sha256:{wanted}"
    because.append(what)
    return None


def _date(
    evidence: Evidence,
    claim: Claim,
    now: str,
    changed_at: str,
    max_age_days: int | None,
    because: list[str],
) -> _Why | None:
    said = evidence.date or (claim.date if _attested(claim) else "")
    run, zoned = _time(said)
    if run is None:
        return Refusal.UNDATED, "the report does not say when it was made"
    slack = _AHEAD if zoned else _ZONES
    today = _moment(now, "now")
    changed = _moment(changed_at, "the time of the change") if changed_at else None
    if run > today + slack:
        return Refusal.FROM_THE_FUTURE, f"the run of {said} lies after now, {now}"
    if changed is not None and run < changed - slack:
        return (
            Refusal.TOO_OLD,
            f"the run of {said} is from before the release changed, {changed_at}",
        )
    if max_age_days is not None:
        age = today - run
        if age > timedelta(days=max_age_days) + slack:
            return (
                Refusal.TOO_OLD,
                f"the run of {said} is {age.days} days old, more than {max_age_days}",
            )
    because.append(f"run of {said[:10]}")
    return None


def _either(
    evidence: Evidence,
    claim: Claim,
    deployment: Deployment,
    since: str,
    before: Deployment | None,
    after: Deployment | None,
) -> _Why | None:
    """Refuse a report in which nothing tells the release from the one that it is compared with."""
    run, came = _time(evidence.date)[0], _time(since)[0]
    went = _time(after.metadata.changed or "")[0] if after else None
    for other, dated in (
        (before, run is not None and came is not None and run >= came),
        (after, run is not None and went is not None and run < went),
    ):
        if other is None or other == deployment or dated or _attested(claim):
            continue
        if _told(evidence, claim, deployment, other):
            continue
        names = [f"{one.metadata.name} {one.metadata.version}" for one in (deployment, other)]
        return (
            Refusal.EITHER_RELEASE,
            f"nothing in the report tells {names[0]} from {names[1]}: have it name the release as "
            "`name@version`, or its system prompt, or write `changed` in the manifest",
        )
    return None


def _told(evidence: Evidence, claim: Claim, deployment: Deployment, other: Deployment) -> bool:
    """Does the report say something that is true of the release and not of the other one?"""
    claimed = {entry.target for entry in other.spec.evidence or () if entry.target}
    own = {*names_of(deployment), *filter(None, [claim.target])} - {*names_of(other), *claimed}
    if any(_is_called(said, name) for said in evidence.targets for name in own):
        return True
    prompt, guardrails = _prompt_of(deployment), guardrails_digest(deployment)
    return bool(  # what a report says of either has been found to agree
        (evidence.prompts and prompt and prompt != _prompt_of(other))
        or (evidence.guardrails and guardrails and guardrails != guardrails_digest(other))
    )


def _moment(text: str, what: str) -> datetime:
    found = _time(text)[0]
    if found is None:
        raise InputError(f"`{text}` is no time", place=what, hint="write 2026-11-24T09:00:00Z")
    return found


def _time(text: str) -> tuple[datetime | None, bool]:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None, False
    if found.tzinfo is None:
        return found.replace(tzinfo=UTC), False
    return found, True


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:").lower()
