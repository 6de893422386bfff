"""The answers to a case: one for each way that what is open in it may turn out.

A case has `action` (`data:` before a data action), `resource`, `principal`, `person` (whether that
is one), `parents` (of subscriptions and management groups), `groups` (of each member),
`unread_groups`, `roles` (each a list of permission blocks, or null where it was not read),
`assignments`, `denies`, `locks` and `context` (attributes that are known).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from modelreach_reference.azure.conditions import Malformed, asked_about, holds
from modelreach_reference.azure.wildcards import action_matches

Case = Mapping[str, Any]
EVERYBODY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Answers:
    """What comes out for every way that open attributes may turn out: `allow`, `deny`, or
    `unknown` where that turns on something that was not read or understood."""

    found: frozenset[str]
    open: bool
    gaps: bool

    @property
    def verdict(self) -> str:
        """The one word that describes them."""
        if len(self.found) == 1:
            return next(iter(self.found))
        return "conditional" if "allow" in self.found else "unknown"


def answers(case: Case) -> Answers:
    """Try everything out."""
    attributes, gaps = _open(case)
    found: set[str] = set()
    for values in product(*attributes.values()):
        known = {**_context(case), **dict(zip(attributes, values, strict=True))}
        results = {
            _allowed(case, known, dict(zip(gaps, turned, strict=True)))
            for turned in product((True, False), repeat=len(gaps))
        }
        found.add("unknown" if len(results) > 1 else "allow" if True in results else "deny")
    return Answers(frozenset(found), bool(attributes), bool(gaps))


def count_completions(case: Case) -> int:
    """Count what `answers` has to try."""
    attributes, gaps = _open(case)
    total = 1 << len(gaps)
    for values in attributes.values():
        total *= len(values)
    return total


def _open(case: Case) -> tuple[dict[str, list[str]], list[str]]:
    """The attributes that are not known, with values to try; and what was not read."""
    known = _context(case)
    attributes: dict[str, list[str]] = {}
    gaps: set[str] = set()
    for text in _conditions(case):
        for name, values in asked_about(text).items():
            if name not in known:
                attributes.setdefault(name, []).extend(values)
        if _malformed(text, case, known):
            gaps.add(f"condition {text}")
    for place in case["locks"]:
        attributes[f"lock {place}"] = ["stays", "goes"]
    if case.get("person") and any(a.get("status") == "eligible" for a in case["assignments"]):
        attributes["activated"] = ["no", "yes"]
    for name, values in attributes.items():
        attributes[name] = list(dict.fromkeys(values))
    gaps.update(f"group {group}" for group in case["unread_groups"])
    used = {assignment["role"] for assignment in case["assignments"]}
    gaps.update(f"role {name}" for name in used if case["roles"].get(name) is None)
    return attributes, sorted(gaps)


def _malformed(text: str, case: Case, known: Mapping[str, str]) -> bool:
    """Is it no condition, whatever the attributes are?"""
    filled = {name: values[0] for name, values in asked_about(text).items()} | dict(known)
    try:
        holds(text, case["action"].removeprefix("data:"), filled)
    except Malformed:
        return True
    except KeyError:
        return True
    return False


def _conditions(case: Case) -> Iterator[str]:
    for assignment in case["assignments"]:
        yield assignment.get("condition", "")
        for block in case["roles"].get(assignment["role"]) or ():
            yield block.get("condition") or ""
    for deny in case["denies"]:
        yield deny.get("condition") or ""


def _context(case: Case) -> dict[str, str]:
    """What is known: what the case says, and the names in the resource's id."""
    known = {key.lower().removeprefix("@"): value for key, value in case["context"].items()}
    _, _, tail = case["resource"].rpartition("/providers/")
    namespace, *rest = tail.split("/")
    kind = namespace
    for position in range(0, len(rest) - 1, 2):
        kind = f"{kind}/{rest[position]}"
        known.setdefault(f"resource[{kind}:name]".lower(), rest[position + 1])
    return known


# --- one completion ------------------------------------------------------------------------


def _allowed(case: Case, known: Mapping[str, str], turned: Mapping[str, bool]) -> bool:
    places = _places(case)
    mine = _mine(case, turned)
    granted = any(_granted(case, one, places, mine, known, turned) for one in case["assignments"])
    denied = any(_denied(case, one, places, mine, known, turned) for one in case["denies"])
    return granted and not denied and not _locked(case, places, known, turned)


