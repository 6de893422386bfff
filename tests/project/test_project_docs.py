"""The documentation holds: links resolve, words are defined, nothing private is mentioned."""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote

import pytest

from modelreach.model import Capability, Severity, Strength, Verdict

LINK = re.compile(r"(?<!\\)\[[^\]\n]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
TERM = re.compile(r"^\*\*([^*]+)\*\*", re.MULTILINE)

#: What the surroundings of one machine, or somebody's private notes, would look like.
PRIVATE = {
    "a path of one machine": re.compile(r"(?<![\w.*-])/(?:work|root|opt|home)/[\w.]"),
    "notes beside the repository": re.compile(r"\.\./shared\b|/tmp/spec"),
    "a package registry's host": re.compile(
        r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|proxy\.golang\.org)", re.IGNORECASE
    ),
    "unfinished work": re.compile(r"\b(?:TODO|FIXME|XXX)\b(?!-)"),
}


def _markdown(files: tuple[Path, ...]) -> list[Path]:
    return [path for path in files if path.suffix == ".md"]


def _anchor(heading: str) -> str:
    """Give the anchor that the usual renderers make of a heading."""
    text = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return text.strip().replace(" ", "-")


def _anchors(path: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {_anchor(heading) for heading in HEADING.findall(text)}


def _broken(path: Path) -> list[str]:
    text = CODE.sub("", path.read_text(encoding="utf-8"))
    return [target for target in LINK.findall(text) if not _resolves(path, target)]


def _resolves(path: Path, target: str) -> bool:
    if re.match(r"[a-z]+:", target):
        return True
    name, _, anchor = unquote(target).partition("#")
    place = (path.parent / name).resolve() if name else path
    if not place.exists():
        return False
    return not anchor or place.suffix != ".md" or anchor in _anchors(place)


def test_every_link_within_the_repository_resolves(project_files: tuple[Path, ...]) -> None:
    broken = {str(path): _broken(path) for path in _markdown(project_files)}
    assert {path: links for path, links in broken.items() if links} == {}


def test_a_broken_link_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One `two`\n[a](#one-two) [b](#three) [c](no.md) `[d](no.md)`\n")
    assert _broken(page) == ["#three", "no.md"]


def test_every_extra_is_told_of(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = (root / "docs" / "howto" / "set-up.md").read_text(encoding="utf-8")
    rows = [row.split("|")[1] for row in told.splitlines() if row.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == {
        *project["optional-dependencies"]
    }


@pytest.mark.parametrize("folder", ["tutorial", "howto", "reference", "explanation", "adr"])
def test_every_page_is_listed_in_the_index(root: Path, folder: str) -> None:
    index = (root / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {(root / "docs" / link).resolve() for link in LINK.findall(index)}
    pages = set((root / "docs" / folder).rglob("*.md"))
    listed = {page for page in pages if page in linked or page.parent / "README.md" in linked}
    assert pages
    assert pages - listed == set()


@pytest.mark.parametrize("what", PRIVATE)
def test_nothing_private_is_mentioned(what: str, project_files: tuple[Path, ...]) -> None:
    found = []
    for path in project_files:
        if path == Path(__file__) or path.stat().st_size > 2_000_000:
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        found += [f"{path}: {hit.group()}" for hit in PRIVATE[what].finditer(text)]
    assert found == []


def _glossary(root: Path) -> list[str]:
    """Give the terms that are in use; a section may follow of those that are kept for later."""
    text = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    found: list[str] = TERM.findall(text.partition("\n## ")[0])
    assert found
    return found


def test_the_glossary_is_sorted_and_says_each_word_once(root: Path) -> None:
    terms = _glossary(root)
    assert terms == sorted(set(terms), key=str.lower)


def test_glossary_words_are_the_words_of_the_code(root: Path) -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8").lower() for path in sorted((root / "src").rglob("*.py"))
    )
    unused = [term for term in _glossary(root) if term.lower() not in code]
    assert unused == []


@pytest.mark.parametrize("words", [Verdict, Strength, Capability, Severity])
def test_the_values_of_the_vocabulary_are_explained(root: Path, words: type[StrEnum]) -> None:
    text = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert [word.value for word in words if f"`{word.value}`" not in text] == []
