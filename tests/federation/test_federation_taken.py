"""Whoever takes a scope over is let in wherever somebody of the scope is: by tokens, too.

Three clouds in one snapshot. In each there is an administrator, somebody whom it may act as and
whom only another cloud lets in, and somebody there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from modelreach.policy import providers
from modelreach.reach import reach
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Binding,
    ManagedPolicy,
    Principal,
    Resource,
    Scope,
    Snapshot,
    canonical,
    document_id,
    facts_of,
)

Json = dict[str, Any]
HOME, AWAY = "111111111111", "222222222222"
TENANT, SUBSCRIPTION = "11111111-1111-4111-8111-111111111111", "/subscriptions/s1"
GROUP = f"{SUBSCRIPTION}/resourcegroups/rg"
IDENTITY = f"{GROUP}/providers/microsoft.managedidentity/userassignedidentities/agent"
AGENT, OWNER, APP = (f"aaaaaaaa-0000-4000-8000-00000000000{n}" for n in range(3))
ROLES = "/providers/microsoft.authorization/roledefinitions"
POOL = "iam.googleapis.com/projects/9/locations/global/workloadIdentityPools/aws"


def role(name: str, account: str = HOME) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def account(name: str, project: str = "p1") -> str:
    return f"serviceAccount:{name}@{project}.iam.gserviceaccount.com"


def allow(**said: Any) -> Json:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **said}]}


class Estate:
    """A snapshot under construction."""

    def __init__(self) -> None:
        self.documents: dict[str, msgspec.Raw] = {}
        self.rows: dict[str, list[Any]] = {}

    def add(self, section: str, *facts: Any) -> None:
        self.rows.setdefault(section, []).extend(facts)

    def document(self, said: Json) -> str:
        raw = json.dumps(said).encode()
        self.documents[document_id(raw)] = msgspec.Raw(raw)
        return document_id(raw)

    def attach(self, target: str, kind: Any, said: Json) -> None:
        self.add("attachments", Attachment(target=target, kind=kind, document=self.document(said)))

    def role(self, provider: str, name: str, said: Json) -> None:
        versions = {"v1": self.document(said)}
        row = ManagedPolicy(
            id=name, provider=provider, scope="", default_version="v1", versions=versions
        )
        self.add("managed_policies", row)

    def bind(self, provider: str, target: str, name: str, member: str) -> None:
        number = len(self.rows.get("bindings", ()))
        row = Binding(
            id=f"b{number}", provider=provider, target=target, role=name, members=(member,)
        )
        self.add("bindings", row)

    def scopes(self, provider: str, kind: str, *ids: str, **more: Any) -> None:
        self.add("scopes", *(Scope(id=i, provider=provider, kind=kind, **more) for i in ids))

    def made(self) -> Snapshot:
        facts: Json = {section: tuple(rows) for section, rows in self.rows.items()}
        now = "2026-11-26T00:00:00Z"
        return canonical(Snapshot(schema=SCHEMA, taken_at=now, documents=self.documents, **facts))


def clouds() -> Estate:
    """All three, without what ties them."""
    made = Estate()
    made.scopes("aws", "account", HOME, AWAY)
    for name, number in ((role("admin"), HOME), (role("across"), HOME), (role("far", AWAY), AWAY)):
        made.add("principals", Principal(id=name, provider="aws", kind="role", scope=number))
    made.attach(role("admin"), "identity", allow(Action="*", Resource="*"))
    made.attach(role("across"), "trust", allow(Principal={"AWS": HOME}, Action="sts:AssumeRole"))

    made.scopes("azure", "tenant", TENANT)
    made.scopes("azure", "subscription", SUBSCRIPTION)
    made.scopes("azure", "resource-group", GROUP, parent=SUBSCRIPTION)
    managed: Json = {"resource": IDENTITY, "managed": "user"}
    for name, kind, about in (
        (AGENT, "managed-identity", managed),
        (OWNER, "service-principal", {}),
        (APP, "service-principal", {}),
    ):
        fact = Principal(id=name, provider="azure", kind=kind, scope=TENANT, attributes=about)
        made.add("principals", fact)
    kind = "microsoft.managedidentity/userassignedidentities"
    own: Json = {"principal": AGENT}
    made.add("resources", Resource(IDENTITY, "azure", kind, GROUP, attributes=own))
    made.role("azure", f"{ROLES}/owner", {"permissions": [{"actions": ["*"]}]})
    made.bind("azure", SUBSCRIPTION, f"{ROLES}/owner", OWNER)

    made.scopes("gcp", "organization", "organizations/1")
    for project, number in (("p1", "8"), ("p2", "9")):
        place: Json = {"parent": "organizations/1", "attributes": {"number": number}}
        made.scopes("gcp", "project", f"projects/{project}", **place)
    for unique, name, project in (
        ("1001", "admin", "p1"),
        ("1002", "agent", "p1"),
        ("1003", "reader", "p2"),
    ):
        fact = Principal(
            id=account(name, project),
            provider="gcp",
            kind="service-account",
            scope=f"projects/{project}",
            unique_id=unique,
        )
        made.add("principals", fact)
    acting = ["iam.serviceAccounts.getAccessToken"]
    made.role("gcp", "roles/user", {"includedPermissions": acting})
    ruling = ["resourcemanager.projects.setIamPolicy", *acting]
    made.role("gcp", "roles/owner", {"includedPermissions": ruling})
    made.bind("gcp", "projects/p1", "roles/owner", account("admin"))
    return made


def reached(made: Estate, start: str) -> Iterable[str]:
    return reach([start], providers.engines(facts_of(made.made()))).identities


def let_in_by_aws(made: Estate, issuer: str, subject: str) -> None:
    provider = f"arn:aws:iam::{AWAY}:oidc-provider/{issuer}"
    fact = Principal(id=provider, provider="aws", kind="oidc-provider", scope=AWAY)
    made.add("principals", fact)
    web_identity(made, provider, issuer, subject)


def web_identity(made: Estate, provider: str, issuer: str, subject: str) -> None:
    said = allow(
        Principal={"Federated": provider},
        Action="sts:AssumeRoleWithWebIdentity",
        Condition={"StringEquals": {f"{issuer}:sub": subject}},
    )
    made.attach(role("far", AWAY), "trust", said)


# --- others let somebody in --------------------------------------------------------------------


def test_an_administrator_of_a_project_goes_on_to_aws() -> None:
    made = clouds()
    web_identity(made, "accounts.google.com", "accounts.google.com", "1002")
    assert role("far", AWAY) in reached(made, account("agent"))
    assert role("far", AWAY) in reached(made, account("admin"))


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("start", [AGENT, OWNER])
def test_an_owner_of_a_subscription_goes_on_to_aws(start: str, slash: str) -> None:
    """Older tokens of Entra ID name an issuer that ends in a slash; so does its provider's ARN."""
    made = clouds()
    let_in_by_aws(made, f"sts.windows.net/{TENANT}{slash}", AGENT)
    assert role("far", AWAY) in reached(made, start)


