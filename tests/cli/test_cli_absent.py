"""`can` about a thing that the snapshot does not list: unknown, or nothing of that id."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]
SA = "k8s/prod/system:serviceaccount:ml:app"


@pytest.fixture
def estate(call: Call, place: Path) -> tuple[str, str]:
    """A cluster from what `kubectl` lists: one account, and one secret."""
    of_ml = {"namespace": "ml"}
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "app", **of_ml}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", **of_ml}},
    ]
    path = place / "all.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    source = ("--from", str(path), "--cluster", "prod", "-q", "-o", "k8s.snap")
    assert call("collect", "kubernetes", *source).code == 0
    found = json.loads((place / "k8s.snap").read_text())
    found["gaps"] = []
    (place / "k8s.snap").write_text(json.dumps(found))
    return ("--snapshot", "k8s.snap")


def test_what_is_listed_is_denied(call: Call, estate: Any) -> None:
    done = call("can", SA, "core:secrets:get", "k8s/prod/ml/secrets/db", *estate)
    assert (done.code, " NOT ALLOWED " in done.out) == (0, True)


def test_a_slip_in_an_id_is_told(call: Call, estate: Any) -> None:
    done = call("can", SA, "core:secrets:get", "k8s/prod/ml/secrets/bd", *estate)
    assert done.code == 2
    assert "nothing in k8s.snap has the id `k8s/prod/ml/secrets/bd`" in done.err
    assert "namespace `k8s/prod/ml` was read" in done.err


def test_a_kind_that_is_never_listed_is_decided(call: Call, estate: Any) -> None:
    done = call("can", SA, "core:services:get", "k8s/prod/ml/services/web", *estate)
    assert (done.code, " NOT ALLOWED " in done.out) == (0, True)


def test_a_place_that_was_not_read_is_unknown(call: Call, estate: Any, place: Path) -> None:
    found = json.loads((place / "k8s.snap").read_text())
    gap = {"provider": "kubernetes", "scope": "k8s/prod", "kind": "kubernetes:secrets"}
    found["gaps"] = [{**gap, "reason": "denied"}]
    (place / "k8s.snap").write_text(json.dumps(found))
    done = call("can", SA, "core:secrets:get", "k8s/prod/ml/secrets/bd", *estate)
    assert done.code == 0
    assert "UNKNOWN" in done.out
    assert "whose place was not read" in " ".join(done.out.split())


def test_another_cluster_is_unknown(call: Call, estate: Any) -> None:
    done = call("can", SA, "core:secrets:get", "k8s/other/ml/secrets/db", *estate)
    assert "UNKNOWN" in done.out
