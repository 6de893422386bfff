"""Who holds which role over what in Google Cloud, what roles allow, and what is denied.

A `member` adds to what is there, a `binding` is all who hold its role, a `policy` is all of it:
https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_project_iam
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from modelreach.collect.facts import attributes
from modelreach.snapshot import Binding, Credential, ManagedPolicy, Principal, Resource
from modelreach_terraform.edits import Attach, Edit, Governs, Holds, Is, Joins
from modelreach_terraform.gcp.facts import binding, home, mentioned, resource, spelled
from modelreach_terraform.told import RELATIONS, Row, Table, Told
from modelreach_terraform.values import Json, at, blocks, is_unread, parsed, text, texts

_Edits = Callable[[Told], Iterator[Edit]]

#: What the policies of each kind of resource are on, by template; the first that is known counts.
_TARGETS: Final[dict[str, tuple[str, ...]]] = {
    "project": ("projects/{project}",),
    "folder": ("{folder}",),
    "organization": ("organizations/{org_id}",),
    "service_account": ("//iam.googleapis.com/{service_account_id}",),
    "storage_bucket": ("//storage.googleapis.com/projects/_/buckets/{bucket}",),
    "secret_manager_secret": (
        "//secretmanager.googleapis.com/projects/{project}/secrets/{secret_id}",
    ),
    "bigquery_dataset": ("//bigquery.googleapis.com/projects/{project}/datasets/{dataset_id}",),
    "bigquery_table": (
        "//bigquery.googleapis.com/projects/{project}/datasets/{dataset_id}/tables/{table_id}",
    ),
    "pubsub_topic": ("//pubsub.googleapis.com/projects/{project}/topics/{topic}",),
    "pubsub_subscription": (
        "//pubsub.googleapis.com/projects/{project}/subscriptions/{subscription}",
    ),
    "kms_crypto_key": ("//cloudkms.googleapis.com/{crypto_key_id}",),
    "kms_key_ring": ("//cloudkms.googleapis.com/{key_ring_id}",),
    "cloud_run_service": (
        "//run.googleapis.com/projects/{project}/locations/{location}/services/{service}",
    ),
    "cloud_run_v2_service": (
        "//run.googleapis.com/projects/{project}/locations/{location}/services/{name}",
    ),
    "cloud_run_v2_job": (
        "//run.googleapis.com/projects/{project}/locations/{location}/jobs/{name}",
    ),
    "cloudfunctions_function": (
        "//cloudfunctions.googleapis.com/projects/{project}/locations/{region}"
        "/functions/{cloud_function}",
    ),
    "cloudfunctions2_function": (
        "//cloudfunctions.googleapis.com/projects/{project}/locations/{location}"
        "/functions/{cloud_function}",
    ),
    "artifact_registry_repository": (
        "//artifactregistry.googleapis.com/projects/{project}/locations/{location}"
        "/repositories/{repository}",
    ),
    "compute_instance": (
        "//compute.googleapis.com/projects/{project}/zones/{zone}/instances/{instance_name}",
    ),
    "vertex_ai_endpoint": (
        "//aiplatform.googleapis.com/projects/{project}/locations/{location}/endpoints/{endpoint}",
    ),
}
_KINDS: Final = {
    "//iam.": "iam.googleapis.com/ServiceAccount",
    "//storage.": "storage.googleapis.com/Bucket",
    "//secretmanager.": "secretmanager.googleapis.com/Secret",
    "//bigquery.": "bigquery.googleapis.com/Dataset",
}


def _target(told: Told, of: str) -> str:
    """Give what a policy is on, "" when it is not known."""
    if of == "folder":
        named = told.text("folder")
        return named if named.startswith("folders/") or not named else f"folders/{named}"
    for template in _TARGETS[of]:
        found = told.filled(template)
        if found:
            # Some attributes take a name in full where others take its last part.
            start, _, last = found.rpartition("/projects/")
            full = (
                found
                if start.count("/") < 3
                else f"//{found[2:].partition('/')[0]}/projects/{last}"
            )
            return spelled(full, told)
    return ""


def _scope(target: str, told: Told) -> str:
    return target if not target.startswith("//") else told.place["scope"]


def _known_target(told: Told, target: str) -> Iterator[Edit]:
    if target.startswith("//") and not told.world.known(target):
        kind = next((k for start, k in _KINDS.items() if target.startswith(start)), "")
        kind = kind or f"{target[2:].partition('/')[0]}/Unknown"
        scope = told.place["scope"]
        name = target.rpartition("/")[2]
        yield Is(Resource(id=target, provider="gcp", kind=kind, scope=scope, name=name))


def _condition(block: Json) -> tuple[str, str]:
    return text(at(block, "expression")), text(at(block, "title"))


def _member(of: str) -> _Edits:
    return _grants(of, "member", alone=False)


def _binding(of: str) -> _Edits:
    return _grants(of, "members", alone=True)


def _grants(of: str, path: str, *, alone: bool) -> _Edits:
    def edits(told: Told) -> Iterator[Edit]:
        target, role = _target(told, of), told.text("role")
        members = told.texts(path)
        if not target or not role:
            yield told.unknown(
                "bindings", target, "which role is held, or over what", scope_of=target
            )
            return
        if is_unread(told.get(path)):
            yield told.unknown("bindings", target, f"who holds `{role}`", scope_of=target)
        condition = told.get("condition")
        if is_unread(condition):
            yield told.unknown(
                "bindings", target, f"under which condition `{role}` is held", scope_of=target
            )
            return
        made = binding(target, role, members, *_condition(condition))
        yield from _known_target(told, target)
        yield from mentioned(told, members)
        yield Holds(made, alone)
        yield from _known_role(told, role)

    return edits


def _known_role(told: Told, role: str) -> Iterator[Edit]:
    if role not in told.world.policies:
        why = f"neither the plan nor the base says what `{role}` allows"
        made = told.gap("roles", role, "not-collected", why)
        yield made


def _policy(of: str) -> _Edits:
    def edits(told: Told) -> Iterator[Edit]:
        target, document = _target(told, of), parsed(told.get("policy_data"))
        if not target or not isinstance(document, dict) or is_unread(document):
            yield told.unknown("bindings", target, "the policy", scope_of=target)
            return
        made = tuple(_bindings(target, document))
        yield from _known_target(told, target)
        for one in made:
            yield from mentioned(told, one.members)
        yield Governs(target, made)
        for one in made:
            yield from _known_role(told, one.role)

    return edits


def _bindings(target: str, document: dict[str, Json]) -> Iterator[Binding]:
    for item in blocks(document.get("bindings", [])):
        condition = _condition(item.get("condition"))
        yield binding(target, text(item.get("role")), texts(item.get("members")), *condition)


def _role(template: str) -> _Edits:
    def edits(told: Told) -> Iterator[Edit]:
        name = told.filled(template)
        permissions = told.get("permissions")
        if is_unread(permissions):
            yield told.unknown("roles", name, "what this role allows")
            return
        document: dict[str, Any] = {"includedPermissions": sorted(set(texts(permissions)))}
        document["stage"] = told.text("stage") or "GA"
        yield Is(
            ManagedPolicy(
                id=name,
                provider="gcp",
                scope=name.rpartition("/roles/")[0],
                name=told.text("title"),
                default_version="1",
            ),
            {"1": document},
        )

    return edits


def _read_role(told: Told) -> Iterator[Edit]:
    """A data source knows what a role allows that the base may not have."""
    name, permissions = told.text("name"), told.get("included_permissions")
    if name and isinstance(permissions, list) and name not in told.world.policies:
        document = {"includedPermissions": sorted(set(texts(permissions)))}
        if stage := told.text("stage"):
            document["stage"] = stage  # type: ignore[assignment]
        fact = ManagedPolicy(
            id=name,
            provider="gcp",
            scope=name.rpartition("/roles/")[0] if not name.startswith("roles/") else "",
            name=told.text("title"),
            default_version="1",
        )
        yield Is(fact, {"1": document})


def _account(told: Told) -> Iterator[Edit]:
    email = told.text("email")
    project, number = told.place["project"], told.place["number"]
    member = f"serviceAccount:{email}"
    unique = "" if told.unread("unique_id") else told.text("unique_id")
    yield Is(
        Principal(
            id=member,
            provider="gcp",
            kind="service-account",
            scope=told.place["scope"],
            name=told.text("display_name"),
            unique_id=unique,
            attributes=attributes(
                disabled=told.flag("disabled") is True, email=email, number=number
            ),
        )
    )
    name = f"//iam.googleapis.com/projects/{project}/serviceAccounts/{email}"
    label = told.text("display_name")
    yield resource(told, "iam.googleapis.com/ServiceAccount", name, label=label, principal=member)


def _key(told: Told) -> Iterator[Edit]:
    """A key's private half is not even looked at; its id Google chooses."""
    account = told.text("service_account_id")
    email = account.rpartition("/")[2]
    name = told.text("name") if not told.unread("name") else ""
    last = name.rpartition("/")[2] or told.address
    project = told.place["project"]
    holder = f"//iam.googleapis.com/projects/{project}/serviceAccounts/{email}"
    if not email:
        yield told.unknown("credentials", "", "of which account this key is")
        return
    yield Is(
        Credential(
            id=f"{holder}/keys/{last}",
            provider="gcp",
            kind="service-account-key",
            principal=f"serviceAccount:{email}",
            scope=told.place["scope"],
            status="active",
            created=told.text("valid_after"),
            expires="never",
            attributes=attributes(
                origin="USER_PROVIDED" if told.written("public_key_data") else "GOOGLE_PROVIDED"
            ),
        )
    )