def _places(case: Case) -> list[str]:
    """The resource and everything that it lies in, lower case."""
    name = case["resource"].lower()
    found = [name]
    while "/" in name[1:]:
        name = name.rpartition("/")[0]
        found.append(name)
    for place in list(found):
        above = case["parents"].get(place)
        while above and above not in found:
            found.append(above)
            above = case["parents"].get(above)
    return [*found, "/"]


def _mine(case: Case, turned: Mapping[str, bool]) -> set[str]:
    """The principal and every group that it is in."""
    found = {case["principal"]}
    found |= {group for group in case["unread_groups"] if turned[f"group {group}"]}
    while True:
        more = {group for one in found for group in case["groups"].get(one, ())} - found
        if not more:
            return found
        found |= more


def _granted(
    case: Case,
    assignment: Case,
    places: list[str],
    mine: set[str],
    known: Mapping[str, str],
    turned: Mapping[str, bool],
) -> bool:
    if not _in_force(assignment, case, known):
        return False
    if assignment["principal"] not in mine or assignment["scope"].lower() not in places:
        return False
    if case["roles"].get(assignment["role"]) is None:
        return turned[f"role {assignment['role']}"]
    if not _holds(assignment.get("condition", ""), case, known, turned):
        return False
    return any(
        _speaks(block, case["action"])
        and _holds(block.get("condition") or "", case, known, turned)
        for block in case["roles"][assignment["role"]]
    )


def _in_force(assignment: Case, case: Case, known: Mapping[str, str]) -> bool:
    """A person may activate what it is eligible for; nobody else can.

    https://learn.microsoft.com/entra/id-governance/privileged-identity-management/pim-configure
    """
    status = assignment.get("status", "active")
    if status == "eligible":
        return bool(case.get("person")) and known.get("activated") == "yes"
    return bool(status == "active")


def _speaks(block: Case, action: str) -> bool:
    data = action.startswith("data:")
    name = action.removeprefix("data:")
    given = block.get("dataActions" if data else "actions") or ()
    taken = block.get("notDataActions" if data else "notActions") or ()
    return any(action_matches(p, name) for p in given) and not any(
        action_matches(p, name) for p in taken
    )


def _holds(text: str, case: Case, known: Mapping[str, str], turned: Mapping[str, bool]) -> bool:
    gap = f"condition {text}"
    if gap in turned:
        return turned[gap]
    return holds(text, case["action"].removeprefix("data:"), known)


def _denied(
    case: Case,
    deny: Case,
    places: list[str],
    mine: set[str],
    known: Mapping[str, str],
    turned: Mapping[str, bool],
) -> bool:
    if deny["scope"].lower() not in places:
        return False
    if deny.get("doNotApplyToChildScopes") and deny["scope"].lower() != places[0]:
        return False
    meant = {one["id"] for one in deny["principals"]}
    spared = {one["id"] for one in deny.get("excludePrincipals") or ()}
    if EVERYBODY not in meant and not meant & mine:
        return False
    if spared & mine:
        return False
    return any(_speaks(block, case["action"]) for block in deny["permissions"]) and _holds(
        deny.get("condition") or "", case, known, turned
    )


_LIFT = "Microsoft.Authorization/locks/delete"


def _locked(
    case: Case, places: list[str], known: Mapping[str, str], turned: Mapping[str, bool]
) -> bool:
    """Does a lock stop it? Not one that the principal may take away, where it does so first."""
    name = case["action"].lower()
    if name.startswith("data:") or name == _LIFT.lower():
        return False
    for place in places:
        levels = case["locks"].get(place, ())
        stops = "ReadOnly" in levels and not name.endswith("/read")
        stops |= "CanNotDelete" in levels and name.endswith("/delete")
        if stops and not _lifted(case, place, known, turned):
            return True
    return False


def _lifted(case: Case, place: str, known: Mapping[str, str], turned: Mapping[str, bool]) -> bool:
    if known[f"lock {place}"] == "stays":
        return False
    lifting = {**case, "action": _LIFT, "resource": place}
    return _allowed(lifting, {**known, **_context(lifting)}, turned)
