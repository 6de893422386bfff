"""Who holds which role over what, in ARM, the directory, APIs and Cosmos; and what is denied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from modelreach_azure.answers import Answers
from modelreach_azure.parse.facts import (
    Facts,
    fields,
    moment,
    text,
)
from modelreach_azure.parse.ids import (
    ROOT,
    app_role,
    arm_id,
    directory_role,
    lower,
    role_id,
)
from modelreach_azure.parse.principals import Directory
from modelreach_azure.select import items, words

_ASSIGNMENTS: Final = ("roleassignments", "roleAssignments", "managementGroup.roleAssignments")
_ELIGIBLE: Final = (
    "roleEligibilityScheduleInstances",
    "managementGroup.roleEligibilityScheduleInstances",
)
_ACTIVATED: Final = (
    "roleAssignmentScheduleInstances",
    "managementGroup.roleAssignmentScheduleInstances",
)
_DENIALS: Final = ("denyAssignments", "managementGroup.denyAssignments")


def parse_bindings(answers: Answers, directory: Directory, facts: Facts) -> None:
    """Turn everything that gives or takes access into bindings, roles and attachments."""
    _role_definitions(answers, facts)
    _role_assignments(answers, facts)
    _eligible(answers, facts)
    _deny_assignments(answers, facts)
    _delegated_to_tenants(answers, facts)
    _directory_roles(answers, facts)
    _app_roles(answers, directory, facts)
    _delegated_permissions(answers, directory, facts)
    _inside_cosmos(answers, facts)


def _role_definitions(answers: Answers, facts: Facts) -> None:
    # What ARM says comes last and stays: only it has conditions inside definitions for certain.
    for row in answers.rows("roledefinitions", "roleDefinitions"):
        about = fields(row)
        document = {
            "permissions": [_block(one) for one in items(about, "permissions")],
            "type": text(about.get("type")) or text(about.get("roleType")),
            "assignableScopes": list(words(about, "assignableScopes")),
        }
        facts.role(role_id(row.get("id")), ROOT, text(about.get("roleName")), document)


def _block(permission: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: list(words(permission, name))
        for name in ("actions", "notActions", "dataActions", "notDataActions")
    }
    if permission.get("condition"):
        found["condition"] = permission["condition"]
        found["conditionVersion"] = permission.get("conditionVersion")
    return found


def _role_assignments(answers: Answers, facts: Facts) -> None:
    ends = {
        arm_id(fields(row).get("originRoleAssignmentId")): moment(fields(row).get("endDateTime"))
        for row in answers.rows(*_ACTIVATED)
    }
    for row in answers.rows(*_ASSIGNMENTS):
        about = fields(row)
        identifier = arm_id(row.get("id"))
        facts.bind(
            identifier,
            arm_id(about.get("scope")),
            role_id(about.get("roleDefinitionId")),
            lower(about.get("principalId")),
            condition=text(about.get("condition")),
            condition_version=text(about.get("conditionVersion")),
            principal_type=text(about.get("principalType")),
            created=moment(about.get("createdOn")),
            end=ends.get(identifier, ""),
            delegated_identity=arm_id(about.get("delegatedManagedIdentityResourceId")),
        )


def _eligible(answers: Answers, facts: Facts) -> None:
    """https://learn.microsoft.com/rest/api/authorization/role-eligibility-schedule-instances"""
    for row in answers.rows(*_ELIGIBLE):
        about = fields(row)
        facts.bind(
            arm_id(row.get("id")),
            arm_id(about.get("scope")),
            role_id(about.get("roleDefinitionId")),
            lower(about.get("principalId")),
            status="eligible",
            condition=text(about.get("condition")),
            principal_type=text(about.get("principalType")),
            member_type=text(about.get("memberType")),
            end=moment(about.get("endDateTime")),
        )


def _deny_assignments(answers: Answers, facts: Facts) -> None:
    seen: set[str] = set()
    for row in answers.rows(*_DENIALS):
        identifier, about = arm_id(row.get("id")), fields(row)
        if identifier not in seen:
            seen.add(identifier)
            facts.attach(
                arm_id(about.get("scope")),
                "deny",
                about,
                name=text(about.get("denyAssignmentName")),
                policy=identifier,
            )


