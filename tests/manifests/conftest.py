"""The importers on made-up files: by the program itself, or on bytes that a test makes up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelreach import plugins
from modelreach.cli import run
from modelreach.draft import merged, written
from modelreach.draft.declared import declared
from modelreach.draft.files import parsed
from modelreach.draft.said import Said, Secret, Source

FILES = Path(__file__).resolve().parents[2] / "fixtures" / "manifests"


@pytest.fixture(scope="session")
def importers() -> tuple[plugins.ManifestImporter, ...]:
    return plugins.manifest_importers()


@pytest.fixture(scope="session")
def drafted(importers: tuple[plugins.ManifestImporter, ...]) -> Callable[..., str]:
    """Give the draft of some files by name, over a manifest if one is given."""

    def draft(files: dict[str, bytes], onto: bytes = b"") -> str:
        sources: list[tuple[Source, tuple[Said | Secret, ...]]] = []
        if onto:
            sources.append((Source("release.yaml", "manifest"), tuple(declared(onto, "r.yaml"))))
        for name, raw in files.items():
            file = parsed(name, raw)
            readers = [one for one in importers if one.recognises(file)]
            sources += [(Source(name, one.what), tuple(one.read(file))) for one in readers]
        return written(merged(sources), by="a test")

    return draft


@pytest.fixture
def program(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run a command line in the folder of the fixtures: its exit code and what it said."""
    monkeypatch.chdir(FILES)

    def call(*arguments: object) -> tuple[int, str, str]:
        code = run([str(argument) for argument in arguments])
        found = capfdbinary.readouterr()
        return code, found.out.decode(), found.err.decode()

    return call
