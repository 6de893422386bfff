"""Long-lived credentials: secrets, certificates, trusts of outsiders, keys of resources.

Values are never read. An age that the provider does not tell is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Credential, Resource
from modelreach_azure.answers import Answers
from modelreach_azure.parse.facts import PROVIDER, Facts, fields, moment, text
from modelreach_azure.parse.ids import arm_id, lower, scope_of
from modelreach_azure.parse.principals import Directory
from modelreach_azure.select import items

#: A secret that "never" expires is given this year by the tools that make one.
_NEVER: Final = "2299"
_KINDS: Final = {"passwordCredentials": "client-secret", "keyCredentials": "certificate"}


def parse_credentials(answers: Answers, directory: Directory, facts: Facts) -> None:
    """Turn credentials of applications, service principals and identities into facts."""
    used = _used(answers)
    for identifier, row in directory.rows.items():
        _of_object(facts, identifier, identifier, "service-principal", row, used)
    for identifier, row in directory.applications.items():
        _of_object(facts, identifier, directory.acting(identifier), "application", row, used)
    for row in answers.rows("applications.federatedIdentityCredentials"):
        for trust in items(row, "federatedIdentityCredentials"):
            _trust(facts, directory.acting(lower(row.get("id"))), lower(row.get("id")), trust)
    for one, row in answers.placed("agentBlueprint.federatedIdentityCredentials"):
        application = lower(one.parameters.get("id"))
        _trust(facts, directory.acting(application), application, row)
    _trusts_of_identities(answers, facts)


def _used(answers: Answers) -> dict[str, str]:
    """Give when a secret or certificate was last used, by key id."""
    return {
        lower(row.get("keyId")): moment(fields(row, "signInActivity").get("lastSignInDateTime"))
        for row in answers.rows("appCredentialSignInActivities")
    }


def _of_object(
    facts: Facts,
    identifier: str,
    principal: str,
    on: str,
    row: dict[str, Any],
    used: dict[str, str],
) -> None:
    for name, kind in _KINDS.items():
        for entry in items(row, name):
            key = lower(entry.get("keyId"))
            start, end = moment(entry.get("startDateTime")), moment(entry.get("endDateTime"))
            facts.credentials.append(
                Credential(
                    id=f"{identifier}/credentials/{key}",
                    provider=PROVIDER,
                    kind=kind,
                    principal=principal,
                    scope=facts.tenant,
                    status=_status(start, end, facts.now),
                    created=start,
                    last_used=used.get(key, ""),
                    expires="never" if end >= _NEVER else end,
                    attributes=attributes(
                        name=text(entry.get("displayName")),
                        hint=text(entry.get("hint")),
                        on=on,
                        object=identifier,
                        usage=text(entry.get("usage")),
                        thumbprint=text(entry.get("customKeyIdentifier")),
                        age=None if start else "unknown",
                    ),
                )
            )


def _status(start: str, end: str, now: str) -> str:
    if end and end <= now:
        return "expired"
    return "not-yet-valid" if start > now else "active"


def _trust(facts: Facts, principal: str, holder: str, row: dict[str, Any]) -> None:
    """Say whose tokens are taken instead of a secret.

    https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
    """
    name = text(row.get("name"))
    told = {**fields(row), **{key: value for key, value in row.items() if value is not None}}
    document: dict[str, Any] = {
        "issuer": text(told.get("issuer")),
        "subject": text(told.get("subject")),
        "audiences": told.get("audiences") if isinstance(told.get("audiences"), list) else [],
    }
    if told.get("claimsMatchingExpression"):
        document["claimsMatchingExpression"] = told["claimsMatchingExpression"]
    identifier = text(row.get("id")).lower()
    if not identifier.startswith("/"):
        identifier = f"{holder}/federated/{name}"
    facts.attach(principal, "trust", document, name=name)
    facts.credentials.append(
        Credential(
            id=identifier,
            provider=PROVIDER,
            kind="federated",
            principal=principal,
            scope=facts.tenant,
            status="active",
            expires="never",
            attributes=attributes(
                name=name,
                issuer=text(told.get("issuer")),
                subject=text(told.get("subject")),
                age="unknown",
            ),
        )
    )


def _trusts_of_identities(answers: Answers, facts: Facts) -> None:
    principals = {
        str(one.attributes["resource"]): one.id
        for one in facts.principals.values()
        if one.attributes.get("managed") == "user" and one.attributes.get("resource")
    }
    for one, row in answers.placed("federatedIdentityCredentials"):
        identity = arm_id(one.parameters.get("id"))
        held = facts.resources.get(identity)
        told = str(held.attributes.get("principal", "")) if held else ""
        _trust(facts, principals.get(identity) or told or identity, identity, row)


def keys_of_storage(facts: Facts, resource: Resource, properties: dict[str, Any]) -> None:
    """Add the two keys of a storage account. Null for shared key access means that they work.

    https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent
    """
    made = fields(properties, "keyCreationTime")
    days = fields(properties, "keyPolicy").get("keyExpirationPeriodInDays")
    works = properties.get("allowSharedKeyAccess") is not False
    for name in ("key1", "key2"):
        _key(facts, resource, "storage-key", name, works, moment(made.get(name)), days)


def keys_of_cognitive(facts: Facts, resource: Resource, properties: dict[str, Any]) -> None:
    """Add the two keys of a Cognitive Services account; nothing tells their age."""
    works = properties.get("disableLocalAuth") is not True
    for name in ("key1", "key2"):
        _key(facts, resource, "cognitive-key", name, works)


def keys_of_endpoint(facts: Facts, resource: Resource) -> None:
    """Add the two keys of an online endpoint that is called with keys; they never expire."""
    for name in ("primary", "secondary"):
        _key(facts, resource, "aml-key", name, True)


def _key(
    facts: Facts,
    resource: Resource,
    kind: str,
    name: str,
    works: bool,
    created: str = "",
    days: object = None,
) -> None:
    limit = days if isinstance(days, int) and days > 0 else None
    facts.credentials.append(
        Credential(
            id=f"{resource.id}/keys/{name}",
            provider=PROVIDER,
            kind=kind,
            principal=resource.id,
            scope=scope_of(resource.id),
            status="active" if works else "disabled",
            created=created,
            # A policy on the age of keys is a reminder, and stops none from working.
            expires="never",
            attributes=attributes(
                name=name, expiration_days=limit, age=None if created else "unknown"
            ),
        )
    )


def stored_connections(facts: Facts, answers: Answers, *operations: str) -> Iterator[Resource]:
    """Give the connections of accounts, projects or workspaces, and add what each stores."""
    for row in answers.rows(*operations):
        identifier = arm_id(row.get("id"))
        about = fields(row)
        told: dict[str, Any] = {
            "category": text(about.get("category")),
            "auth_type": text(about.get("authType")),
            "target": text(about.get("target")),
        }
        if lower(about.get("authType")) not in (
            "aad",
            "managedidentity",
            "none",
            "agenticidentity",
        ):
            facts.credentials.append(
                Credential(
                    id=identifier,
                    provider=PROVIDER,
                    kind="stored-connection",
                    principal=identifier,
                    scope=scope_of(identifier),
                    status="active",
                    expires=moment(about.get("expiryTime")),
                    attributes=attributes(age="unknown", **told),
                )
            )
        shared = about.get("isSharedToAll")
        yield Resource(
            id=identifier,
            provider=PROVIDER,
            kind=lower(row.get("type")),
            scope=scope_of(identifier),
            name=text(row.get("name")),
            attributes=attributes(
                shared_to_all=shared if isinstance(shared, bool) else None,
                resource=arm_id(fields(about, "metadata").get("ResourceId")),
                **told,
            ),
        )
