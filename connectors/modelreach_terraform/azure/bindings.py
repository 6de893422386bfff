"""Who holds which role over what, in ARM and in the directory, and whom applications trust.

https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/role_assignment
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Binding, Credential, ManagedPolicy, Principal
from modelreach_terraform.azure.facts import ROLES, lower, role_id
from modelreach_terraform.edits import Adds, Attach, Edit, Holds, Is, Joins
from modelreach_terraform.told import LAST, RELATIONS, Row, Table, Told
from modelreach_terraform.values import is_unread, text, texts

_Edits = Callable[[Told], Iterator[Edit]]


def _binding(
    identifier: str, target: str, role: str, member: str, condition: str = "", **more: Any
) -> Holds:
    made = Binding(
        id=identifier,
        provider="azure",
        target=target,
        role=role,
        members=(member,) if member else (),
        condition=condition,
        status="active",
        attributes=attributes(**more),
    )
    return Holds(made, alone=True)


def _assignment(told: Told) -> Iterator[Edit]:
    scope, member = lower(told.text("scope")), lower(told.text("principal_id"))
    if not scope or not member:
        what = "who holds this role" if scope else "over what this role is held"
        yield told.unknown("bindings", scope, what)
        return
    name = told.text("name").lower() if not told.unread("name") else ""
    identifier = f"{scope if scope != '/' else ''}/providers/microsoft.authorization"
    identifier += f"/roleassignments/{name or lower(told.address)}"
    role = _role_of(told)
    yield from _mentioned(told, member)
    condition = told.text("condition")
    if told.unread("condition"):
        yield told.unknown("bindings", scope, "under which condition this role is held")
        return
    yield _binding(
        identifier,
        scope,
        role,
        member,
        condition,
        condition_version=told.text("condition_version"),
        principal_type=told.text("principal_type"),
        delegated_identity=lower(told.text("delegated_managed_identity_resource_id")),
    )
    if role not in told.world.policies:
        why = "neither the plan nor the base says what this role allows"
        yield told.gap("roles", role, "not-collected", why)


def _role_of(told: Told) -> str:
    """Give the role: by its id, or by the name of one that is known."""
    named = told.text("role_definition_name")
    if told.written("role_definition_id") or not named:
        return role_id(told.text("role_definition_id"))
    for policy in told.world.policies.values():
        if policy.provider == "azure" and policy.id.startswith(ROLES) and policy.name == named:
            return policy.id
    return f"{ROLES}{named.lower()}"


def _mentioned(told: Told, member: str) -> Iterator[Edit]:
    """Give whoever only an assignment names."""
    if member in told.world.principals:
        return
    kind = {"user": "user", "group": "group", "serviceprincipal": "service-principal"}.get(
        told.text("principal_type").lower(), "unknown"
    )
    yield Is(
        Principal(
            id=member,
            provider="azure",
            kind=kind,
            scope=told.place["tenant"],
            attributes=attributes(principal_type=told.text("principal_type")),
        )
    )


def _definition(told: Told) -> Iterator[Edit]:
    identifier = role_id(told.text("role_definition_resource_id"))
    permissions = list(told.blocks("permissions"))
    if is_unread(permissions):
        yield told.unknown("roles", identifier, "what this role allows")
        return
    scopes = texts(told.get("assignable_scopes")) or (told.text("scope"),)
    document = {
        "permissions": [
            {
                element: list(texts(block.get(name)))
                for name, element in (
                    ("actions", "actions"),
                    ("not_actions", "notActions"),
                    ("data_actions", "dataActions"),
                    ("not_data_actions", "notDataActions"),
                )
            }
            for block in permissions
        ],
        "type": "CustomRole",
        "assignableScopes": [one for one in scopes if one],
    }
    yield Is(
        ManagedPolicy(
            id=identifier,
            provider="azure",
            scope="/",
            name=told.text("name"),
            default_version="current",
        ),
        {"current": document},
    )


def _trust(told: Told, principal: str, identifier: str, audiences: tuple[str, ...]) -> Any:
    name = told.text("name", "display_name")
    document = {
        "issuer": told.text("issuer"),
        "subject": told.text("subject"),
        "audiences": list(audiences),
    }
    yield Attach(principal, "trust", document, name)
    yield Is(
        Credential(
            id=identifier,
            provider="azure",
            kind="federated",
            principal=principal,
            scope=told.place["tenant"],
            status="active",
            expires="never",
            attributes=attributes(
                name=name,
                issuer=told.text("issuer"),
                subject=told.text("subject"),
                age="unknown",
            ),
        )
    )


def _federated(told: Told) -> Iterator[Edit]:
    """https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/federated_identity_credential"""
    parent = lower(told.text("parent_id", "user_assigned_identity_id"))
    held = told.world.resources.get(parent)
    principal = str(held.attributes.get("principal", "")) if held else ""
    if not parent or told.unread("subject") or told.unread("issuer"):
        yield told.unknown("trust", principal or parent, "whom this identity trusts")
        return
    identifier = f"{parent}/federatedidentitycredentials/{told.text('name').lower()}"
    yield from _trust(told, principal or parent, identifier, told.texts("audience"))


# --- the directory ---------------------------------------------------------------------------


def _application(told: Told) -> Iterator[Edit]:
    identifier, app_id = lower(told.text("object_id")), lower(told.text("client_id"))
    yield Is(
        Principal(
            id=identifier,
            provider="azure",
            kind="application",
            scope=told.place["tenant"],
            name=told.text("display_name"),
            unique_id=app_id,
            attributes=attributes(
                app_id=app_id,
                owners=[lower(one) for one in told.texts("owners")],
                sign_in_audience=told.text("sign_in_audience"),
            ),
        )
    )
    for block in told.blocks("app_role"):
        role = text(block.get("id")).lower()
        document = {
            "value": text(block.get("value")),
            "allowedMemberTypes": list(texts(block.get("allowed_member_types"))),
            "appId": app_id,
            "isEnabled": block.get("enabled") is not False,
        }
        policy = ManagedPolicy(
            id=f"/approles/{app_id}/{role}",
            provider="azure",
            scope=told.place["tenant"],
            name=text(block.get("value")) or text(block.get("display_name")),
            default_version="current",
        )
        yield Is(policy, {"current": document})


def _service_principal(told: Told) -> Iterator[Edit]:
    identifier = lower(told.text("object_id"))
    app_id = lower(told.text("client_id") or told.text("application_id"))
    application = next(
        (
            one.id
            for one in told.world.principals.values()
            if one.kind == "application" and one.unique_id == app_id and app_id
        ),
        "",
    )
    name = told.text("display_name") if not told.unread("display_name") else ""
    held = told.world.principals.get(application)
    yield Is(
        Principal(
            id=identifier,
            provider="azure",
            kind="service-principal",
            scope=told.place["tenant"],
            name=name or (held.name if held else ""),
            unique_id=app_id,
            attributes=attributes(
                app_id=app_id,
                application=application,
                enabled=told.flag("account_enabled") is not False,
                sp_type="Application",
                owners=[lower(one) for one in told.texts("owners")],
            ),
        )
    )


def _object(value: str) -> str:
    """Give the object id in an id of the provider: `/applications/GUID`, or a GUID."""
    return lower(value).rpartition("/")[2] if value.startswith("/") else lower(value)


def _acting(told: Told, application: str) -> str:
    """Give who acts with a credential of an application: its service principal, else it."""
    held = told.world.principals.get(application)
    app_id = held.unique_id if held else ""
    for one in told.world.principals.values():
        if one.kind == "service-principal" and one.unique_id == app_id and app_id:
            return one.id
    return application


def _credential(kind: str, path: str, on: str) -> _Edits:
    """Give a secret or certificate. Its value is not even looked at."""

    def edits(told: Told) -> Iterator[Edit]:
        holder = _object(told.text(path))
        if not holder:
            yield told.unknown("credentials", "", "of whom this credential is")
            return
        known = "" if told.unread("key_id") else told.text("key_id").lower()
        principal = _acting(told, holder) if on == "application" else holder
        yield Is(
            Credential(
                id=f"{holder}/credentials/{known or lower(told.address)}",
                provider="azure",
                kind=kind,
                principal=principal,
                scope=told.place["tenant"],
                status="active",
                created=told.text("start_date") if not told.unread("start_date") else "",
                expires=told.text("end_date") if not told.unread("end_date") else "",
                attributes=attributes(
                    name=told.text("display_name"), on=on, object=holder, age="unknown"
                ),
            )
        )

    return edits


def _application_trust(told: Told) -> Iterator[Edit]:
    application = _object(told.text("application_id", "application_object_id"))
    principal = _acting(told, application)
    if not application or told.unread("subject") or told.unread("issuer"):
        yield told.unknown("trust", principal, "whom this application trusts")
        return
    identifier = f"{application}/federated/{told.text('display_name')}"
    yield from _trust(told, principal, identifier, told.texts("audiences"))


def _app_role(told: Told) -> Iterator[Edit]:
    """https://learn.microsoft.com/graph/api/resources/approleassignment"""
    resource = lower(told.text("resource_object_id"))
    member = lower(told.text("principal_object_id"))
    held = told.world.principals.get(resource)
    if not resource or not member:
        yield told.unknown("app-roles", resource, "who holds this role of which application")
        return
    identifier = told.text("id") if not told.unread("id") else told.address
    role = f"/approles/{held.unique_id if held else resource}/{lower(told.text('app_role_id'))}"
    yield from _mentioned(told, member)
    yield _binding(
        f"/approleassignments/{identifier.rpartition('/')[2]}",
        resource,
        role,
        member,
        principal_type=told.text("principal_type") if not told.unread("principal_type") else "",
    )


