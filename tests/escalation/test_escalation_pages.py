"""The pages of the catalogue are those that the rules give."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelreach.policy.aws.escalation import SERVICES, compiled, rules, services
from modelreach.policy.aws.escalation_pages import pages
from modelreach.strict_yaml import decode

FOLDER = Path(__file__).parents[2] / "docs" / "reference" / "escalation"
CATALOGUE = Path(__file__).parents[2] / "src/modelreach/policy/aws/escalation"


@pytest.mark.parametrize("name", pages())
def test_a_page_is_up_to_date(name: str) -> None:
    text = FOLDER.joinpath(name).read_text(encoding="utf-8")
    assert text == pages()[name], "run: python tests/escalation/write_pages.py"


def test_the_rules_that_are_read_are_those_of_the_catalogue() -> None:
    kept = CATALOGUE.with_suffix(".json").read_bytes()
    assert kept == compiled(), "run: python tests/escalation/write_pages.py"
    written = (rule for service in services().values() for rule in service.rules)
    assert rules() == tuple(rule.bare for rule in written)


def test_there_are_no_other_pages() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(pages())


def test_the_index_names_every_rule() -> None:
    index = pages()["README.md"]
    assert [rule.id for rule in rules() if f"[{rule.id}](" not in index] == []


def test_every_file_of_the_catalogue_is_read() -> None:
    assert {path.stem for path in CATALOGUE.iterdir()} == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_the_strict_reader_reads_the_same(name: str) -> None:
    """The quick loader does not look for keys that are given twice; the strict one does."""
    raw = CATALOGUE.joinpath(f"{name}.yaml").read_bytes()
    strict, _ = decode(raw, type(services()[name]), place=name, what="rules", hint="", fields=())
    assert strict == services()[name]
