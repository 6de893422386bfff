"""Entrances from outside, where an example is too small: sessions of profiles, what was not read,
and the same in brief."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from modelreach.model import Strength
from modelreach.policy.aws.engine import AwsEngine
from modelreach.snapshot import (
    Coverage,
    Credential,
    Facts,
    Gap,
    Principal,
    Resource,
    Scope,
    canonical,
)
from organisations.told import told_of
from organisations.unread import Unread

ACCOUNT, OTHER = "111122223333", "444455556666"
IAM = f"arn:aws:iam::{ACCOUNT}:"
CALLER, ROLE, CORP = f"{IAM}role/caller", f"{IAM}role/target", f"{IAM}saml-provider/corp"
ANYWHERE = f"arn:aws:rolesanywhere:eu-west-1:{ACCOUNT}:"
ANCHOR, PROFILE = f"{ANYWHERE}trust-anchor/t1", f"{ANYWHERE}profile/p1"
THREE = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]


def _estate(scenes: Any, may: list[str], trust: dict[str, Any], *facts: Any) -> Any:
    estate = scenes.Estate()
    estate.add("scopes", Scope(id=ACCOUNT, provider="aws", kind="account"))
    estate.add("coverage", Coverage(provider="aws", scope=ACCOUNT, kind="principals"))
    for name in (CALLER, ROLE):
        short = name.rpartition("/")[2]
        role = Principal(id=name, provider="aws", kind="role", scope=ACCOUNT, name=short)
        estate.add("principals", role)
    estate.attach(CALLER, "identity", [{"Effect": "Allow", "Action": may, "Resource": "*"}])
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    estate.attach(ROLE, "identity", [everything])
    estate.attach(ROLE, "trust", [{"Effect": "Allow", **trust}])
    for section, fact in facts:
        estate.add(section, fact)
    return estate


def _anywhere(**condition: Any) -> dict[str, Any]:
    found = {"Principal": {"Service": "rolesanywhere.amazonaws.com"}, "Action": THREE}
    return {**found, **({"Condition": condition} if condition else {})}


def _profile(status: str = "active") -> tuple[str, Credential]:
    opened = Credential(
        id=f"{PROFILE}#{ROLE}",
        provider="aws",
        kind="roles-anywhere",
        principal=ROLE,
        scope=ACCOUNT,
        status=status,
        attributes={"profile": PROFILE},
    )
    return "credentials", opened


def _anchor(**attributes: Any) -> tuple[str, Resource]:
    kind = "rolesanywhere:trust-anchor"
    found = Resource(
        id=ANCHOR, provider="aws", kind=kind, scope=ACCOUNT, attributes=dict(attributes)
    )
    return "resources", found


def _ends(estate: Any) -> dict[str, str]:
    """Give where the caller gets, which is the same in brief."""
    engine = AwsEngine(Facts(estate.snapshot))
    found = {one.target: str(one.strength) for one in engine.pivots(CALLER)}
    assert {hop.target: str(hop.strength) for hop in engine.outline(CALLER).every} == found
    return found


def test_a_session_of_a_profile_is_within_its_policy(scenes: Any) -> None:
    estate = _estate(
        scenes, ["rolesanywhere:UpdateTrustAnchor"], _anywhere(), _profile(), _anchor()
    )
    lists = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    estate.attach(PROFILE, "session", [lists])
    (target,) = _ends(estate)
    assert target.startswith(f"{ROLE}#session=")
    engine = AwsEngine(Facts(estate.snapshot))
    assert str(engine.decide(target, "s3:ListAllMyBuckets", "*").verdict) == "allow"
    assert str(engine.decide(target, "s3:GetObject", "arn:aws:s3:::b/k").verdict) == "deny"


@pytest.mark.parametrize(
    "facts",
    [
        (_profile("inactive"), _anchor()),
        (_profile(), _anchor(enabled=False)),
        (_profile(),),
        (_anchor(),),
    ],
)
def test_what_is_turned_off_opens_nothing(scenes: Any, facts: tuple[Any, ...]) -> None:
    may = ["rolesanywhere:UpdateTrustAnchor"]
    assert _ends(_estate(scenes, may, _anywhere(), *facts)) == {}


@pytest.mark.parametrize(
    ("pattern", "means"),
    [
        (f"{ANYWHERE}trust-anchor/*", True),
        (f"arn:aws:rolesanywhere:us-east-1:{ACCOUNT}:*", True),
        (ANCHOR, False),
        (f"arn:aws:rolesanywhere:*:{OTHER}:trust-anchor/*", False),
    ],
)
def test_a_new_anchor_is_meant_by_a_pattern_only(scenes: Any, pattern: str, means: bool) -> None:
    trust = _anywhere(ArnLike={"aws:SourceArn": pattern})
    found = _ends(_estate(scenes, ["rolesanywhere:CreateTrustAnchor"], trust, _profile()))
    assert found == ({ROLE: "certain"} if means else {})


def test_a_trust_that_lets_no_session_be_tagged_lets_no_certificate_in(scenes: Any) -> None:
    trust = {**_anywhere(), "Action": "sts:AssumeRole"}
    may = ["rolesanywhere:CreateTrustAnchor"]
    assert _ends(_estate(scenes, may, trust, _profile())) == {}


def test_what_is_no_matter_of_the_certificate_is_left(scenes: Any) -> None:
    trust = _anywhere(
        StringEquals={"aws:PrincipalTag/x509Subject/OU": "ml"},
        IpAddress={"aws:SourceIp": "10.0.0.0/8"},
    )
    found = _ends(_estate(scenes, ["rolesanywhere:CreateTrustAnchor"], trust, _profile()))
    assert found == {ROLE: str(Strength.CONDITIONAL)}


def test_a_deny_in_the_trust_stands(scenes: Any) -> None:
    provider = Principal(id=CORP, provider="aws", kind="saml-provider", scope=ACCOUNT)
    trust = {"Principal": {"Federated": CORP}, "Action": "sts:AssumeRoleWithSAML"}
    estate = _estate(scenes, ["iam:UpdateSAMLProvider"], trust, ("principals", provider))
    assert _ends(estate) == {ROLE: "certain"}
    denied = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRoleWithSAML"}
    estate.attach(ROLE, "trust", [denied])
    assert _ends(estate) == {}


@pytest.mark.parametrize(
    ("kind", "section", "gone"),
    [
        ("rolesanywhere:profile", "credentials", lambda one: one.kind == "roles-anywhere"),
        ("rolesanywhere:trust-anchor", "resources", lambda one: one.id == ANCHOR),
    ],
)
def test_an_entrance_that_was_not_read_is_not_lost(
    scenes: Any, kind: str, section: str, gone: Any
) -> None:
    may = ["rolesanywhere:UpdateTrustAnchor"]
    whole = _estate(scenes, may, _anywhere(), _profile(), _anchor()).snapshot
    gap = Gap(provider="aws", scope=ACCOUNT, kind=kind, reason="denied")
    profile = Resource(id=PROFILE, provider="aws", kind="rolesanywhere:profile", scope=ACCOUNT)
    whole = msgspec.structs.replace(whole, resources=(*whole.resources, profile))
    left: Any = {section: tuple(o for o in getattr(whole, section) if not gone(o))}
    less = canonical(msgspec.structs.replace(whole, **left, gaps=(gap,)))
    assert told_of(whole, Unread(less, gap), "aws", CALLER) == []
