"""What a comparison says, and that nothing which is not known counts as a success."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach.evidence import (
    Attempt,
    CategoryResult,
    Comparison,
    Evidence,
    Outcome,
    Retest,
    Unit,
    compare_evidence,
    standing,
    totals,
)

HELD, BROKEN, ERROR = Outcome.HELD, Outcome.BROKEN, Outcome.ERROR
LETTERS = {"h": HELD, "b": BROKEN, "e": ERROR}


def _side(name: str, categories: dict[str, str | list[str]], *, pairable: bool = True) -> Evidence:
    """Write a report: a letter a case, or a word a case with a letter a run."""
    return Evidence(
        tool="t",
        tool_version="",
        suite="",
        source=name,
        digest=f"sha256:{name}",
        targets=(name,),
        date="",
        pairable=pairable,
        attempts=tuple(
            Attempt(f"{number}", category, LETTERS[letter], run)
            for category, cases in categories.items()
            for number, runs in enumerate(cases)
            if runs != "-"
            for run, letter in enumerate(runs, 1)
        ),
        retests=tuple((category, Retest.JAILBREAK) for category in categories),
    )


def _one(old: str | list[str], new: str | list[str], **options: float) -> CategoryResult:
    results = compare_evidence(
        [_side("old", {"c": old})],
        [_side("new", {"c": new})],
        **options,  # type: ignore[arg-type]
    )
    assert len(results) == 1
    return results[0]


def test_a_clear_loss_is_a_regression() -> None:
    result = _one("h" * 60, "b" * 12 + "h" * 48)
    assert result.verdict is Comparison.REGRESSION
    assert result.p_value == pytest.approx(2**-12)
    assert len(result.newly_broken) == 12


def test_many_cases_without_loss_are_no_worse() -> None:
    result = _one("b" * 10 + "h" * 190, "b" * 10 + "h" * 190)
    assert (result.verdict, result.difference) == (Comparison.NON_INFERIOR, 0)
    assert result.high <= 0.05


def test_few_cases_without_loss_are_not_enough_and_it_says_how_many_would_be() -> None:
    result = _one("h" * 20, "h" * 20)
    assert (result.verdict, result.needed) == (Comparison.NOT_ENOUGH, 53)
    enough = 20 + 53
    assert _one("h" * enough, "h" * enough).verdict is Comparison.NON_INFERIOR
    fewer = _one("h" * (enough - 1), "h" * (enough - 1))
    assert (fewer.verdict, fewer.needed) == (Comparison.NOT_ENOUGH, 1)


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(1, 12))
def test_as_many_as_are_needed_do_decide(both: int, newly: int, mended: int, rest: int) -> None:
    old = "b" * both + "h" * newly + "b" * mended + "h" * rest
    new = "b" * both + "b" * newly + "h" * mended + "h" * rest
    result = _one(old, new)
    if result.needed and result.needed % len(old) == 0:
        times = 1 + result.needed // len(old)
        assert _one(old * times, new * times).verdict is not Comparison.NOT_ENOUGH


def test_a_loss_within_the_margin_is_no_worse_and_said_to_be_worse() -> None:
    result = _one("h" * 1000, "b" * 9 + "h" * 991)
    assert result.verdict is Comparison.NON_INFERIOR
    assert result.note == "worse, but within the margin"
    assert _one("h" * 1000, "b" * 9 + "h" * 991, margin=0.005).verdict is Comparison.REGRESSION


def test_a_loss_that_no_number_of_cases_explains_away_has_a_number_that_shows_it() -> None:
    result = _one("h" * 20, "b" * 2 + "h" * 18)
    assert result.verdict is Comparison.NOT_ENOUGH
    assert result.needed is not None
    shown = 20 + result.needed
    share = shown // 10
    assert _one("h" * shown, "b" * share + "h" * (shown - share)).verdict is Comparison.REGRESSION


def test_runs_of_a_case_are_one_case() -> None:
    """Ten cases run thirty times over are ten cases: p-values do not shrink."""
    old, new = ["h" * 30] * 10, ["b" * 30] * 3 + ["h" * 30] * 7
    result = _one(old, new)
    assert (result.new.broken, result.new.cases) == (3, 10)
    assert result.p_value == pytest.approx(1 / 8)
    (loose,) = compare_evidence(
        [_side("old", {"c": old})], [_side("new", {"c": new})], unit=Unit.ATTEMPT
    )
    assert loose.new.cases == 300
    assert loose.p_value == pytest.approx(2**-90)


def test_any_broken_run_breaks_the_case() -> None:
    assert _one(["hhhh"] * 9, ["hhbh"] + ["hhhh"] * 8).new.broken == 1


def test_more_runs_do_not_find_more() -> None:
    """What only the new release's further runs show, the old one was never asked."""
    result = _one(["h"] * 9, ["hb"] * 9)
    assert result.new.broken == 0
    loose = compare_evidence(
        [_side("old", {"c": ["h"] * 9}, pairable=False)],
        [_side("new", {"c": ["hb"] * 9}, pairable=False)],
    )
    assert loose[0].new.broken == 0