def _hmac(told: Told) -> Iterator[Edit]:
    project = told.place["project"]
    access = told.text("access_id") if not told.unread("access_id") else ""
    yield Is(
        Credential(
            id=f"//storage.googleapis.com/projects/{project}/hmacKeys/{access or told.address}",
            provider="gcp",
            kind="hmac-key",
            principal=f"serviceAccount:{told.text('service_account_email')}",
            scope=told.place["scope"],
            status="active" if (told.text("state") or "ACTIVE") == "ACTIVE" else "disabled",
            expires="never",
        )
    )


def _deny(told: Told) -> Iterator[Edit]:
    """https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/iam_deny_policy"""
    parent, name = told.text("parent"), told.text("name")
    attached = unquote(unquote(parent))
    scope = attached.removeprefix("cloudresourcemanager.googleapis.com/")
    rules = told.get("rules")
    if not scope or is_unread(rules):
        yield told.unknown("deny", scope, "what this policy denies")
        return
    full = f"policies/{parent}/denypolicies/{name}"
    label = told.text("display_name") or name
    document = {
        "name": full,
        "displayName": label,
        "rules": [{"denyRule": _deny_rule(at(rule, "deny_rule"))} for rule in blocks(rules)],
    }
    target = _own_scope(scope, told)
    yield Attach(target, "deny", document, label, full)


