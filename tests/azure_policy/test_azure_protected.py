"""Whom a directory role may not change: who holds more, and what is of restricted management."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

GLOBAL = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED_AUTHENTICATION = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
AUTHENTICATION = "c4e39bd9-1100-46d3-8c65-fb160da0071f"
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
PASSWORDS = "966707d0-3269-4727-9be2-8c3a10f19b9d"
USERS = "fe930be7-5e62-47db-91af-98c3a49a38b1"
READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
REPORTS = "4a5d8f65-41da-4de4-8968-e035b65339cf"
GROUPS = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
UNIT = "/administrativeunits/80000000-0000-0000-0000-000000000002"
RESET = "microsoft.directory/users/password/update"
DELEGATE = "40000000-0000-0000-0000-00000000000a"
PERSON = "50000000-0000-0000-0000-00000000000b"


def reset(tenant: Any, role: str, theirs: tuple[str, ...] = (), **about: Any) -> str:
    """May who holds a role reset the password of a person who holds these?"""
    tenant.principal(PERSON, "user", about.pop("groups", ()), **about)
    tenant.directory(role, [RESET])
    for name in theirs:
        tenant.directory(name, ["microsoft.directory/x/read"], to=PERSON)
    return str(tenant.verdict(RESET, PERSON))


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (PASSWORDS, {READERS, PASSWORDS}),
        (HELPDESK, {READERS, PASSWORDS, HELPDESK, REPORTS}),
        (AUTHENTICATION, {READERS, PASSWORDS, AUTHENTICATION, REPORTS}),
        (USERS, {READERS, PASSWORDS, HELPDESK, REPORTS, GROUPS, USERS}),
        (
            PRIVILEGED_AUTHENTICATION,
            {READERS, PASSWORDS, HELPDESK, AUTHENTICATION, REPORTS, GROUPS, USERS, GLOBAL},
        ),
    ],
)
@pytest.mark.parametrize(
    "theirs", [READERS, PASSWORDS, HELPDESK, AUTHENTICATION, REPORTS, GROUPS, USERS, GLOBAL]
)
def test_whose_password_a_role_may_reset(
    tenant: Any, role: str, may: set[str], theirs: str
) -> None:
    """The table of Microsoft's documentation."""
    assert reset(tenant, role, (theirs,)) == ("allow" if theirs in may else "deny")


def test_one_role_too_many_protects(tenant: Any) -> None:
    assert reset(tenant, HELPDESK, (READERS, GROUPS)) == "deny"


@pytest.mark.parametrize(
    ("role", "verdict"),
    [(HELPDESK, "deny"), (PRIVILEGED_AUTHENTICATION, "allow"), ("custom", "deny")],
)
@pytest.mark.parametrize("how", ["member", "nested", "owner"])
def test_a_group_that_may_hold_roles_protects_who_is_in_it(
    tenant: Any, role: str, verdict: str, how: str
) -> None:
    owners = {"owners": (PERSON,)} if how == "owner" else {}
    tenant.principal(DELEGATE, "group", role_assignable=True, **owners)
    tenant.principal("inner", "group", (DELEGATE,))
    groups = {"member": (DELEGATE,), "nested": ("inner",), "owner": ()}[how]
    assert reset(tenant, role, groups=groups) == verdict


@pytest.mark.parametrize(("theirs", "verdict"), [((GLOBAL,), "conditional"), ((), "allow")])
def test_a_role_of_the_tenants_own_may_or_may_not(
    tenant: Any, theirs: tuple[str, ...], verdict: str
) -> None:
    assert reset(tenant, "custom", theirs) == verdict


def test_what_a_person_holds_was_not_read(tenant: Any) -> None:
    tenant.gap("directory-roles", tenant.tenant)
    assert reset(tenant, HELPDESK) == "unknown"


def test_a_role_for_a_unit_resets_passwords_of_who_holds_no_role(tenant: Any) -> None:
    tenant.scope(UNIT, "administrative-unit", tenant.tenant, members=(PERSON,))
    tenant.principal(PERSON, "user")
    tenant.directory(HELPDESK, [RESET], UNIT)
    assert tenant.verdict(RESET, PERSON) == "allow"
    tenant.directory(READERS, ["microsoft.directory/x/read"], to=PERSON)
    assert tenant.verdict(RESET, PERSON) == "deny"


# --- restricted management -----------------------------------------------------------------


def _restricted(tenant: Any, *members: str) -> None:
    tenant.scope(UNIT, "administrative-unit", tenant.tenant, members=members, restricted=True)


@pytest.mark.parametrize(("place", "verdict"), [("tenant", "deny"), (UNIT, "allow")])
@pytest.mark.parametrize("role", [HELPDESK, GLOBAL])
def test_a_unit_of_restricted_management_is_changed_by_its_own(
    tenant: Any, place: str, verdict: str, role: str
) -> None:
    _restricted(tenant, PERSON)
    tenant.principal(PERSON, "user")
    tenant.directory(role, [RESET], tenant.tenant if place == "tenant" else place)
    assert tenant.verdict(RESET, PERSON) == verdict


@pytest.mark.parametrize("restricted", [True, False])
def test_a_group_of_restricted_management_takes_no_members_from_others(
    tenant: Any, restricted: bool
) -> None:
    """Neither by a permission of Graph, nor by a role for the tenant, nor from its owner."""
    tenant.principal(DELEGATE, "group", owners=(tenant.ann,)).assign("Owner", tenant.rg, DELEGATE)
    tenant.permit("GroupMember.ReadWrite.All").permit("GroupMember.Read.All")
    tenant.directory(GROUPS, ["microsoft.directory/groups/members/update"])
    if restricted:
        _restricted(tenant, DELEGATE)
    found = tenant.pivots()
    assert (DELEGATE in found) is not restricted
    assert (DELEGATE in tenant.pivots(tenant.ann)) is not restricted
    assert tenant.verdict("graph:GroupMember.Read.All", DELEGATE) == "allow"


