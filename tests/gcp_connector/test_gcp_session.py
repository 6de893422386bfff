"""Who asks: Application Default Credentials, another account, and what is sent where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from google_cloud.server import LocalGoogle
from modelreach.model import InputError, NothingCollected
from modelreach.plugins import CollectOptions
from modelreach.snapshot import encode
from modelreach_gcp import GcpConnector
from modelreach_gcp.live import asked_for
from modelreach_gcp.session import may_carry_a_token


@pytest.fixture(scope="module")
def key() -> str:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return private.private_bytes(*form, serialization.NoEncryption()).decode()


@pytest.fixture
def signed_in(
    local: LocalGoogle, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key file whose tokens come from the look-alike."""
    made = {
        "type": "service_account",
        "project_id": "ml-prod",
        "private_key_id": "k",
        "private_key": key,
        "client_email": "reader@ml-prod.iam.gserviceaccount.com",
        "token_uri": f"{local.url}/token",
    }
    path = tmp_path / "key.json"
    path.write_text(json.dumps(made))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


def test_tokens_of_the_default_credentials_are_sent(
    signed_in: None, local: LocalGoogle, collect: Any, whole: Any
) -> None:
    local.token = "token-of-a-key"
    assert encode(collect()) == encode(whole.snapshot)


def test_another_account_is_read_as(
    signed_in: None, local: LocalGoogle, collect: Any, whole: Any
) -> None:
    local.token = "token-of-another"
    email = "audit@ml-prod.iam.gserviceaccount.com"
    assert encode(collect(settings={"impersonate": (email,)})) == encode(whole.snapshot)
    (asked, *_) = [p for name, p in local.made if name.startswith("iamcredentials")]
    assert asked["path"].endswith(f"/serviceAccounts/{email}:generateAccessToken")


def test_an_account_that_is_none_is_an_error(signed_in: None, collect: Any) -> None:
    with pytest.raises(InputError, match="--impersonate: `nobody`"):
        collect(settings={"impersonate": ("nobody",)})


def test_the_project_that_pays_is_named(signed_in: None, local: LocalGoogle, collect: Any) -> None:
    collect(settings={"quota-project": ("pays",)})
    assert "pays" in local.quotas


def test_without_credentials_nothing_is_collected() -> None:
    with pytest.raises(NothingCollected, match="Google Cloud") as raised:
        GcpConnector().collect(CollectOptions(now="2026-11-24T00:00:00Z"))
    assert "gcloud auth application-default login" in raised.value.hint
    assert raised.value.exit_code == 4


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("", True),
        ("https://proxy.example", True),
        ("http://127.0.0.1:80", True),
        ("http://[::1]:80", True),
        ("http://localhost:80", True),
        ("http://proxy.example", False),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1.proxy.example", False),
    ],
)
def test_where_a_token_may_be_sent(url: str, may: bool) -> None:
    assert may_carry_a_token(url) is may


@pytest.mark.parametrize(
    ("options", "scopes"),
    [
        ({"scopes": ("organizations/1", "projects/p")}, ["organizations/1", "projects/p"]),
        ({"settings": {"organization": ("1",)}}, ["organizations/1"]),
        ({"settings": {"folder": ("folders/2",), "project": ("p",)}}, ["folders/2", "projects/p"]),
        ({}, []),
    ],
)
def test_what_is_asked_for(options: Any, scopes: list[str]) -> None:
    assert list(asked_for(CollectOptions(now="", **options))) == scopes


@pytest.mark.parametrize(
    "options",
    [
        {"scopes": ("ml-prod",)},
        {"scopes": ("projects/a/b",)},
        {"settings": {"project": ("organizations/1",)}},
        {"settings": {"folder": ("a/b",)}},
    ],
)
def test_what_is_no_scope_is_an_error(options: Any) -> None:
    with pytest.raises(InputError, match="--"):
        list(asked_for(CollectOptions(now="", **options)))


def test_roots_within_roots_are_read_once(local: LocalGoogle, collect: Any, whole: Any) -> None:
    snapshot = collect(scopes=("projects/ml-prod", "organizations/111"))
    assert snapshot.bindings == whole.snapshot.bindings
    assert local.count("cloudasset.searchAllIamPolicies") == 1


def test_nothing_is_imported_that_only_reading_needs() -> None:
    import subprocess
    import sys

    code = (
        "import sys, modelreach_gcp; modelreach_gcp.GcpConnector().calls(); "
        "print([n for n in sys.modules if n.split('.')[0] in ('google', 'grpc', 'requests')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
