"""Tokens of others, told from a plain case: what the comparison with the reference once found."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from organisations.clouds import hops

# The first one raises the limit of recursion.
import_module("celpy").Environment()

Json = dict[str, Any]
TENANT = "11111111-0000-0000-0000-000000000000"
ONE = "33333333-0000-0000-0000-000000000001"
TWO = "33333333-0000-0000-0000-000000000002"
UID = "1001"
EMAIL = "reader@p.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{EMAIL}"
POOL = "//iam.googleapis.com/projects/11/locations/global/workloadIdentityPools/a"
ROLE = "arn:aws:iam::111122223333:role/desk"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"
GOOGLE = "https://accounts.google.com"


def case(**parts: Any) -> Json:
    tenant = {"id": TENANT, "identities": parts.get("identities", [])}
    project = {
        "id": "p",
        "number": "11",
        "providers": parts.get("providers", []),
        "accounts": parts.get("google", []),
    }
    return {
        "clusters": [],
        "accounts": parts.get("accounts", []),
        "tenant": tenant,
        "project": project,
    }


def identity(name: str = ONE, **more: Any) -> Json:
    app = name.replace("3333", "2222")
    kind = "managed-identity"
    return {"id": name, "app": app, "kind": kind, "enabled": True, "credentials": [], **more}


def reader(*members: str, disabled: bool = False) -> Json:
    return {"email": EMAIL, "uid": UID, "disabled": disabled, "members": [*members]}


def provider(issuer: str, **more: Any) -> Json:
    plain = {"pool": POOL, "name": "x", "issuer": issuer, "aws": "", "audiences": []}
    return {**plain, "subject": "sub", "who": False, "condition": None, "disabled": False, **more}


def trusting(audience: str) -> Json:
    """An account of which a role lets a token of Google in, by the condition on its audience."""
    trust = {
        "provider": "google",
        "effect": "Allow",
        "sub": [UID],
        "like": None,
        "aud": audience,
    }
    role = {"name": "desk", "asks": None, "trust": [trust]}
    account = {"id": "111122223333", "issues": False, "issuer": "", "providers": []}
    return {**account, "roles": [role], "associations": []}


@pytest.mark.parametrize(("audience", "lets"), [(UID, True), ("sts.amazonaws.com", False)])
def test_the_audience_of_a_google_token_is_whom_it_was_made_out_to(
    audience: str, lets: bool
) -> None:
    found = hops(case(google=[reader()], accounts=[trusting(audience)]))
    assert found.get((MEMBER, ROLE)) == ("certain" if lets else None)


@pytest.mark.parametrize("enabled", [True, False])
def test_an_identity_of_entra_that_is_disabled_shows_no_token(enabled: bool) -> None:
    found = hops(case(identities=[identity(enabled=enabled)], providers=[provider(ENTRA)]))
    assert ((ONE, f"principal:{POOL}/subject/{ONE}") in found) is enabled


@pytest.mark.parametrize("disabled", [True, False])
def test_an_account_of_google_that_is_disabled_shows_no_token(disabled: bool) -> None:
    found = hops(case(google=[reader(disabled=disabled)], providers=[provider(GOOGLE)]))
    assert ((MEMBER, f"principal:{POOL}/subject/{UID}") in found) is not disabled


# --- attributes of a pool ------------------------------------------------------------------


def reached(*providers: Json, member: str) -> str | None:
    found = hops(
        case(identities=[identity()], providers=[*providers], google=[reader(f"{member}")])
    )
    return found.get((f"principal:{POOL}/subject/{ONE}", MEMBER))


def test_a_set_of_an_attribute_that_is_mapped() -> None:
    member = f"principalSet:{POOL}/attribute.who"
    assert reached(provider(ENTRA, who=True), member=f"{member}/{ONE}") == "certain"
    assert reached(provider(ENTRA, who=True), member=f"{member}/{TWO}") is None


def test_nobody_is_in_a_set_of_an_attribute_that_no_provider_maps() -> None:
    assert reached(provider(ENTRA), member=f"principalSet:{POOL}/attribute.who/{ONE}") is None


def test_nobody_is_in_a_set_of_an_attribute_that_only_another_issuer_maps() -> None:
    other = provider("https://oidc.one.example", name="y", who=True)
    member = f"principalSet:{POOL}/attribute.who/{ONE}"
    assert reached(provider(ENTRA), other, member=member) is None


def test_two_providers_of_which_one_maps_an_attribute() -> None:
    """It hangs on the provider to which the token is shown."""
    both = provider(ENTRA), provider(ENTRA, name="y", who=True)
    member = f"principalSet:{POOL}/attribute.who/{ONE}"
    assert reached(*both, member=member) == "perhaps"


def test_whom_a_binding_names_may_come_by_a_token_that_was_not_seen() -> None:
    found = hops(
        case(
            identities=[identity()],
            providers=[
                provider(ENTRA),
                provider("https://oidc.one.example", name="y", who=True),
            ],
            google=[
                reader(f"principalSet:{POOL}/attribute.who/{ONE}"),
                {
                    "email": "writer@p.iam.gserviceaccount.com",
                    "uid": "1002",
                    "disabled": False,
                    "members": [f"principal:{POOL}/subject/{ONE}"],
                },
            ],
        )
    )
    name = f"principal:{POOL}/subject/{ONE}"
    assert found[name, MEMBER] == "perhaps"
    assert found[name, "serviceAccount:writer@p.iam.gserviceaccount.com"] == "certain"