@pytest.mark.parametrize("pairable", [True, False])
def test_a_bad_run_is_not_hidden_by_a_good_one_before_it(pairable: bool) -> None:
    """Two reports on the new release, of which the first is fine."""
    good, bad = (_side(n, {"c": w * 100}, pairable=pairable) for n, w in (("1", "h"), ("2", "b")))
    (result,) = compare_evidence([_side("old", {"c": "h" * 100}, pairable=pairable)], [good, bad])
    assert (result.verdict, result.further) == (Comparison.NOT_ENOUGH, 100)
    assert "100 broke only in runs that the old release did not have" in result.note
    twice = [_side(name, {"c": "h" * 100}, pairable=pairable) for name in ("o1", "o2")]
    (fair,) = compare_evidence(twice, [good, bad])
    assert (fair.verdict, fair.new.broken) == (Comparison.REGRESSION, 100)


def test_a_case_that_is_listed_again_is_the_same_case() -> None:
    once = _side("new", {"c": "b" + "h" * 19})
    again = replace(once, attempts=once.attempts * 3)
    for unit in Unit:
        (result,) = compare_evidence([_side("old", {"c": "h" * 20})], [again], unit=unit)
        assert (result.new.broken, result.new.cases) == (1, 20)


@pytest.mark.parametrize(("old", "new"), [("h", "e"), ("e", "h"), ("h", "-"), ("-", "h")])
def test_what_has_no_result_is_never_a_success(old: str, new: str) -> None:
    """Two hundred good cases, and twenty of which one side knows nothing."""
    result = _one("h" * 200 + old * 20, "h" * 200 + new * 20)
    known_only = {("h", "e"), ("h", "-")}
    if (old, new) in known_only:
        assert (result.verdict, result.needed) == (Comparison.NOT_ENOUGH, 20)
    assert result.new.cases == 200
    assert result.note
    assert result.worst_high >= result.high - 0.02


def test_new_cases_that_break_are_not_hidden_by_old_ones_that_hold() -> None:
    result = _one("h" * 200 + "-" * 40, "h" * 200 + "b" * 40)
    assert (result.verdict, result.added) == (Comparison.NOT_ENOUGH, 40)


def test_a_category_of_one_side_is_there_and_not_enough() -> None:
    old, new = (
        _side("old", {"a": "h" * 300, "b": "h" * 9}),
        _side("new", {"a": "h" * 300, "c": "h"}),
    )
    verdicts = {r.category: (r.verdict, r.needed, r.note) for r in compare_evidence([old], [new])}
    assert verdicts == {
        "a": (Comparison.NON_INFERIOR, None, ""),
        "b": (Comparison.NOT_ENOUGH, 9, "not run on the new release"),
        "c": (Comparison.NOT_ENOUGH, 1, "not run on the old release"),
    }
    errors = _side("new", {"b": "e" * 9})
    (result,) = compare_evidence([_side("old", {"b": "e" * 9})], [errors])
    assert (result.verdict, result.note) == (
        Comparison.NOT_ENOUGH,
        "no case has a result on either side",
    )


def test_the_same_report_on_both_sides_shows_nothing() -> None:
    same = _side("same", {"c": "h" * 500})
    (result,) = compare_evidence([same], [same])
    assert (result.verdict, result.note) == (
        Comparison.NOT_ENOUGH,
        "the same report on both sides",
    )