def _group(told: Told) -> Iterator[Edit]:
    identifier = lower(told.text("object_id"))
    yield Is(
        Principal(
            id=identifier,
            provider="azure",
            kind="group",
            scope=told.place["tenant"],
            name=told.text("display_name"),
            attributes=attributes(
                role_assignable=told.flag("assignable_to_role") is True,
                security_enabled=told.flag("security_enabled") is True,
                members_read=True,
                owners=[lower(one) for one in told.texts("owners")],
            ),
        )
    )
    if told.written("members"):
        for member in told.texts("members"):
            yield from _mentioned(told, lower(member))
            yield Joins(lower(member), (identifier,))
        if told.unread("members"):
            yield told.unknown("groups", identifier, "who is in this group")


def _member(told: Told) -> Iterator[Edit]:
    group, member = _object(told.text("group_object_id")), lower(told.text("member_object_id"))
    if not group or not member:
        yield told.unknown("groups", group, "who is in this group")
        return
    yield from _mentioned(told, member)
    yield Joins(member, (group,))


def _directory_role(told: Told) -> Iterator[Edit]:
    member = lower(told.text("principal_object_id"))
    scope = lower(told.text("directory_scope_id") or "/")
    target = told.place["tenant"] if scope == "/" else scope.lstrip("/")
    if scope.startswith("/administrativeunits/"):
        target = scope
    if not member:
        yield told.unknown("directory-roles", told.place["tenant"], "who holds this role")
        return
    identifier = told.text("id") if not told.unread("id") else told.address
    role = f"/rolemanagement/directory/roledefinitions/{lower(told.text('role_id'))}"
    yield from _mentioned(told, member)
    yield _binding(f"/rolemanagement/directory/roleassignments/{identifier}", target, role, member)


