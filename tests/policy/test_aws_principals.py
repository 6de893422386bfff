"""How a Principal element comes to mean a caller."""

from __future__ import annotations

import pytest

from modelreach.policy.aws.document import compile_document
from modelreach.policy.aws.principals import Caller, CallerKind, Way, spared, ways
from modelreach.policy.aws.statement import Principals
from modelreach.policy.expr import TRUE, Atom, AtomKind

A, B = "111111111111", "222222222222"
USER = Caller.of(f"arn:aws:iam::{A}:user/team/u", unique_id="AIDA1")
ROLE = Caller.of(f"arn:aws:iam::{A}:role/team/r", unique_id="AROA1")
SESSION = Caller.of(f"arn:aws:sts::{A}:assumed-role/r/s", unique_id="AROA1")
FEDERATED_USER = Caller.of(f"arn:aws:sts::{A}:federated-user/bob")
ROOT = Caller.of(f"arn:aws:iam::{A}:root")
SERVICE = Caller.of("sns.amazonaws.com")
OIDC = Caller.of(f"arn:aws:iam::{A}:oidc-provider/oidc.example")
ANONYMOUS = Caller.of("anonymous")


def named(element: object) -> Principals:
    statement = {"Effect": "Deny", "Action": "s3:*", "Principal": element}
    principals = compile_document({"Statement": statement}).statements[0].principals
    assert principals is not None
    return principals


@pytest.mark.parametrize(
    ("element", "caller", "way"),
    [
        ("*", USER, Way.EVERYONE),
        ("*", ANONYMOUS, Way.EVERYONE),
        ("*", SERVICE, Way.EVERYONE),
        ({"AWS": USER.arn}, USER, Way.USER),
        ({"AWS": "AIDA1"}, USER, Way.USER),
        ({"AWS": "AIDA2"}, USER, None),
        ({"AWS": f"arn:aws:iam::{A}:user/u"}, USER, None),
        ({"AWS": A}, USER, Way.ACCOUNT),
        ({"AWS": B}, USER, None),
        ({"AWS": [A, USER.arn]}, USER, Way.USER),
        ({"AWS": ROLE.arn}, ROLE, Way.ROLE),
        ({"AWS": "AROA1"}, ROLE, Way.ROLE),
        ({"AWS": ROLE.arn}, SESSION, Way.ROLE),
        ({"AWS": f"arn:aws:iam::{A}:role/r"}, SESSION, Way.ROLE),
        ({"AWS": f"arn:aws:iam::{B}:role/r"}, SESSION, None),
        ({"AWS": "AROA1"}, SESSION, Way.ROLE),
        ({"AWS": [ROLE.arn, SESSION.arn, A]}, SESSION, Way.SESSION),
        ({"AWS": [A, ROLE.arn]}, SESSION, Way.ROLE),
        ({"AWS": f"arn:aws:sts::{A}:assumed-role/r/t"}, SESSION, None),
        ({"AWS": FEDERATED_USER.arn}, FEDERATED_USER, Way.SESSION),
        ({"AWS": A}, FEDERATED_USER, Way.ACCOUNT),
        ({"AWS": A}, ROOT, Way.ROOT),
        ({"AWS": ROOT.arn}, ROOT, Way.ROOT),
        ({"AWS": B}, ROOT, None),
        ({"Service": "SNS.amazonaws.com"}, SERVICE, Way.SERVICE),
        ({"Service": "sqs.amazonaws.com"}, SERVICE, None),
        ({"AWS": A}, SERVICE, None),
        ({"Federated": OIDC.arn}, OIDC, Way.FEDERATED),
        ({"Federated": "oidc.example"}, OIDC, None),
        ({"AWS": A}, OIDC, None),
        ({"AWS": A}, ANONYMOUS, None),
        ({"CanonicalUser": "79a5"}, Caller.of("79a5"), Way.ACCOUNT),
        ({"CanonicalUser": "79a6"}, Caller.of("79a5"), None),
        (
            {"Federated": "cognito-identity.amazonaws.com"},
            Caller.of("cognito-identity.amazonaws.com"),
            Way.FEDERATED,
        ),
    ],
)
def test_ways(element: object, caller: Caller, way: Way | None) -> None:
    assert ways(named(element), caller) == (() if way is None else ((way, TRUE),))


def test_no_principal_element_means_everyone() -> None:
    assert ways(None, USER) == ((Way.EVERYONE, TRUE),)


def test_a_role_is_meant_by_the_name_of_a_session_it_may_take() -> None:
    element = {"AWS": [f"arn:aws:sts::{A}:assumed-role/r/{name}" for name in ("y", "x")]}
    taken = Atom(AtomKind.CONTEXT, "sts:RoleSessionName", "StringEquals", ("x", "y"))
    assert ways(named(element), ROLE) == ((Way.SESSION, taken),)
    element["AWS"].append(ROLE.arn)
    assert ways(named(element), ROLE) == ((Way.SESSION, taken), (Way.ROLE, TRUE))


@pytest.mark.parametrize(
    ("element", "caller", "is_spared"),
    [
        ("*", USER, True),
        ({"AWS": USER.arn}, USER, True),
        ({"AWS": A}, USER, False),
        ({"AWS": A}, ROOT, True),
        ({"AWS": [A, ROLE.arn]}, SESSION, True),
        ({"AWS": [A, SESSION.arn]}, SESSION, True),
        ({"AWS": A}, SESSION, False),
        ({"AWS": A}, ANONYMOUS, False),
        ({"Service": "sns.amazonaws.com"}, SERVICE, True),
    ],
)
def test_whom_not_principal_spares(element: object, caller: Caller, is_spared: bool) -> None:
    assert spared(named(element), caller) is is_spared


@pytest.mark.parametrize(
    ("principal", "kind", "name"),
    [
        (A, CallerKind.ROOT, ""),
        ("accounts.google.com", CallerKind.FEDERATED, ""),
        ("lambda.amazonaws.com", CallerKind.SERVICE, ""),
        ("79a59df900b949e55d96a1e698fbaced", CallerKind.CANONICAL, ""),
        (f"arn:aws-us-gov:iam::{A}:user/x/y", CallerKind.USER, "y"),
        (f"arn:aws:iam::{A}:saml-provider/idp", CallerKind.FEDERATED, "idp"),
    ],
)
def test_kinds_of_callers(principal: str, kind: CallerKind, name: str) -> None:
    caller = Caller.of(principal)
    assert (caller.kind, caller.name) == (kind, name)


def test_the_role_of_a_session_and_service_linked_roles() -> None:
    assert SESSION.role_arn == f"arn:aws:iam::{A}:role/r"
    given = Caller.of(SESSION.arn, role_arn=ROLE.arn)
    assert given.role_arn == ROLE.arn
    linked = f"arn:aws:iam::{A}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
    assert Caller.of(linked).service_linked
    assert Caller.of(f"arn:aws:sts::{A}:assumed-role/AWSServiceRoleForX/s").service_linked
    assert not ROLE.service_linked