def _own_scope(scope: str, told: Told) -> str:
    kind, _, named = scope.partition("/")
    for one in told.world.scopes.values():
        if kind == "projects" and one.attributes.get("number") == named:
            return one.id
    return scope


def _deny_rule(rule: Json) -> dict[str, Any]:
    made: dict[str, Any] = {
        element: list(found)
        for name, element in (
            ("denied_principals", "deniedPrincipals"),
            ("denied_permissions", "deniedPermissions"),
            ("exception_principals", "exceptionPrincipals"),
            ("exception_permissions", "exceptionPermissions"),
        )
        if (found := texts(at(rule, name)))
    }
    if expression := text(at(rule, "denial_condition.expression")):
        made["denialCondition"] = {"expression": expression}
        if title := text(at(rule, "denial_condition.title")):
            made["denialCondition"]["title"] = title
    return made


_POOL: Final = "//iam.googleapis.com/projects/{project}/locations/global/workloadIdentityPools"


def _pool(told: Told) -> Iterator[Edit]:
    name = told.filled(_POOL + "/{workload_identity_pool_id}")
    label = told.text("display_name")
    yield resource(
        told,
        "iam.googleapis.com/WorkloadIdentityPool",
        spelled(name, told),
        label=label,
        disabled=told.flag("disabled") is True,
        state="ACTIVE",
        mode=told.text("mode") if not told.unread("mode") else "",
    )


def _provider(told: Told) -> Iterator[Edit]:
    pool = spelled(told.filled(_POOL + "/{workload_identity_pool_id}"), told)
    name = f"{pool}/providers/{told.text('workload_identity_pool_provider_id')}"
    oidc, aws = next(told.blocks("oidc"), {}), next(told.blocks("aws"), {})
    mapping = told.get("attribute_mapping")
    pairs = mapping.items() if isinstance(mapping, dict) else ()
    federation = next((one for one in ("oidc", "aws", "saml", "x509") if told.get(one)), "")
    yield resource(
        told,
        "iam.googleapis.com/WorkloadIdentityPoolProvider",
        name,
        label=told.text("display_name"),
        pool=pool,
        issuer=text(oidc.get("issuer_uri")) or text(aws.get("account_id")),
        audiences=texts(oidc.get("allowed_audiences")),
        attribute_mapping=[f"{key}={text(value)}" for key, value in pairs],
        attribute_condition=told.text("attribute_condition"),
        disabled=told.flag("disabled") is True,
        state="ACTIVE",
        federation=federation,
    )