@pytest.mark.parametrize(
    ("role", "restricted", "expected"),
    [
        (HELPDESK, True, "deny"),
        (HELPDESK, False, "allow"),
        (USERS, True, "deny"),
        ("custom", True, "conditional"),
        (PRIVILEGED_AUTHENTICATION, True, "allow"),
        (GLOBAL, True, "allow"),
    ],
)
def test_who_holds_a_role_for_a_unit_of_restricted_management_is_protected(
    tenant: Any, role: str, restricted: bool, expected: str
) -> None:
    """Though any of these roles may reset the password of who holds the role for the tenant."""
    tenant.scope(UNIT, "administrative-unit", tenant.tenant, members=(), restricted=restricted)
    tenant.principal(PERSON, "user")
    tenant.directory(role, [RESET])
    tenant.directory(HELPDESK, [RESET], UNIT, to=PERSON)
    assert tenant.verdict(RESET, PERSON) == expected


def test_whether_a_unit_is_of_restricted_management_was_not_read(tenant: Any) -> None:
    tenant.gap("administrative-units", tenant.tenant)
    tenant.principal(PERSON, "user")
    tenant.directory(HELPDESK, [RESET])
    tenant.directory(HELPDESK, [RESET], UNIT, to=PERSON)
    assert tenant.verdict(RESET, PERSON) == "unknown"


# --- what a person is eligible for ---------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "verdict"), [("user", "conditional"), ("service-principal", "deny")]
)
@pytest.mark.parametrize("through", ["", "group"])
def test_a_person_activates_what_it_is_eligible_for(
    tenant: Any, kind: str, verdict: str, through: str
) -> None:
    tenant.principal(DELEGATE, "group").principal(PERSON, kind, (DELEGATE,) if through else ())
    tenant.assign("Owner", tenant.rg, DELEGATE if through else PERSON, status="eligible")
    decision = tenant.decide(tenant.list_keys, tenant.storage, PERSON)
    assert str(decision.verdict) == verdict
    assert ("eligible" in str(decision.residual)) is (verdict == "conditional")


def test_an_agent_user_activates_nothing(tenant: Any) -> None:
    tenant.principal(PERSON, "user", agent_user=True, parent=tenant.model)
    tenant.assign("Owner", tenant.rg, PERSON, status="eligible")
    assert tenant.verdict(tenant.list_keys, tenant.storage, PERSON) == "deny"


def test_who_takes_a_person_over_has_the_roles_that_this_may_activate(tenant: Any) -> None:
    """Who resets passwords reaches an administrator who is only eligible, on that condition."""
    tenant.principal(PERSON, "user")
    tenant.directory(HELPDESK, [RESET])
    tenant.directory(
        GLOBAL, ["microsoft.directory/roleAssignments/allProperties/allTasks"], to=PERSON
    )
    bindings = tenant.sections["bindings"]
    bindings[-1] = replace(bindings[-1], status="eligible")
    assert str(tenant.pivots()[PERSON].strength) == "certain"
    assert str(tenant.pivots(PERSON)[tenant.tenant].strength) == "conditional"


@pytest.mark.parametrize("how", ["eligible_members", "eligible_owners"])
@pytest.mark.parametrize(
    ("kind", "about", "joins"),
    [
        ("user", {}, True),
        ("user", {"agent_user": True}, False),
        ("service-principal", {}, False),
    ],
)
def test_a_person_activates_membership_of_a_group(
    tenant: Any, how: str, kind: str, about: Any, joins: bool
) -> None:
    """Who may become its owner may add itself then."""
    tenant.principal(DELEGATE, "group", **{how: (PERSON,)})
    tenant.principal(PERSON, kind, **about).assign("Owner", tenant.rg, DELEGATE)
    found = tenant.pivots(PERSON)
    assert (DELEGATE in found) is joins
    if joins:
        pivot = found[DELEGATE]
        assert (pivot.kind, str(pivot.strength)) == ("membership", "conditional")
        assert "activated" in str(pivot.residual)


def test_who_is_in_a_group_that_is_eligible_for_another_activates_that(tenant: Any) -> None:
    tenant.principal("inner", "group").principal(DELEGATE, "group", eligible_members=("inner",))
    tenant.principal(PERSON, "user", ("inner",)).assign("Owner", tenant.rg, DELEGATE)
    assert str(tenant.pivots(PERSON)[DELEGATE].strength) == "conditional"


def test_who_is_a_member_already_activates_nothing(tenant: Any) -> None:
    tenant.principal(DELEGATE, "group", eligible_members=(PERSON,))
    tenant.principal(PERSON, "user", (DELEGATE,)).assign("Owner", tenant.rg, DELEGATE)
    assert DELEGATE not in tenant.pivots(PERSON)


def test_a_person_that_is_only_eligible_is_worth_becoming(tenant: Any) -> None:
    tenant.principal(DELEGATE, "group", eligible_members=(PERSON,))
    tenant.principal(PERSON, "user").assign("Owner", tenant.rg, DELEGATE)
    tenant.directory(HELPDESK, [RESET])
    assert str(tenant.pivots()[PERSON].strength) == "certain"