def _delegated_to_tenants(answers: Answers, facts: Facts) -> None:
    """https://learn.microsoft.com/azure/lighthouse/concepts/architecture"""
    for row in answers.rows("registrationAssignments"):
        identifier = arm_id(row.get("id"))
        scope = identifier.partition("/providers/microsoft.managedservices/")[0] or ROOT
        about = fields(fields(fields(row), "registrationDefinition"))
        for number, (status, given) in enumerate(_authorizations(about)):
            facts.bind(
                f"{identifier}#{number}",
                scope,
                role_id(f"/roledefinitions/{given.get('roleDefinitionId')}"),
                lower(given.get("principalId")),
                status=status,
                managing_tenant=lower(about.get("managedByTenantId")),
            )


def _authorizations(about: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from (("active", given) for given in items(about, "authorizations"))
    yield from (("eligible", given) for given in items(about, "eligibleAuthorizations"))


def _directory_roles(answers: Answers, facts: Facts) -> None:
    for row in answers.rows("directory.roleDefinitions"):
        document = {
            "rolePermissions": [
                {
                    "allowedResourceActions": list(words(one, "allowedResourceActions")),
                    "condition": one.get("condition"),
                }
                for one in items(row, "rolePermissions")
            ],
            "isBuiltIn": row.get("isBuiltIn"),
            "isEnabled": row.get("isEnabled"),
            "templateId": row.get("templateId"),
        }
        name = text(row.get("displayName"))
        facts.role(directory_role(row.get("id")), facts.tenant, name, document)
    for operation, status in (
        ("directory.roleEligibilityScheduleInstances", "eligible"),
        ("directory.roleAssignments", "active"),
    ):
        for row in answers.rows(operation):
            _directory_role(row, status, facts)


def _directory_role(row: dict[str, Any], status: str, facts: Facts) -> None:
    scope = lower(row.get("directoryScopeId") or row.get("appScopeId") or "/")
    target = facts.tenant if scope == "/" else scope
    if scope != "/" and not scope.startswith("/administrativeunits/"):
        target = scope.lstrip("/")
    facts.bind(
        f"/rolemanagement/directory/roleassignments/{text(row.get('id'))}",
        target,
        directory_role(row.get("roleDefinitionId")),
        lower(row.get("principalId")),
        status=status,
        end=moment(row.get("endDateTime")),
        member_type=text(row.get("memberType")),
    )


def _app_roles(answers: Answers, directory: Directory, facts: Facts) -> None:
    for row in directory.rows.values():
        app_id = lower(row.get("appId"))
        for role in items(row, "appRoles"):
            document = {
                "value": role.get("value"),
                "allowedMemberTypes": list(words(role, "allowedMemberTypes")),
                "appId": app_id,
                "isEnabled": role.get("isEnabled"),
            }
            name = text(role.get("value")) or text(role.get("displayName"))
            facts.role(app_role(app_id, role.get("id")), facts.tenant, name, document)
    for row in answers.rows("appRoleAssignedTo"):
        resource = lower(row.get("resourceId"))
        app_id = lower(directory.rows.get(resource, {}).get("appId")) or resource
        facts.bind(
            f"/approleassignments/{text(row.get('id'))}",
            resource,
            app_role(app_id, row.get("appRoleId")),
            lower(row.get("principalId")),
            principal_type=text(row.get("principalType")),
            created=moment(row.get("createdDateTime")),
        )


def _delegated_permissions(answers: Answers, directory: Directory, facts: Facts) -> None:
    """https://learn.microsoft.com/graph/api/resources/oauth2permissiongrant"""
    for row in answers.rows("oauth2PermissionGrants"):
        resource = lower(row.get("resourceId"))
        app_id = lower(directory.rows.get(resource, {}).get("appId")) or resource
        for scope in text(row.get("scope")).split():
            facts.bind(
                f"/oauth2permissiongrants/{text(row.get('id'))}/{scope}",
                resource,
                f"/oauth2scopes/{app_id}/{scope.lower()}",
                lower(row.get("clientId")),
                status="delegated",
                consent=text(row.get("consentType")),
                **{"for": lower(row.get("principalId"))},
            )


def _inside_cosmos(answers: Answers, facts: Facts) -> None:
    """https://learn.microsoft.com/azure/cosmos-db/how-to-connect-role-based-access-control"""
    for row in answers.rows("sqlRoleDefinitions"):
        about = fields(row)
        document = {
            "permissions": [
                {"dataActions": list(words(one, "dataActions"))}
                for one in items(about, "permissions")
            ]
        }
        identifier = arm_id(row.get("id"))
        facts.role(identifier, ROOT, text(about.get("roleName")), document)
    for row in answers.rows("sqlRoleAssignments"):
        about = fields(row)
        facts.bind(
            arm_id(row.get("id")),
            arm_id(about.get("scope")),
            arm_id(about.get("roleDefinitionId")),
            lower(about.get("principalId")),
        )
