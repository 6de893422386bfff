"""MR301: a credential of a reached identity that has lived too long, or need not live at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from modelreach.judge.finding import Case, Finding, day, short
from modelreach.judge.policy import KeyLimits
from modelreach.model import Severity
from modelreach.snapshot import Credential

#: Kinds that work without a person or a session: these are the long-lived ones.
LONG_LIVED = frozenset(
    {
        "access-key",
        "service-specific-credential",
        "signing-certificate",
        "ssh-key",
        "api-key",
        "service-account-key",
        "client-secret",
        "certificate",
        "hmac-key",
    }
)


class LongLivedKey:
    """One finding for each credential, with all that is wrong with it."""

    ID = "MR301"
    TITLE = "long-lived key"

    def judge(self, case: Case) -> Iterator[Finding]:
        """Give findings on keys of reached identities, and on keys that the manifest declares."""
        for name, identity in case.radius.identities.items():
            for credential in case.facts.credentials.get(name, ()):
                if credential.kind not in LONG_LIVED or credential.status == "inactive":
                    continue
                faults = _faults(credential, case.today, case.policy.keys)
                if identity.start and len(case.deployment.spec.identities) > 0:
                    faults += _beside(case, name)
                if faults:
                    yield _finding(credential, faults, case, name)
        yield from _declared(case)


def _faults(key: Credential, today: date | None, limits: KeyLimits) -> list[str]:
    faults: list[str] = []
    created = day(key.created)
    age = (today - created).days if today and created else None
    if age is not None and age > limits.max_age:
        faults.append(f"is {age} days old (limit {limits.max_age})")
    if key.expires == "never":
        faults.append("has no expiry")
    used = day(key.last_used)
    if key.last_used == "never" and age is not None and age > limits.unused_after:
        faults.append(f"was never used in {age} days")
    elif today and used and (today - used).days > limits.unused_after:
        faults.append(f"is unused for {(today - used).days} days")
    return faults


def _beside(case: Case, name: str) -> list[str]:
    """A key of the very identity that the runtime is given by other means."""
    declared = [i for i in case.deployment.spec.identities if i.principal == name]
    if declared and all(i.credential not in (None, "access-key", "api-key") for i in declared):
        return [f"is usable beside the runtime's own {declared[0].credential}"]
    return []


def _finding(key: Credential, faults: list[str], case: Case, principal: str) -> Finding:
    created = day(key.created)
    age = (case.today - created).days if case.today and created else None
    old = age is not None and age > case.policy.keys.max_age
    severe = old or any("beside" in fault for fault in faults)
    return Finding(
        rule=LongLivedKey.ID,
        title=LongLivedKey.TITLE,
        severity=Severity.HIGH if severe else Severity.MEDIUM,
        subject=key.id,
        subject_kind=key.kind,
        identity=principal,
        message=f"{key.kind} `{key.id}` of `{short(principal)}` {', '.join(faults)}",
        fix=f"replace `{key.id}` by short-lived credentials, or rotate it; then delete it",
        key=key.id,
        evidence=tuple(faults),
        path=case.radius.identities[principal].path,
    )


def _declared(case: Case) -> Iterator[Finding]:
    """Keys that only the manifest tells of (an identity of a provider that was not collected)."""
    for identity in case.deployment.spec.identities:
        created = day(identity.key_created or "")
        if created is None or case.today is None or identity.principal in case.facts.credentials:
            continue
        age = (case.today - created).days
        if age <= case.policy.keys.max_age:
            continue
        yield Finding(
            rule=LongLivedKey.ID,
            title=LongLivedKey.TITLE,
            severity=Severity.HIGH if age > 365 else Severity.MEDIUM,
            subject=f"{identity.principal}#{identity.credential or 'key'}",
            subject_kind=identity.credential or "key",
            identity=identity.principal,
            message=(
                f"the {identity.credential or 'key'} that `{identity.id}` runs with is "
                f"{age} days old (limit {case.policy.keys.max_age}), as the manifest declares"
            ),
            fix="use a credential that the platform issues and renews, or rotate the key",
            key=identity.principal,
            evidence=(f"keyCreated: {identity.key_created}",),
        )