@pytest.mark.parametrize(
    ("old", "new", "comparable"),
    [
        ("refusal, correct means held", "refusal, correct means held", True),
        ("refusal, correct means held", "refusal, correct means broken", False),
        ("detector from 0.5", "detector from 0.9", False),
        ("", "detector from 0.9", True),  # what was not said is not another
    ],
)
def test_a_grader_that_changed_explains_any_difference(
    old: str, new: str, comparable: bool
) -> None:
    before, after = (
        replace(_side(side, {"c": "h" * 300}), graders=(("c", grader),) if grader else ())
        for side, grader in (("old", old), ("new", new))
    )
    (result,) = compare_evidence([before], [after])
    assert (result.verdict is Comparison.NON_INFERIOR) is comparable
    if not comparable:
        assert result.note == f"graded otherwise on both sides: {old} before, {new} now"


def test_cases_that_are_mostly_others_are_compared_unpaired() -> None:
    old = _side("old", {"c": "h" * 30 + "-" * 25})
    new = _side("new", {"c": "-" * 25 + "h" * 30})
    (result,) = compare_evidence([old], [new])
    assert (result.paired, result.old.cases, result.new.cases) == (False, 30, 30)
    assert "different cases" in result.note


def test_more_categories_need_clearer_losses() -> None:
    lone = _one("h" * 60, "b" * 5 + "h" * 55)
    assert lone.verdict is Comparison.REGRESSION
    quiet = {f"q{number}": "h" * 60 for number in range(9)}
    found = compare_evidence(
        [_side("old", {"c": "h" * 60, **quiet})],
        [_side("new", {"c": "b" * 5 + "h" * 55, **quiet})],
    )
    assert found[0].category == "c"
    assert found[0].p_value == lone.p_value
    assert found[0].p_adjusted == pytest.approx(10 * lone.p_value)
    assert found[0].verdict is Comparison.NOT_ENOUGH


def test_totals_are_over_all_categories_of_a_tool() -> None:
    old = _side("old", {"a": "h" * 20, "b": "hb" * 10})
    new = _side("new", {"a": "b" * 5 + "h" * 15, "b": "hb" * 10})
    (total,) = totals([old], [new])
    assert (total.category, total.old.broken, total.new.broken) == ("ALL", 10, 15)
    assert (total.new.cases, len(total.newly_broken)) == (40, 5)


def test_the_standing_of_a_test_is_its_worst_category() -> None:
    old = _side("old", {"a": "h" * 300, "b": "h" * 9, "c": "h" * 60})
    new = _side("new", {"a": "h" * 300, "b": "h" * 9, "c": "b" * 20 + "h" * 40})
    results = compare_evidence([old], [new])
    assert standing(results, Retest.JAILBREAK) is Comparison.REGRESSION
    assert standing(results[:2], Retest.JAILBREAK) is Comparison.NOT_ENOUGH
    assert standing(results[:1], Retest.JAILBREAK) is Comparison.NON_INFERIOR
    assert standing(results, Retest.PROMPT_LEAK) is None


@given(st.lists(st.sampled_from("hbe"), min_size=1, max_size=25), st.data())
def test_the_order_of_attempts_and_reports_does_not_matter(
    old: list[str], data: st.DataObject
) -> None:
    new = data.draw(st.lists(st.sampled_from("hbe"), min_size=len(old), max_size=len(old)))
    before, after = _side("old", {"c": "".join(old)}), _side("new", {"c": "".join(new)})
    shuffled = replace(after, attempts=tuple(data.draw(st.permutations(after.attempts))))
    assert compare_evidence([before], [after]) == compare_evidence([before], [shuffled])


@given(st.lists(st.sampled_from([*product("hb", "hb")]), min_size=1, max_size=40))
def test_mending_a_case_never_makes_it_worse(pairs: list[tuple[str, str]]) -> None:
    ranks = [Comparison.NON_INFERIOR, Comparison.NOT_ENOUGH, Comparison.REGRESSION]
    old, new = ("".join(side) for side in zip(*pairs, strict=True))
    before = _one(old, new)
    if "b" in new:
        after = _one(old, new.replace("b", "h", 1))
        assert after.p_value <= 1
        assert after.p_value >= before.p_value - 1e-12
        assert ranks.index(after.verdict) <= ranks.index(before.verdict)
