"""Entra ID's objects: service principals, identities, agents, applications, groups, users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import AttributeValue, Principal
from modelreach_azure.answers import Answers
from modelreach_azure.parse.facts import PROVIDER, Facts, boolean, fields, moment, text
from modelreach_azure.parse.ids import arm_id, lower
from modelreach_azure.select import at, items, words

_KINDS: Final = {
    "managedidentity": "managed-identity",
    "serviceidentity": "agent-identity",
    "agentidentity": "agent-identity",
    "agentidentityblueprintprincipal": "agent-blueprint",
}
_TYPED: Final = {
    "#microsoft.graph.user": "user",
    "#microsoft.graph.agentuser": "user",
    "#microsoft.graph.group": "group",
    "#microsoft.graph.serviceprincipal": "service-principal",
    "#microsoft.graph.agentidentity": "agent-identity",
    "#microsoft.graph.agentidentityblueprintprincipal": "agent-blueprint",
    "#microsoft.graph.application": "application",
}
_ASSIGNED: Final = {"user": "user", "group": "group", "serviceprincipal": "service-principal"}
_LOCKS: Final = (
    "allProperties",
    "credentialsWithUsageSign",
    "credentialsWithUsageVerify",
    "tokenEncryptionKeyId",
)


class Directory:
    """What the directory tells, by object id, before it becomes facts."""

    def __init__(self, answers: Answers) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.kinds: dict[str, str] = {}
        self.applications: dict[str, dict[str, Any]] = {}
        self.blueprints: set[str] = set()
        self._service_principals(answers)
        self._applications(answers)
        self.by_app = {
            lower(row.get("appId")): identifier for identifier, row in sorted(self.rows.items())
        }
        self.application_of = {
            lower(row.get("appId")): identifier
            for identifier, row in sorted(self.applications.items())
        }
        self.owners = _owners(answers)
        self.groups = _memberships(answers)
        self.eligible = _eligible(answers)
        self.used = _last_used(answers)

    def _service_principals(self, answers: Answers) -> None:
        for operation, kind in (
            ("servicePrincipals", ""),
            ("agentBlueprintPrincipals", "agent-blueprint"),
            ("agentIdentities", "agent-identity"),
        ):
            for row in answers.rows(operation):
                identifier = lower(row.get("id"))
                if identifier:
                    told = {name: value for name, value in row.items() if value is not None}
                    self.rows[identifier] = {**self.rows.get(identifier, {}), **told}
                    self.kinds[identifier] = kind or _kind(row)

    def _applications(self, answers: Answers) -> None:
        for operation in ("applications", "agentBlueprints"):
            for row in answers.rows(operation):
                identifier = lower(row.get("id"))
                if identifier:
                    self.applications[identifier] = {
                        **self.applications.get(identifier, {}),
                        **row,
                    }
                    if operation == "agentBlueprints":
                        self.blueprints.add(identifier)

    def acting(self, application: str) -> str:
        """Give who acts with a credential of an application: its service principal, else it."""
        app_id = lower(self.applications.get(application, {}).get("appId"))
        return self.by_app.get(app_id, application) if app_id else application


def _kind(row: dict[str, Any]) -> str:
    typed = _TYPED.get(lower(row.get("@odata.type")), "")
    if typed and typed != "service-principal":
        return typed
    return _KINDS.get(lower(row.get("servicePrincipalType")), "service-principal")


def _owners(answers: Answers) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for row in answers.rows("servicePrincipals.owners", "applications.owners"):
        owners = {lower(owner.get("id")) for owner in items(row, "owners")}
        found.setdefault(lower(row.get("id")), set()).update(owners)
    singly = ("servicePrincipal.owners", "application.owners", "group.owners")
    for one, row in answers.placed(*singly):
        found.setdefault(lower(one.parameters.get("id")), set()).add(lower(row.get("id")))
    return {identifier: tuple(sorted(owners)) for identifier, owners in found.items()}


def _memberships(answers: Answers) -> dict[str, set[str]]:
    """Give the groups that each object is a direct member of."""
    found: dict[str, set[str]] = {}
    for one, row in answers.placed("group.members"):
        found.setdefault(lower(row.get("id")), set()).add(lower(one.parameters.get("id")))
    return found


def _eligible(answers: Answers) -> dict[tuple[str, str], set[str]]:
    """Give who may become a member, or an owner, of each group.

    https://learn.microsoft.com/graph/api/resources/privilegedaccessgroupeligibilityscheduleinstance
    """
    found: dict[tuple[str, str], set[str]] = {}
    for row in answers.rows("group.eligibilityScheduleInstances"):
        key = lower(row.get("groupId")), lower(row.get("accessId"))
        found.setdefault(key, set()).add(lower(row.get("principalId")))
    return found


def _last_used(answers: Answers) -> dict[str, str]:
    return {
        lower(row.get("appId")): moment(at(row, "lastSignInActivity.lastSignInDateTime"))
        for row in answers.rows("servicePrincipalSignInActivities")
    }


def parse_principals(answers: Answers, directory: Directory, facts: Facts) -> None:
    """Turn the directory into principals, those too that only something else names."""
    units = _units(facts)
    for identifier, row in directory.rows.items():
        _add(
            facts,
            directory,
            units,
            identifier,
            directory.kinds[identifier],
            row,
            **_acting(directory, identifier),
        )
    for identifier, row in directory.applications.items():
        _application(facts, directory, units, identifier, row)
    _groups(answers, directory, units, facts)
    _users(answers, directory, units, facts)
    _named_only(answers, directory, units, facts)


def _units(facts: Facts) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for scope in facts.scopes.values():
        members = scope.attributes.get("members", ())
        if scope.kind == "administrative-unit" and isinstance(members, tuple):
            for member in members:
                found.setdefault(member, set()).add(scope.id)
    return found


def _add(
    facts: Facts,
    directory: Directory,
    units: dict[str, set[str]],
    identifier: str,
    kind: str,
    row: dict[str, Any],
    **more: AttributeValue | Iterable[str] | None,
) -> None:
    app_id = lower(row.get("appId"))
    facts.principals[identifier] = Principal(
        id=identifier,
        provider=PROVIDER,
        kind=kind,
        scope=facts.tenant,
        name=text(row.get("displayName")),
        unique_id=app_id,
        groups=tuple(sorted(directory.groups.get(identifier, ()))),
        created=moment(row.get("createdDateTime")),
        last_used=directory.used.get(app_id, "") if kind not in ("application", "user") else "",
        attributes=attributes(
            app_id=app_id,
            owners=directory.owners.get(identifier, ()),
            entra_tags=words(row, "tags"),
            enabled=boolean(row.get("accountEnabled")),
            sp_type=text(row.get("servicePrincipalType")),
            administrative_units=units.get(identifier, ()),
            **more,
        ),
    )


def _acting(directory: Directory, identifier: str) -> dict[str, AttributeValue | None]:
    """Give what is particular to a service principal."""
    row, kind = directory.rows[identifier], directory.kinds[identifier]
    application = directory.application_of.get(lower(row.get("appId")), "")
    found: dict[str, Any] = {
        "application": application,
        "app_owner_tenant": lower(row.get("appOwnerOrganizationId")),
        "credential_lock": _lock(directory.applications.get(application, {})),
    }
    if kind == "managed-identity":
        found |= _managed(row)
    if kind == "agent-identity":
        blueprint = lower(row.get("agentIdentityBlueprintId"))
        found |= {
            "blueprint": blueprint,
            "blueprint_principal": directory.by_app.get(blueprint, "") if blueprint else "",
        }
    return found


def _managed(row: dict[str, Any]) -> dict[str, str]:
    """Give the resource of a managed identity, which its alternative names tell."""
    names = [lower(name) for name in words(row, "alternativeNames")]
    resource = next((arm_id(name) for name in names if name.startswith("/subscriptions/")), "")
    explicit = "isexplicit=true" in names or "/userassignedidentities/" in resource
    return {"resource": resource, "managed": "user" if explicit else "system"}


def _lock(application: dict[str, Any]) -> list[str]:
    """https://learn.microsoft.com/entra/identity-platform/howto-configure-app-instance-property-locks"""
    configured = fields(application, "servicePrincipalLockConfiguration")
    if configured.get("isEnabled") is not True:
        return []
    return [name for name in _LOCKS if configured.get(name) is True]