def _membership(told: Told) -> Iterator[Edit]:
    """Who is in a group; its key is told by the group, which a membership names by its number."""
    group = told.text("group")
    email = text(at(next(told.blocks("preferred_member_key"), {}), "id"))
    kind = "serviceAccount" if email.endswith(".gserviceaccount.com") else "user"
    named = ""
    for other in told.others("google_cloud_identity_group"):
        if group and group in (other.text("id"), other.text("name")):
            named = text(at(next(other.blocks("group_key"), {}), "id"))
    for one in told.world.principals.values():
        if one.attributes.get("resource") == group:
            named = one.name
        if one.id == f"group:{email}":
            kind = "group"
    if not named or not email:
        yield told.unknown("groups", "", "who is in which group")
        return
    member = f"{kind}:{email}"
    yield from mentioned(told, (f"group:{named}", member))
    yield Joins(member, (f"group:{named}",))


def _group(told: Told) -> Iterator[Edit]:
    email = text(at(next(told.blocks("group_key"), {}), "id"))
    name = "" if told.unread("name") else told.text("name")
    yield Is(
        Principal(
            id=f"group:{email}",
            provider="gcp",
            kind="group",
            scope=home(told.world),
            name=email,
            attributes=attributes(resource=name),
        )
    )


def _constraint(told: Told) -> Iterator[Edit]:
    where, _, constraint = told.text("name").rpartition("/policies/")
    if not constraint.startswith("iam."):
        return
    spec = next(told.blocks("spec"), {})
    if is_unread(spec):
        yield told.unknown("constraint", where, "what this policy forbids")
        return
    document = {
        "name": told.text("name"),
        "spec": {"rules": [*map(_rule, blocks(spec.get("rules")))]},
    }
    yield Attach(_own_scope(where, told), "constraint", document, constraint, constraint)


def _rule(rule: dict[str, Json]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, element in (
        ("enforce", "enforce"),
        ("allow_all", "allowAll"),
        ("deny_all", "denyAll"),
    ):
        if rule.get(name) is not None:
            made[element] = str(rule[name]).upper() == "TRUE"
    values = at(rule, "values")
    if values:
        made["values"] = {
            element: list(found)
            for name, element in (
                ("allowed_values", "allowedValues"),
                ("denied_values", "deniedValues"),
            )
            if (found := texts(at(values, name)))
        }
    if expression := text(at(rule, "condition.expression")):
        made["condition"] = {"expression": expression}
    return made


_EMAIL: Final = "{account_id}@{project}.iam.gserviceaccount.com"
_ACCOUNT: Final = f"projects/{{project}}/serviceAccounts/{_EMAIL}"

TABLE: Final[Table] = {
    **{f"google_{of}_iam_member": Row(_member(of), phase=RELATIONS) for of in _TARGETS},
    **{f"google_{of}_iam_binding": Row(_binding(of), phase=RELATIONS) for of in _TARGETS},
    **{f"google_{of}_iam_policy": Row(_policy(of), phase=RELATIONS) for of in _TARGETS},
    "google_project_iam_custom_role": Row(
        _role("projects/{project}/roles/{role_id}"),
        {
            "id": "projects/{project}/roles/{role_id}",
            "name": "projects/{project}/roles/{role_id}",
        },
    ),
    "google_organization_iam_custom_role": Row(
        _role("organizations/{org_id}/roles/{role_id}"),
        {
            "id": "organizations/{org_id}/roles/{role_id}",
            "name": "organizations/{org_id}/roles/{role_id}",
        },
    ),
    "data.google_iam_role": Row(_read_role),
    "google_service_account": Row(
        _account,
        {
            "email": _EMAIL,
            "member": f"serviceAccount:{_EMAIL}",
            "name": _ACCOUNT,
            "id": _ACCOUNT,
            "unique_id": "{address}",
        },
    ),
    "google_service_account_key": Row(_key, phase=RELATIONS),
    "google_storage_hmac_key": Row(_hmac, phase=RELATIONS),
    "google_iam_deny_policy": Row(_deny, phase=RELATIONS),
    "google_iam_workload_identity_pool": Row(
        _pool,
        {
            "name": "projects/{number}/locations/global/workloadIdentityPools"
            "/{workload_identity_pool_id}",
            "id": "projects/{project}/locations/global/workloadIdentityPools"
            "/{workload_identity_pool_id}",
        },
    ),
    "google_iam_workload_identity_pool_provider": Row(_provider),
    "google_cloud_identity_group": Row(_group, {"id": "{address}", "name": "{address}"}),
    "google_cloud_identity_group_membership": Row(_membership, phase=RELATIONS),
    "google_org_policy_policy": Row(_constraint, phase=RELATIONS),
}
