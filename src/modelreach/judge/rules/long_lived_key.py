"""MR301: a credential that has lived too long, or need not live at all, within the model's reach.

Three kinds are told: keys of identities that are reached; keys that lie beside the deployment (of
a user that is tagged as its own; API keys that call the models of its accounts); and keys of
other services that are stored where it can fetch them. What is not known of one is said to be
unknown, never that it is unused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from modelreach.accesses import Access, best
from modelreach.judge.finding import Case, Finding, day, short
from modelreach.judge.fixes import cut
from modelreach.judge.opened import opens
from modelreach.judge.policy import KeyLimits
from modelreach.judge.resource_keys import keys_of_resources, works
from modelreach.model import Severity
from modelreach.policy.engine import Grant, Pivot
from modelreach.policy.providers import providers
from modelreach.snapshot import Credential, Resource

#: Kinds that work without a person or a session: these are the long-lived ones.
LONG_LIVED = frozenset(
    {
        "access-key",
        "service-specific",
        "signing-certificate",
        "ssh-key",
        "api-key",
        "service-account-key",
        "client-secret",
        "certificate",
        "hmac-key",
    }
)
#: The provider itself found it where anybody can read it.
_EXPOSED = "was found in public"
#: The tag that says to which deployment a user belongs.
DEPLOYMENT_TAG = "modelreach:deployment"


class LongLivedKey:
    """One finding for each credential, with all that is wrong with it."""

    ID = "MR301"
    TITLE = "long-lived key"

    def judge(self, case: Case) -> Iterator[Finding]:
        """Give findings on keys of reached identities, beside them, stored, and declared."""
        told: set[str] = set()
        for name, faults, key in (*_reached(case), *_tagged(case), *_callers(case)):
            if faults and key.id not in told:
                told.add(key.id)
                yield _finding(key, faults, case, name)
        yield from _stored(case)
        yield from _of_resources(case)
        yield from _declared(case)


_Faulty = tuple[str, list[str], Credential]


def _judged(key: Credential) -> bool:
    return key.kind in LONG_LIVED and works(key)


def _reached(case: Case) -> Iterator[_Faulty]:
    """Keys of the identities that are reached."""
    for name, identity in case.radius.identities.items():
        for key in case.facts.credentials.get(name, ()):
            if not _judged(key):
                continue
            faults = _faults(key, case.today, case.policy.keys)
            if identity.start and len(case.deployment.spec.identities) > 0:
                faults += _beside(case, name)
            last = identity.path.pivots[-1] if identity.path.pivots else None
            faults += _kept(last)
            yield name, faults, key


def _kept(pivot: Pivot | None) -> list[str]:
    """A key that a secret holds, as somebody has said."""
    if pivot is None or pivot.kind != "credential" or not pivot.via or pivot.rule:
        return []
    may = "can" if pivot.strength == "certain" else "may be able to"
    return [
        f"lies beside the runtime's role: `{short(pivot.source)}` {may} read `{_last(pivot.via)}`"
    ]


def _last(name: str) -> str:
    return name.rsplit(":", 1)[-1]


def _tagged(case: Case) -> Iterator[_Faulty]:
    """Keys of users that are tagged as the deployment's."""
    for principal in case.facts.tagged(DEPLOYMENT_TAG):
        if principal.tags[DEPLOYMENT_TAG] == case.deployment.metadata.name:
            name = principal.id
            for key in case.facts.credentials.get(name, ()):
                if _judged(key):
                    fault = (
                        f"lies beside the runtime's role: its user is tagged `{DEPLOYMENT_TAG}`"
                    )
                    yield name, [*_faults(key, case.today, case.policy.keys), fault], key


def _keys_in(case: Case, scope: str) -> tuple[Credential, ...]:
    return case.facts.section(scope, "credentials")


def _callers(case: Case) -> Iterator[_Faulty]:
    """API keys that never expire, in the accounts or projects that the deployment runs in: they
    call the same models, past whatever guards the deployment."""
    places = {i.principal.scope for i in case.radius.identities.values() if i.start}
    for key in (key for scope in sorted(places) for key in _keys_in(case, scope)):
        if _caller(key) and key.expires == "never" and works(key):
            faults = _faults(key, case.today, case.policy.keys)
            place = case.engines[key.provider].scope_kind(key.scope)
            yield key.principal, [*faults, f"calls models in the deployment's {place}"], key


def _faults(key: Credential, today: date | None, limits: KeyLimits) -> list[str]:
    faults = [_EXPOSED] if key.attributes.get("exposed") else []
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
    opened = opens(case, key)
    reached = case.radius.identities.get(principal)
    of = f" of `{short(principal)}`" if principal else ""
    return Finding(
        rule=LongLivedKey.ID,
        title=LongLivedKey.TITLE,
        severity=_severity(faults, opened, severe=severe),
        subject=key.id,
        subject_kind=key.kind,
        identity=principal,
        message=f"{_caller(key) or key.kind} `{key.id}`{of} {', '.join(faults)}",
        fix=f"replace `{key.id}` by short-lived credentials, or rotate it; then delete it",
        key=key.id,
        evidence=(*faults, *_life(key, case.today), opened),
        path=reached.path if reached else None,
    )


