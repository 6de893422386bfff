"""Who somebody becomes by binding roles to itself that it may bind by their names."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.policy.providers import engines
from modelreach.reach import reach
from modelreach.snapshot import Facts

RBAC = "rbac.authorization.k8s.io"
SECRET = "k8s/prod/ml/secrets/db"
READS = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}]
MINTS = [{"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}]


def controller(cluster: Any, names: list[str], kind: str = "clusterroles", place: str = "") -> str:
    """An account that makes bindings of these roles, in a namespace or anywhere."""
    caller = str(cluster.account("caller"))
    cluster.let(caller, "create", "rolebindings", group=RBAC, namespace=place)
    cluster.let(caller, "bind", kind, group=RBAC, namespace=place, names=names)
    cluster.role("edit", READS)
    cluster.resource("secrets", "db")
    return caller


@pytest.mark.parametrize("place", ["", "ml"])
def test_who_binds_a_role_by_its_name_has_what_is_in_it(cluster: Any, place: str) -> None:
    caller = controller(cluster, ["edit"], place=place)
    assert cluster.may(caller, "core:secrets:get", SECRET) == "deny"
    (pivot,) = cluster.engine.pivots(caller)
    assert (pivot.kind, pivot.rule) == ("self-escalation", "k8s-bind-named-roles")
    assert (str(pivot.strength), pivot.target) == ("certain", f"{caller}#bound-roles")
    assert all(support.statements for support in pivot.support)
    more = pivot.target
    assert cluster.may(more, "core:secrets:get", SECRET) == "allow"
    elsewhere = "k8s/prod/web/secrets/x"
    assert cluster.may(more, "core:secrets:get", elsewhere) == ("deny" if place else "allow")
    # What it has anyway stays, and there is nothing more to become.
    assert cluster.may(more, f"{RBAC}:rolebindings:create", "k8s/prod/ml") == "allow"
    assert not tuple(cluster.engine.pivots(more))


@pytest.mark.parametrize(
    ("names", "kind"),
    [(["missing"], "clusterroles"), (["edit"], "roles"), (["view"], "clusterroles")],
)
def test_roles_that_are_not_there_or_not_named_are_not_bound(
    cluster: Any, names: list[str], kind: str
) -> None:
    caller = controller(cluster, names, kind)
    assert not tuple(cluster.engine.pivots(caller))


def test_a_role_of_a_namespace_is_bound_there(cluster: Any) -> None:
    caller = controller(cluster, ["own"], "roles")
    cluster.role("own", READS, "ml")
    assert cluster.may(f"{caller}#bound-roles", "core:secrets:get", SECRET) == "allow"


def test_what_is_held_already_is_not_bound(cluster: Any) -> None:
    caller = controller(cluster, ["edit"])
    cluster.bind(f"k8s/prod//clusterroles.{RBAC}/edit", caller)
    assert not tuple(cluster.engine.pivots(caller))


def test_the_way_goes_on_from_there(cluster: Any) -> None:
    """Who binds itself what mints tokens is whoever these are of."""
    caller = controller(cluster, ["minter"])
    other = cluster.account("other")
    cluster.role("minter", MINTS)
    found = reach([caller], engines(Facts(cluster.snapshot)))
    rules = [pivot.rule for pivot in found.identities[other].path.pivots]
    assert rules == ["k8s-bind-named-roles", "k8s-token-request"]


def test_an_account_of_an_odd_name_is_itself(cluster: Any) -> None:
    odd = cluster.user("ann#bound-roles")
    assert cluster.engine.principal(odd).name == "ann#bound-roles"
    assert cluster.engine.principal("k8s/prod/user:bob#bound-roles") is None
