"""Every rule, trigger and demand answers to a standard, and to none that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelreach import standards
from modelreach.gate.catalogue import DEMANDS, TRIGGERS, Demand
from modelreach.judge.rules import ALL
from modelreach.standards.page import page
from modelreach_reports.phrases import standards_words

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "standards.md"
TITLES = {
    **{rule.ID: rule.TITLE for rule in ALL},
    **{kind.id: kind.title for kind in TRIGGERS},
    **{demand.value: title for demand, title in DEMANDS.items()},
}
KEY = re.compile(r"[A-Z0-9-]+:[0-9a-z.-]+:[A-Z]{1,4}[A-Z0-9.()-]*")


def test_everything_carries_standards_and_nothing_unknown_does() -> None:
    assert set(standards.mapped()) == set(TITLES)
    assert [id_ for id_ in TITLES if not standards.of(id_)] == []


def test_every_entry_is_used_once_named_and_published() -> None:
    keys = [one.key for one in standards.REFERENCES]
    assert len(keys) == len(set(keys))
    used = {key for listed in standards.mapped().values() for key in listed}
    assert set(keys) - used == set()
    for one in standards.REFERENCES:
        assert KEY.fullmatch(one.key), one.key
        assert one.title
        assert one.source.startswith("https://")


def test_a_risk_of_the_llm_list_is_given_in_both_editions() -> None:
    for id_ in TITLES:
        editions = [one.framework.edition for one in standards.of(id_) if "LLM" in one.id]
        assert editions.count("2025") == editions.count("2026"), id_


def test_numbers_of_the_llm_list_follow_their_edition() -> None:
    titles = {
        one.key.removeprefix("OWASP-LLM:"): one.title
        for one in standards.REFERENCES
        if one.framework.code == "OWASP-LLM"
    }
    assert titles["2025:LLM06"] == "Excessive Agency" == titles["2026:LLM03"]
    assert titles["2025:LLM03"] == "Supply Chain" == titles["2026:LLM04"]


@pytest.mark.parametrize("trigger", [kind.id for kind in TRIGGERS])
def test_every_trigger_is_a_change(trigger: str) -> None:
    keys = {one.key for one in standards.of(trigger)}
    assert keys >= {"NIST-CSF:2.0:GV.OC-01", "NIST-CSF:2.0:ID.RA-07"}


@pytest.mark.parametrize(
    "code",
    [
        *("OWASP-NHI", "OWASP-ASI", "OWASP-LLM", "NIST-CSF", "NIST-800-53"),
        *("CSA-MAESTRO", "MITRE-ATTACK", "MITRE-ATLAS"),
    ],
)
def test_each_standard_is_referred_to(code: str) -> None:
    assert any(one.framework.code == code for id_ in TITLES for one in standards.of(id_))


def test_references_that_do_not_exist_are_nowhere_but_in_the_note() -> None:
    keys = {one.key for one in standards.REFERENCES}
    for quoted in standards.QUOTED:
        assert set(quoted.stands_for) <= keys
    ids = {one.id for one in standards.REFERENCES}
    assert ids.isdisjoint({"A2", "M1"})


def test_each_demand_for_a_retest_answers_to_a_test_of_security() -> None:
    for demand in Demand:
        if demand.value.startswith("retest-"):
            assert "NIST-800-53:r5:SA-11" in {one.key for one in standards.of(demand)}


def test_an_id_of_a_stranger_carries_none() -> None:
    assert standards.of("ACME-7") == ()


def test_the_page_is_made_from_the_tables() -> None:
    """Write it anew with `python tests/standards/write_page.py`."""
    assert PAGE.read_text(encoding="utf-8") == page(TITLES)


def test_words_for_people_name_each_standard_once() -> None:
    keys = [one.key for one in standards.of("MR101")]
    words = standards_words(keys)
    assert words.startswith("OWASP-NHI 2025: NHI5; OWASP-ASI 2026: ASI03; ")
    assert "NIST-CSF 2.0: ID.AM-07, PR.AA-05" in words
    assert words.count("NIST-CSF") == 1
