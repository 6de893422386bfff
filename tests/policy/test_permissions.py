"""The set algebra: its laws against pointwise membership, its small forms, its comparisons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach.policy import automaton, permissions
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of, any_of, assign
from modelreach.policy.glob import Region, match
from modelreach.policy.permissions import (
    ALL,
    EMPTY,
    EVERYTHING,
    Box,
    Extent,
    Kind,
    PermissionSet,
    compare,
    expand_actions,
    render_box,
)

ATOMS = [Atom(AtomKind.CONTEXT, f"aws:Key{name}", "StringEquals", ("v",)) for name in "PQR"]
P, Q, R = ATOMS


def ref(number: int) -> StatementRef:
    return StatementRef(Layer.IDENTITY, "policy", "role", "", number, f"S{number}", "Allow", "")


def extent(*globs: str, outside: Iterable[str] = ()) -> Extent:
    return Extent.globs(globs, outside=outside)


def one(
    actions: str | Extent, resources: str | Extent = "*", condition: Expr = TRUE, *refs: int
) -> PermissionSet:
    act = extent(actions) if isinstance(actions, str) else actions
    res = extent(resources) if isinstance(resources, str) else resources
    return PermissionSet.of([Box(act, res, condition, tuple(map(ref, refs)))])


# --- points: enough strings to tell any two of the generated sets apart ---------------------

ACTIONS = [f"{a}:{b}{c}" for a in "sek" for b in "gpx" for c in ("", "o", "x")]
RESOURCES = [f"r/{a}{b}" for a in "abx" for b in ("", "/k", "/x")]
ASSIGNMENTS = [dict(zip(ATOMS, row, strict=True)) for row in product((True, False), repeat=3)]
ACTION_GLOBS = ["*", "s:*", "s:g*", "s:go", "e:*", "*:g*", "*o", "s:?", "s:p*"]
RESOURCE_GLOBS = ["*", "r/a*", "r/a", "r/a/*", "r/b*", "*/k", "r/?/*"]

Point = tuple[str, str, int]
POINTS = list(product(ACTIONS, RESOURCES, range(len(ASSIGNMENTS))))


def slow_members(boxes: Iterable[Box]) -> set[Point]:
    """The points in any of the boxes, one by one."""
    found: set[Point] = set()
    for box in boxes:
        actions = [name for name in ACTIONS if slow_in(box.actions, name)]
        resources = [name for name in RESOURCES if slow_in(box.resources, name)]
        rows = [
            row
            for row, known in enumerate(ASSIGNMENTS)
            if assign(box.condition, known.__getitem__) == TRUE
        ]
        found.update(product(actions, resources, rows))
    return found


def slow_in(extent_: Extent, text: str) -> bool:
    return any(
        all(match(glob, text) for glob in region.inside)
        and not any(match(glob, text) for glob in region.outside)
        for region in extent_.regions
    )


def extents(globs: list[str]) -> st.SearchStrategy[Extent]:
    some = st.lists(st.sampled_from(globs), max_size=2)
    region = st.builds(Region.of, some, some)
    return st.builds(Extent.of, st.lists(region, min_size=1, max_size=2))


literals = st.sampled_from([*ATOMS, *(~atom for atom in ATOMS)])
conditions = st.one_of(
    st.just(TRUE),
    literals,
    st.builds(all_of, st.lists(literals, max_size=2)),
    st.builds(any_of, st.lists(literals, min_size=1, max_size=2)),
)
boxes = st.builds(
    Box,
    extents(ACTION_GLOBS),
    extents(RESOURCE_GLOBS),
    conditions,
    st.lists(st.integers(0, 2).map(ref), max_size=2, unique=True).map(sorted).map(tuple),
)
box_lists = st.lists(boxes, max_size=3)
sets = st.builds(PermissionSet.of, box_lists)


@given(box_lists)
def test_the_small_form_is_the_same_set(some: list[Box]) -> None:
    made = PermissionSet.of(some)
    assert slow_members(made.boxes) == slow_members(some)
    assert made.boxes == PermissionSet.of(reversed(some)).boxes
    assert made.boxes == PermissionSet.of(made.boxes).boxes
    assert made.exact
    assert len(made.boxes) <= len(some)


@given(sets, sets)
def test_operations_agree_with_membership(a: PermissionSet, b: PermissionSet) -> None:
    ours, theirs = slow_members(a.boxes), slow_members(b.boxes)
    assert slow_members((a | b).boxes) == ours | theirs
    assert slow_members((a & b).boxes) == ours & theirs
    assert slow_members((a - b).boxes) == ours - theirs
    if a <= b:
        assert ours <= theirs
    if a == b:
        assert ours == theirs
    assert (a - b).is_empty() is (a <= b)


@given(sets)
def test_contains_agrees_with_membership(a: PermissionSet) -> None:
    ours = slow_members(a.boxes)
    for action, resource, row in POINTS[::7]:
        known = ASSIGNMENTS[row]
        expected = (action, resource, row) in ours
        assert a.contains(action.upper(), resource, known.__getitem__) is expected
        residual = a.condition_for(action, resource)
        assert (assign(residual, known.__getitem__) == TRUE) is expected


@given(sets, sets)
def test_difference_laws(a: PermissionSet, b: PermissionSet) -> None:
    assert ((a - b) & b).is_empty()
    assert (a - b) | (a & b) == a
    assert a - b <= a
    assert a - (a - b) == a & b
    assert (a - a).is_empty()
    assert a - EMPTY == a
    assert (EMPTY - a).is_empty()


@given(boxes, boxes)
def test_the_pieces_of_a_difference_have_nothing_in_common(a: Box, b: Box) -> None:
    pieces = [slow_members([piece]) for piece in a - b]
    assert sum(map(len, pieces)) == len(slow_members([a]) - slow_members([b]))
    assert len(pieces) <= 3


@given(sets, sets)
def test_lattice_laws(a: PermissionSet, b: PermissionSet) -> None:
    assert a | b == b | a
    assert a & b == b & a
    assert a | a == a & a == a
    assert a | (a & b) == a == a & (a | b)
    assert a <= a | b
    assert a & b <= a
    assert (a <= b) is (a | b == b) is (a & b == a)
    assert a | EMPTY == a == a & EVERYTHING
    assert a & EMPTY == EMPTY
    assert a | EVERYTHING == EVERYTHING


@given(sets, sets, sets)
def test_laws_of_three(a: PermissionSet, b: PermissionSet, c: PermissionSet) -> None:
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a - (b | c) == (a - b) & (a - c)
    assert a - (b & c) == (a - b) | (a - c)


@given(sets, sets)
def test_de_morgan(a: PermissionSet, b: PermissionSet) -> None:
    assert EVERYTHING - (a | b) == (EVERYTHING - a) & (EVERYTHING - b)
    assert EVERYTHING - (EVERYTHING - a) == a


@given(sets, sets)
def test_statements_are_kept(a: PermissionSet, b: PermissionSet) -> None:
    """A box of a difference or union names statements that each grant the whole box, or
    together with others cut to it: never one that was not there."""
    known = {ref for box in a.boxes for ref in box.because}
    assert {ref for box in (a - b).boxes for ref in box.because} <= known
    assert a.without_reasons() == a
    for box in (a - b).boxes:
        grown = PermissionSet.of(that for that in a.boxes if set(box.because) & set(that.because))
        assert not box.because or PermissionSet.of([box]) <= grown


@given(sets, st.sampled_from(ATOMS), st.booleans())
def test_assuming_settles_atoms(a: PermissionSet, atom: Atom, value: bool) -> None:
    settled = a.assuming({atom: value}.get)
    row = [i for i, known in enumerate(ASSIGNMENTS) if known[atom] is value]
    mine = {point for point in slow_members(a.boxes) if point[2] in row}
    assert {point for point in slow_members(settled.boxes) if point[2] in row} == mine


@given(sets, st.sampled_from(RESOURCES))
def test_actions_on_and_restrict(a: PermissionSet, resource: str) -> None:
    expected = {point for point in slow_members(a.boxes) if point[1] == resource}
    assert slow_members(a.actions_on(resource)) == expected
    only = a.restrict(resources=Extent.of([Region.only(resource)]))
    assert slow_members(only.boxes) == expected
    assert only <= a


# --- small forms ---------------------------------------------------------------------------


def test_boxes_that_differ_in_one_place_merge() -> None:
    merged = one("s3:get*", "b1") | one("s3:put*", "b1") | one(extent("s3:get*", "s3:put*"), "b2")
    assert merged.boxes == (Box(extent("s3:get*", "s3:put*"), extent("b1", "b2")),)


def test_opposite_conditions_merge() -> None:
    assert (one("s3:*", "*", P) | one("s3:*", "*", ~P)).boxes == (Box(extent("s3:*"), ALL),)


def test_boxes_of_different_statements_stay_apart() -> None:
    both = one("s3:*", "b1", TRUE, 1) | one("s3:*", "b2", TRUE, 2)
    assert [box.because for box in both.boxes] == [(ref(1),), (ref(2),)]
    assert len(both.without_reasons().boxes) == 1


def test_equal_boxes_keep_both_statements() -> None:
    both = one("s3:*", "b1", TRUE, 2) | one("s3:*", "b1", TRUE, 1)
    assert [box.because for box in both.boxes] == [(ref(1), ref(2))]


def test_a_narrower_box_is_dropped_with_its_statement() -> None:
    assert (one("s3:*", "*", TRUE, 1) | one("s3:get*", "b", P, 2)).boxes == one(
        "s3:*", "*", TRUE, 1
    ).boxes


def test_impossible_boxes_are_dropped() -> None:
    assert one("s3:*", "*", FALSE).is_empty()
    assert one("s3:*", "*", all_of((P, any_of((all_of((~P, Q)), all_of((~P, R))))))).is_empty()
    assert one(extent("s3:*", outside=["s3:*"])).is_empty()


def test_exceptions_are_filled_again() -> None:
    cut = extent("s3:*", outside=["s3:get*"])
    assert cut | extent("s3:get*") == extent("s3:*")
    assert cut | extent("s3:geto*") != extent("s3:*")
    assert not (cut | extent("s3:geto*")).same_as(extent("s3:*"))


# --- comparing -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (one("s3:*"), one("s3:get*"), Kind.NARROWED),
        (one("s3:get*"), one("s3:*"), Kind.WIDENED),
        (EMPTY, one("s3:*"), Kind.GAINED),
        (one("s3:*"), EMPTY, Kind.LOST),
        (one("s3:*"), one("s3:*", "*", P), Kind.NARROWED),
        (one("s3:*", "*", P), one("s3:*"), Kind.WIDENED),
        (one("s3:*", "b/*"), one("s3:*", "b/*") | one("s3:get*", "b/k"), Kind.SAME),
        (one("s3:*"), one("ec2:*"), Kind.MIXED),
        (one("s3:*", "*", P), one("s3:*", "*", Q), Kind.MIXED),
        (EMPTY, EMPTY, Kind.SAME),
    ],
)
def test_kinds_of_change(old: PermissionSet, new: PermissionSet, kind: Kind) -> None:
    assert compare(old, new).kind is kind


def test_gained_says_what_and_why() -> None:
    old = one("s3:get*", "b/*", TRUE, 1)
    change = compare(old, one("s3:*", "b/*", TRUE, 7))
    (box,) = change.gained.boxes
    assert box == Box(extent("s3:*", outside=["s3:get*"]), extent("b/*"), TRUE, (ref(7),))
    assert change.lost.is_empty()
    assert change.exact


# --- doubt ---------------------------------------------------------------------------------


def test_too_many_boxes_are_flagged_and_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "MAX_BOXES", 3)
    a = one("*", "*", TRUE, 1)
    parts = [Box(extent(f"s{i}:*"), extent(f"r{i}*"), P) for i in range(6)]
    b = PermissionSet(tuple(parts))
    rest = a - b
    assert not rest.exact
    assert not rest.is_empty()
    assert rest.contains("s9:x", "r9")
    assert not rest.contains("s0:x", "r0")
    common = PermissionSet(tuple(parts)) & b
    assert not common.exact
    assert common.contains("s5:x", "r5", {P: True}.__getitem__)


def test_what_is_in_doubt_is_not_taken_away() -> None:
    doubtful = PermissionSet((replace(one("s3:get*").boxes[0], exact=False),))
    rest = one("s3:*") - doubtful
    assert not rest.exact
    assert rest.contains("s3:getobject", "b")
    assert (one("ec2:*") - doubtful).exact
    assert not one("s3:getobject") <= doubtful
    assert (doubtful - one("s3:*")).is_empty()
    assert not (doubtful & one("s3:*")).exact
    assert not (one("s3:*") & doubtful).exact
    assert compare(doubtful, one("s3:*")).exact is False


def test_a_sure_box_is_kept_beside_a_doubtful_one() -> None:
    doubtful = replace(one("s3:*").boxes[0], exact=False)
    both = PermissionSet.of([doubtful, *one("s3:get*").boxes])
    assert (one("s3:getobject") - both).is_empty()
    assert not (one("s3:putobject") - both).is_empty()


def test_an_unsettled_region_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automaton, "MAX_STATES", 3)
    hard = Extent((Region(("*q1*w2*e3*", "*e3*w2*q1*"), ("*w2*", "*q1wz*")),))
    assert not PermissionSet.of([Box(hard, ALL)]).exact


def test_a_condition_of_many_atoms_is_settled() -> None:
    many = [Atom(AtomKind.CONTEXT, f"k{i:02}", "StringEquals", ("v",)) for i in range(40)]
    wide = one("s3:*", "*", any_of(many))
    narrow = one("s3:*", "*", all_of(many))
    assert narrow <= wide
    assert not wide <= narrow
    assert (wide - narrow).exact


# --- spelling out --------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    name: str


class SmallCatalogue:
    entries = tuple(map(Entry, ("s3:PutObject", "s3:GetObject", "s3:GetBucketAcl", "ec2:Run")))

    def matching(self, glob: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if match(glob, entry.name.lower()))


def test_expand_actions() -> None:
    catalogue = SmallCatalogue()
    assert expand_actions(extent("s3:*", outside=["s3:getb*"]), catalogue) == (
        "s3:GetObject",
        "s3:PutObject",
    )
    assert expand_actions(Region.of(("s3:*", "*acl")), catalogue) == ("s3:GetBucketAcl",)
    assert expand_actions(ALL, catalogue) == tuple(sorted(e.name for e in catalogue.entries))


def test_render_one_statement() -> None:
    box = Box(extent("s3:get*", "s3:put*"), extent("*", outside=["b/*"]), all_of((P, ~Q)))
    (line,) = render_box(box)
    assert (line.actions, line.not_actions) == (("s3:get*", "s3:put*"), ())
    assert (line.resources, line.not_resources) == (("*",), ("b/*",))
    assert line.conditions == ("StringEquals aws:KeyP v", "StringNotEquals aws:KeyQ v")
    assert line.one_statement


def test_render_what_no_single_statement_says() -> None:
    (line,) = render_box(Box(extent("s3:*", outside=["s3:get*"]), ALL))
    assert (line.actions, line.not_actions, line.one_statement) == (
        ("s3:*",),
        ("s3:get*",),
        False,
    )
    (joint,) = render_box(Box(ALL, Extent.of([Region.of(("app-*", "*-prod"))])))
    assert (joint.resources, joint.one_statement) == (("*-prod & app-*",), False)
    parts = render_box(Box(extent("s3:get*", outside=["s3:geto*"]) | extent("*object"), ALL))
    assert [(part.actions, part.not_actions) for part in parts] == [
        (("*object",), ()),
        (("s3:get*",), ("s3:geto*",)),
    ]


def test_render_literal_wildcards() -> None:
    (line,) = render_box(Box(ALL, Extent.of([Region.only("b/*")])))
    assert line.resources == ("b/${*}",)


def test_sets_are_not_hashable() -> None:
    with pytest.raises(TypeError):
        hash(EMPTY)
    assert EMPTY != "empty"