def _application(
    facts: Facts,
    directory: Directory,
    units: dict[str, set[str]],
    identifier: str,
    row: dict[str, Any],
) -> None:
    app_id = lower(row.get("appId"))
    _add(
        facts,
        directory,
        units,
        identifier,
        "application",
        row,
        service_principal=directory.by_app.get(app_id, "") if app_id else "",
        credential_lock=_lock(row),
        sign_in_audience=text(row.get("signInAudience")),
        agent_blueprint=True if identifier in directory.blueprints else None,
        requested=list(_requested(row)),
    )


def _requested(row: dict[str, Any]) -> Iterator[str]:
    for access in items(row, "requiredResourceAccess"):
        for one in items(access, "resourceAccess"):
            if one.get("type") == "Role":
                yield f"{lower(access.get('resourceAppId'))}/{lower(one.get('id'))}"


def _groups(
    answers: Answers, directory: Directory, units: dict[str, set[str]], facts: Facts
) -> None:
    read = {
        lower(one.parameters.get("id"))
        for one in answers.asked("group.members")
        if one.response is not None and one.refused is None
    }
    for row in answers.rows("groups"):
        identifier = lower(row.get("id"))
        _add(
            facts,
            directory,
            units,
            identifier,
            "group",
            row,
            role_assignable=boolean(row.get("isAssignableToRole")),
            security_enabled=boolean(row.get("securityEnabled")),
            dynamic=True if "DynamicMembership" in words(row, "groupTypes") else None,
            members_read=True if identifier in read else None,
            eligible_members=sorted(directory.eligible.get((identifier, "member"), ())),
            eligible_owners=sorted(directory.eligible.get((identifier, "owner"), ())),
        )