def _owner(told: Told) -> Iterator[Edit]:
    application = _object(told.text("application_id"))
    owner = lower(told.text("owner_object_id"))
    if application and owner:
        yield Adds(application, "owners", (owner,), "principals")


_NEW_ROLE: Final = "{scope}/providers/Microsoft.Authorization/roleDefinitions/{role_definition_id}"
_DIRECTORY: Final = {
    "object_id": "{address}",
    "client_id": "{address}#client",
    "id": "{object_id}",
}

TABLE: Final[Table] = {
    "azurerm_role_assignment": Row(_assignment, phase=LAST),
    "azurerm_role_definition": Row(
        _definition,
        {
            "role_definition_resource_id": _NEW_ROLE,
            "role_definition_id": "{address}",
            "id": f"{_NEW_ROLE}|{{scope}}",
        },
        RELATIONS,
    ),
    "azurerm_federated_identity_credential": Row(_federated, phase=LAST),
    "azuread_application": Row(
        _application,
        {**_DIRECTORY, "id": "/applications/{object_id}", "application_id": "{client_id}"},
    ),
    "azuread_application_registration": Row(
        _application, {**_DIRECTORY, "id": "/applications/{object_id}"}
    ),
    "azuread_service_principal": Row(
        _service_principal,
        {"object_id": "{address}", "id": "/servicePrincipals/{object_id}"},
        RELATIONS,
    ),
    "azuread_application_password": Row(
        _credential("client-secret", "application_id", "application"), phase=LAST
    ),
    "azuread_application_certificate": Row(
        _credential("certificate", "application_id", "application"), phase=LAST
    ),
    "azuread_service_principal_password": Row(
        _credential("client-secret", "service_principal_id", "service-principal"), phase=LAST
    ),
    "azuread_service_principal_certificate": Row(
        _credential("certificate", "service_principal_id", "service-principal"), phase=LAST
    ),
    "azuread_application_federated_identity_credential": Row(_application_trust, phase=LAST),
    "azuread_app_role_assignment": Row(_app_role, phase=LAST),
    "azuread_group": Row(_group, _DIRECTORY, RELATIONS),
    "azuread_group_member": Row(_member, phase=LAST),
    "azuread_directory_role_assignment": Row(_directory_role, phase=LAST),
    "azuread_application_owner": Row(_owner, phase=LAST),
}
