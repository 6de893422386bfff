"""Credentials: keys of service accounts, API keys, HMAC keys, and when they were last used.

https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Credential, Usage
from modelreach_gcp.estate import Estate
from modelreach_gcp.names import account, full_name
from modelreach_gcp.parse.facts import PROVIDER, Facts, moment
from modelreach_gcp.parse.things import Thing, Things
from modelreach_gcp.select import at, listed, text

#: What "does not expire" looks like.
_NEVER: Final = "9999-"
_ACCOUNTS: Final = ("policyanalyzer.v1", "serviceAccountLastAuthentication")
_KEYS: Final = ("policyanalyzer.v1", "serviceAccountKeyLastAuthentication")
_CALLERS: Final = ("browser", "server", "android", "ios")


def parse_credentials(estate: Estate, things: Things, facts: Facts) -> None:
    """Give credentials with their last use, and when accounts were last used."""
    used = dict(_used(estate, things))
    for thing in things.of("iam.googleapis.com/ServiceAccountKey"):
        if thing.get("keyType") in (None, "USER_MANAGED") and thing.data:
            facts.credentials.append(_key(thing, things, used))
    for thing in things.of("apikeys.googleapis.com/Key"):
        if not thing.get("deleteTime"):
            facts.credentials.append(_api_key(thing))
    for thing in things.of("storage.googleapis.com/HmacKey"):
        facts.credentials.append(_hmac(thing))
    facts.usage.extend(_usage(estate, things))


def _key(thing: Thing, things: Things, used: dict[str, str]) -> Credential:
    name = things.account_name(thing.name)
    expires = thing.text("validBeforeTime")
    statuses = {text(one.get("key")) for one in thing.items("extendedStatus")}
    statuses.add(thing.text("disableReason").removeprefix("SERVICE_ACCOUNT_KEY_DISABLE_REASON_"))
    exposed = any("EXPOSED" in status for status in statuses)
    return Credential(
        id=name,
        provider=PROVIDER,
        kind="service-account-key",
        principal=account(name.rpartition("/keys/")[0].rpartition("/")[2]),
        scope=thing.scope,
        status="disabled" if thing.get("disabled") else "active",
        created=moment(thing.get("validAfterTime")),
        last_used=used.get(name, ""),
        expires="never" if expires.startswith(_NEVER) else moment(expires),
        attributes=attributes(
            origin=thing.text("keyOrigin"),
            disable_reason=thing.text("disableReason"),
            exposed=True if exposed else None,
        ),
    )


def _api_key(thing: Thing) -> Credential:
    targets = [
        f"{text(one.get('service'))}:{method}" if method else text(one.get("service"))
        for one in thing.items("restrictions.apiTargets")
        for method in one.get("methods") or ("",)
    ]
    caller = next(
        (name for name in _CALLERS if thing.get(f"restrictions.{name}KeyRestrictions")), ""
    )
    return Credential(
        id=thing.name,
        provider=PROVIDER,
        kind="api-key",
        principal=account(thing.text("serviceAccountEmail")),
        scope=thing.scope,
        status="active",
        created=moment(thing.get("createTime")),
        expires="never",
        attributes=attributes(
            restricted=bool(targets),
            api_targets=targets,
            caller_restriction=caller,
            name=thing.text("displayName"),
        ),
    )


def _hmac(thing: Thing) -> Credential:
    state = thing.text("state")
    return Credential(
        id=thing.name,
        provider=PROVIDER,
        kind="hmac-key",
        principal=account(thing.text("serviceAccountEmail")),
        scope=thing.scope,
        status="active" if state == "ACTIVE" else "disabled",
        created=moment(thing.get("timeCreated")),
        expires="never",
    )


def _activities(estate: Estate, call: tuple[str, str]) -> Iterator[dict[str, Any]]:
    for _, response in estate.answers.of(*call):
        yield from listed(response, "activities")


def _used(estate: Estate, things: Things) -> Iterator[tuple[str, str]]:
    """Give keys and when they were last used. One without a time is not known: it may be older
    than what is observed."""
    for activity in _activities(estate, _KEYS):
        name = full_name(text(activity.get("fullResourceName")))
        if when := moment(at(activity, "activity.lastAuthenticatedTime")):
            yield things.account_name(name), when


def _usage(estate: Estate, things: Things) -> Iterator[Usage]:
    for activity in _activities(estate, _ACCOUNTS):
        name = things.account_name(full_name(text(activity.get("fullResourceName"))))
        email = name.rpartition("/")[2]
        since = moment(at(activity, "observationPeriod.startTime"))
        when = moment(at(activity, "activity.lastAuthenticatedTime"))
        if "@" in email and since:
            yield Usage(
                principal=account(email),
                service="authentication",
                last_used=when or "never",
                window_start=since,
            )