def _users(
    answers: Answers, directory: Directory, units: dict[str, set[str]], facts: Facts
) -> None:
    for row in answers.rows("agentUsers"):
        parent = lower(row.get("identityParentId"))
        identifier = lower(row.get("id"))
        _add(facts, directory, units, identifier, "user", row, agent_user=True, parent=parent)


def _named_only(
    answers: Answers, directory: Directory, units: dict[str, set[str]], facts: Facts
) -> None:
    """Add who is a member or owner, or holds something, and is in no list that was read."""
    for row in answers.rows("group.members"):
        _mention(facts, directory, units, row)
    for operation in ("servicePrincipals.owners", "applications.owners"):
        for row in answers.rows(operation):
            for owner in items(row, "owners"):
                _mention(facts, directory, units, owner)
    for row in answers.rows("servicePrincipal.owners", "application.owners", "group.owners"):
        _mention(facts, directory, units, row)
    for row in answers.rows("group.eligibilityScheduleInstances"):
        _mention(facts, directory, units, fields(row, "principal"))
    known = {member: binding for binding in facts.bindings.values() for member in binding.members}
    for member, binding in sorted(known.items()):
        kind = str(binding.attributes.get("principal_type", ""))
        if member not in facts.principals and not binding.attributes.get("managing_tenant"):
            _add(
                facts,
                directory,
                units,
                member,
                _of_assignment(kind, answers),
                {},
                principal_type=kind,
            )


def _of_assignment(kind: str, answers: Answers) -> str:
    """Give the kind of whom only an assignment names.

    A service principal or group that the lists would have, had it still existed, is unknown.
    """
    found = _ASSIGNED.get(kind.lower(), "unknown")
    lists = {"service-principal": "servicePrincipals", "group": "groups"}
    whole = [one for one in answers.asked(lists.get(found, "")) if one.response and not one.error]
    return "unknown" if whole else found


def _mention(
    facts: Facts, directory: Directory, units: dict[str, set[str]], row: dict[str, Any]
) -> None:
    identifier = lower(row.get("id"))
    if identifier and identifier not in facts.principals:
        kind = _TYPED.get(lower(row.get("@odata.type")), "unknown")
        _add(facts, directory, units, identifier, kind, row)
