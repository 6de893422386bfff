"""Several providers in one command: which option, source and folder goes to which."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelreach import plugins
from modelreach.cli.provider_options import OPTIONS, for_provider, settings
from modelreach.model import InputError
from modelreach.plugins import CollectOptions
from modelreach.snapshot import SCHEMA, Snapshot

BOTH = ("aws", "gcp")


class Kept:
    """A connector that keeps the options that it is given."""

    def __init__(self, name: str, taken_at: str) -> None:
        self.name, self.taken_at = name, taken_at
        self.given: list[CollectOptions] = []

    def collect(self, options: CollectOptions) -> Snapshot:
        self.given.append(options)
        return Snapshot(schema=SCHEMA, taken_at=self.taken_at)


@pytest.fixture
def connectors(monkeypatch: pytest.MonkeyPatch) -> dict[str, Kept]:
    found = {name: Kept(name, f"2026-01-0{day}T00:00:00Z") for day, name in enumerate(BOTH, 1)}
    monkeypatch.setattr(plugins, "connector", found.__getitem__)
    return found


def test_each_provider_gets_what_is_meant_for_it(
    connectors: dict[str, Kept], call: Any, place: Path
) -> None:
    done = call(
        *("collect", "aws", "gcp", "-o", "both.snap", "--profile", "ml", "--project", "a"),
        *("--project", "b", "--quota-project", "q", "--endpoint-url", "gcp=http://127.0.0.1:1"),
        *("--record", "kept"),
    )
    assert done.code == 0, done.err
    (aws,), (gcp,) = connectors["aws"].given, connectors["gcp"].given
    assert (aws.profiles, aws.settings, aws.endpoint_url) == (("ml",), {}, "")
    assert gcp.settings == {"project": ("a", "b"), "quota-project": ("q",)}
    assert gcp.endpoint_url == "http://127.0.0.1:1"
    assert (aws.record, gcp.record) == (Path("kept/aws"), Path("kept/gcp"))
    assert aws.now == gcp.now
    assert b'"taken_at":"2026-01-02T00:00:00Z"' in (place / "both.snap").read_bytes()


def test_a_recording_of_several_is_taken_apart(
    connectors: dict[str, Kept], call: Any, place: Path
) -> None:
    for name in BOTH:
        (place / "kept" / name).mkdir(parents=True)
        (place / "kept" / name / "manifest.json").write_text("{}")
    (place / "roles.json").write_text("{}")
    done = call(
        *("collect", "aws", "gcp", "-o", "x", "--from", "kept", "--from", "gcp=roles.json")
    )
    assert done.code == 0, done.err
    assert connectors["aws"].given[0].sources == (Path("kept/aws"),)
    assert connectors["gcp"].given[0].sources == (Path("kept/gcp"), Path("roles.json"))


def test_a_bare_source_of_several_is_refused(
    connectors: dict[str, Kept], call: Any, place: Path
) -> None:
    done = call("collect", "aws", "gcp", "-o", "x", "--from", "v1.yaml")
    assert done.code == 2
    assert "it is not said which of aws, gcp this is for" in done.err
    assert "--from aws=v1.yaml" in done.err


def test_a_value_with_a_sign_is_one_of_the_only_provider() -> None:
    assert for_provider(("a=b", "aws=c"), "aws", ("aws",), place="--from") == ("a=b", "c")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_is_refused_where_its_provider_is_not_read(option: Any) -> None:
    given = {option.parameter: ("x",) if option.many else "x"}
    assert settings((option.provider,), given) == {option.provider: {option.name: ("x",)}}
    with pytest.raises(InputError, match=f"option of `{option.provider}`"):
        settings(("other",), given)


def test_what_a_file_does_not_tell_is_said_in_words(call: Any, place: Path) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "agent"}}
    (place / "account.json").write_text(json.dumps(account))
    done = call("collect", "kubernetes", "--from", "account.json", "-o", "cluster.snap")
    assert done.code == 0
    assert done.err.splitlines()[1:] == [
        "  not read: not collected: list all else",
        "  not read: not collected: list rolebindings.rbac.authorization.k8s.io",
        "  what was not read counts as unknown, not as zero",
    ]