def _severity(faults: list[str], opened: str, *, severe: bool) -> Severity:
    if _EXPOSED in faults:
        return Severity.CRITICAL
    return Severity.HIGH if severe or "administration" in opened else Severity.MEDIUM


def _caller(key: Credential) -> str:
    provider = providers().get(key.provider)
    return provider.caller(key) if provider else ""


def _life(key: Credential, today: date | None) -> Iterator[str]:
    """Say of a key when it was made, when it ends and when it was used; or that nobody knows."""
    yield _made(key.created, today)
    if rotated := day(key.rotated):
        yield f"rotated {rotated}"
    expires = day(key.expires)
    yield f"expires {expires or 'never'}" if key.expires else "its expiry is not known"
    used = day(key.last_used)
    if key.last_used == "never":
        yield "was never used"
    else:
        yield f"last used {used}" if used else "its last use is not known"


def _made(created: str, today: date | None) -> str:
    made = day(created)
    if made is None:
        return "its age is not known"
    return f"made {made}" + (f", {(today - made).days} days ago" if today else "")


def _of_resources(case: Case) -> Iterator[Finding]:
    """Keys that are a resource's and nobody's, which an identity may list, or which call the
    deployment's own model past its identity."""
    for key, access in keys_of_resources(case):
        faults = _faults(key, case.today, case.policy.keys)
        if not faults and key.created:
            continue
        resource = case.facts.resources[key.principal]
        name = resource.name or short(resource.id)
        if access is not None:
            holder = short(access.grant.principal)
            told = f"{', '.join(faults) or 'is in reach'}: `{holder}` can list it"
        else:
            holder, told = "", f"{', '.join(faults)}, and calls the deployment's own model"
        old = any("days old" in fault for fault in faults)
        yield Finding(
            rule=LongLivedKey.ID,
            title=LongLivedKey.TITLE,
            severity=Severity.HIGH if old else Severity.MEDIUM,
            subject=key.id,
            subject_kind=key.kind,
            identity=access.grant.principal if access else "",
            message=f"{key.kind} `{short(key.id)}` of `{name}` {told}",
            fix=f"turn keys off for `{resource.id}`, or rotate them",
            key=key.id,
            evidence=(
                *faults,
                *_life(key, case.today),
                f"opens all data of `{name}`, past the roles of whoever holds it",
            ),
            access=access,
            granted_by=access.grant.statements if access else (),
        )


def _stored(case: Case) -> Iterator[Finding]:
    """Keys of other services that an identity may fetch from where they are stored.

    Nothing tells what they open there, nor when they expire.
    """
    pieces = (piece for piece in case.radius.accesses.pieces if _fetches(piece.access.grant))
    for access in best(pieces, lambda access: (len(access.path.pivots),)):
        resource = case.facts.resources.get(access.grant.resource)
        if resource is not None:
            yield _stored_finding(case, resource, access)


def _fetches(grant: Grant) -> bool:
    """Is it by this grant that a stored key is fetched?"""
    provider = providers()[grant.provider]
    if grant.kind not in provider.stored:
        return False
    return bool(provider.fetches & {action.lower() for action in grant.actions})


def _stored_finding(case: Case, resource: Resource, access: Access) -> Finding:
    key = _credential_of(case, resource)
    made = day(key.rotated) or day(key.created)
    age = (case.today - made).days if case.today and made else None
    old = age is not None and age > case.policy.keys.max_age
    what = providers()[resource.provider].stored[resource.kind]
    limit = f"is {age} days old (limit {case.policy.keys.max_age})" if old else "is in reach"
    vendor = key.attributes.get("vendor", resource.attributes.get("vendor", ""))
    opened = f"opens what {vendor or 'its service'} gives it, which is not in the snapshot"
    return Finding(
        rule=LongLivedKey.ID,
        title=LongLivedKey.TITLE,
        severity=Severity.HIGH if old else Severity.MEDIUM,
        subject=resource.id,
        subject_kind=resource.kind,
        identity=access.grant.principal,
        message=f"{what} `{resource.name}` of another service {limit}: "
        f"`{short(access.grant.principal)}` can fetch it",
        fix=cut(access),
        key=resource.id,
        evidence=(*_life(key, case.today), opened),
        access=access,
        granted_by=access.grant.statements,
    )


def _credential_of(case: Case, resource: Resource) -> Credential:
    """Give the stored credential: its own fact, with the last use and rotation of its secret."""
    known = next((key for key in _keys_in(case, resource.scope) if key.id == resource.id), None)
    name = str((known or resource).attributes.get("secret", ""))
    secret = case.facts.resources.get(name)
    about = secret.attributes if secret else {}
    return Credential(
        id=resource.id,
        provider=resource.provider,
        kind=resource.kind,
        principal="",
        scope=resource.scope,
        created=known.created if known else resource.created,
        last_used=str(about.get("last_accessed", "")) or (known.last_used if known else ""),
        expires=known.expires if known else "",
        rotated=max(known.rotated if known else "", str(about.get("last_rotated", ""))),
        attributes=dict(known.attributes if known else resource.attributes),
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