def test_an_owner_goes_on_although_whom_it_becomes_has_a_role_there() -> None:
    made = clouds()
    made.bind("azure", GROUP, f"{ROLES}/owner", AGENT)
    let_in_by_aws(made, f"sts.windows.net/{TENANT}/", AGENT)
    assert role("far", AWAY) in reached(made, OWNER)


def test_an_owner_goes_on_to_an_application_that_an_identity_is_let_in_as() -> None:
    made = clouds()
    said = {"issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0", "subject": AGENT}
    made.attach(APP, "trust", said)
    made.bind("azure", "/subscriptions/s2", f"{ROLES}/owner", APP)
    assert APP in reached(made, AGENT)
    assert APP in reached(made, OWNER)


@pytest.mark.parametrize("start", ["across", "admin"])
def test_an_administrator_of_an_account_goes_on_to_google_cloud(start: str) -> None:
    made = clouds()
    about: Json = {"federation": "aws", "issuer": HOME, "state": "ACTIVE"}
    kind = "iam.googleapis.com/WorkloadIdentityPoolProvider"
    provider = Resource(f"//{POOL}/providers/aws", "gcp", kind, "projects/p2", attributes=about)
    made.add("resources", provider)
    by_role = f"attribute.aws_role/arn:aws:sts::{HOME}:assumed-role/across"
    reader = "//iam.googleapis.com/projects/p2/serviceAccounts/reader@p2.iam.gserviceaccount.com"
    made.bind("gcp", reader, "roles/user", f"principalSet://{POOL}/{by_role}")
    assert account("reader", "p2") in reached(made, role(start))


# --- and nobody else is told -------------------------------------------------------------------


def test_who_leads_nowhere_is_told_with_the_scope() -> None:
    made = clouds()
    let_in_by_aws(made, f"sts.windows.net/{TENANT}/", APP)
    assert set(reached(made, OWNER)) == {OWNER}
    assert set(reached(made, account("admin"))) == {account("admin")}
    assert set(reached(made, role("admin"))) == {role("admin")}


def test_an_administrator_has_what_groups_of_an_account_have_elsewhere() -> None:
    made = clouds()
    place = "projects/p2"
    made.bind("gcp", place, "roles/owner", "group:agents@acme.example")
    rows = made.rows["principals"]
    mine = next(at for at, one in enumerate(rows) if one.id == account("agent"))
    rows[mine] = msgspec.structs.replace(rows[mine], groups=("group:agents@acme.example",))
    taken = reach([account("admin")], providers.engines(facts_of(made.made()))).takeovers
    assert place in taken
