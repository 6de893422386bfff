"""Coverage and gaps: what was asked for, what was refused, and what would close the gap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelreach.snapshot import Coverage
from modelreach_gcp.answers import UNREACHABLE, Answer
from modelreach_gcp.call import Call
from modelreach_gcp.calls import CALLS, call_of
from modelreach_gcp.estate import BULK, LIST, MANAGERS, POLICIES, SEARCH, Estate
from modelreach_gcp.parse import compute
from modelreach_gcp.parse.facts import PROVIDER, Facts
from modelreach_gcp.places import ASSET_TYPES
from modelreach_gcp.select import listed, texts

#: Policies of single scopes or things: they say nothing of what is below.
_ONE_POLICY: Final = frozenset(
    {
        ("iam.v1", "projects.serviceAccounts.getIamPolicy"),
        ("storage.v1", "buckets.getIamPolicy"),
        *((MANAGERS, f"{kind}.getIamPolicy") for kind in ("organizations", "folders", "projects")),
    }
)
#: Told of where roles are.
_ROLES: Final = ("iam.v1", "roles.get")
_RUNTIMES: Final = tuple(f"runtimes:{asset}" for asset in compute.TYPES)
#: What the list in bulk has.
_LISTED: Final = ("principals", *_RUNTIMES)
#: What a service is asked for itself when the list in bulk is refused.
_INSTEAD: Final = frozenset(kind for call in CALLS if call.asset for kind in call.kinds)
#: What is missing when nobody asked for it: of what is read, and of each scope above.
_EXPECTED: Final = ("bindings", "deny", "access-policy", "constraint")
_EXPECTED_BELOW: Final = (*_EXPECTED, "tags", "principals", "credentials")

#: What is asked project by project.
_BY_PROJECT: Final = frozenset({"principals", "credentials"})

Rows = dict[tuple[str, str, str], bool]


def parse_incomplete(estate: Estate, facts: Facts) -> None:
    """Turn refusals into gaps, and everything that was asked into coverage."""
    rows: Rows = {}
    for one in estate.answers.all:
        call = call_of(one.call)
        if call is None or one.call in BULK or one.call == _ROLES:
            continue
        _cover(one, call, estate, rows)
        _gaps(one, call, estate, facts)
    for root in estate.roots:
        _in_bulk(root, estate, rows, facts)
    _never_asked(estate, rows, facts)
    known = {gap.kind for gap in facts.gaps}
    for root in estate.roots[:1]:
        rows[root, "", "roles"] = "roles" not in known
    for (scope, region, kind), whole in rows.items():
        facts.coverage.append(
            Coverage(provider=PROVIDER, scope=scope, region=region, kind=kind, complete=whole)
        )


def _cover(one: Answer, call: Call, estate: Estate, rows: Rows) -> None:
    place = estate.scope(one.place) or one.place or next(iter(estate.roots), "")
    if one.call in _ONE_POLICY and place not in estate.above:
        return
    region = str(one.parameters.get("_location", ""))
    whole = one.refused is None and not (one.response or {}).get(UNREACHABLE)
    for kind in call.kinds:
        key = place, region, kind
        rows[key] = rows.get(key, True) and whole


def _gaps(one: Answer, call: Call, estate: Estate, facts: Facts) -> None:
    place = estate.scope(one.place) or one.place or next(iter(estate.roots), "")
    region = str(one.parameters.get("_location", ""))
    for location in texts((one.response or {}).get(UNREACHABLE)):
        for kind in call.kinds:
            message = f"{location} did not answer"
            facts.gap(place, kind, "unreachable", operation=_operation(one), message=message)
    refusal = one.refused
    if refusal is None:
        return
    subject = _subject(call, one, estate)
    for kind in call.kinds:
        facts.gap(
            place,
            kind,
            refusal.reason,
            region=region,
            subject=subject,
            operation=_operation(one),
            permission=call.permission if refusal.reason == "denied" else "",
            message=refusal.message,
        )


def _operation(one: Answer) -> str:
    return f"{one.service}:{one.method}"


def _subject(call: Call, one: Answer, estate: Estate) -> str:
    made = call.subject
    for name, value in one.parameters.items():
        made = made.replace("{" + name + "}", str(value))
    return estate.scope(made) or made


def _in_bulk(root: str, estate: Estate, rows: Rows, facts: Facts) -> None:
    """Say what the calls in bulk gave for a root, and what is left without them."""
    searched, listed = not estate.refused(SEARCH, root), not estate.refused(LIST, root)
    if not estate.refused(POLICIES, root) or _exported(root, "iamPolicy", estate):
        rows[root, "", "bindings"] = rows.get((root, "", "bindings"), True)
    elif estate.answers.asked(*POLICIES):
        rows[root, "", "bindings"] = False
    if searched:
        rows[root, "", "tags"] = True
    for asset in ASSET_TYPES:
        if searched or _exported(root, "resource", estate):
            rows[root, "", asset] = True
    if _exported(root, "resource", estate):
        for kind in _LISTED:
            rows[root, "", kind] = listed
    for call, kinds in (
        (POLICIES, ("bindings",)),
        (SEARCH, ("tags", *(() if listed else _without_service(ASSET_TYPES)))),
        (LIST, _without_service(_LISTED)),
    ):
        for one in _refused(call, root, estate):
            row = call_of(call)
            for kind in kinds if row else ():
                rows[root, "", kind] = False
                _bulk_gap(one, row, root, kind, facts)


def _without_service(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Give the kinds that only the inventory tells of."""
    return tuple(kind for kind in kinds if kind not in _INSTEAD)


def _refused(call: tuple[str, str], root: str, estate: Estate) -> Iterator[Answer]:
    for one in estate.answers.asked(*call):
        if one.refused and estate.scope(str(one.parameters.get(BULK[call], ""))) == root:
            yield one


def _bulk_gap(one: Answer, call: Call | None, root: str, kind: str, facts: Facts) -> None:
    refusal = one.refused
    if refusal is None or call is None:
        return
    facts.gap(
        root,
        kind,
        refusal.reason,
        operation=_operation(one),
        permission=call.permission if refusal.reason == "denied" else "",
        message=refusal.message,
    )


def _exported(root: str, content: str, estate: Estate) -> bool:
    """Did assets of a root come with policies (`iamPolicy`), or with what they are like?"""
    return any(
        content in item
        for one, response in estate.answers.of(*LIST)
        if estate.scope(str(one.parameters.get("parent", ""))) == root
        for item in listed(response, "assets")
    )


def _never_asked(estate: Estate, rows: Rows, facts: Facts) -> None:
    """Say what nobody asked for: files that were handed over hold only what was exported."""
    alone = [scope for scope in estate.places if not estate.root_of(scope)]
    outside = [scope for scope in alone if scope not in estate.above]
    for scopes, kinds in (
        (estate.roots, _EXPECTED_BELOW),
        (estate.above, _EXPECTED),
        ([scope for scope in outside if scope.startswith("projects/")], ("bindings",)),
    ):
        for scope in scopes:
            for kind in kinds:
                known = (scope, "", kind) in rows or (
                    kind in _BY_PROJECT and _below(scope, kind, estate, rows)
                )
                if not known:
                    facts.gap(scope, kind, "not-collected", message=_HOW.get(kind, ""))


def _below(scope: str, kind: str, estate: Estate, rows: Rows) -> bool:
    """Does every project below a scope have a row of its own?"""
    projects = [one for one in estate.projects if scope in estate.lineage(one)]
    return bool(projects) and all((one, "", kind) in rows for one in projects)


#: How somebody who has access hands over what is missing.
_HOW: Final = {
    "bindings": "export it with: gcloud asset search-all-iam-policies --scope=SCOPE --format=json",
    "tags": "export it with: gcloud asset search-all-resources --scope=SCOPE --format=json",
    "deny": "export each with: gcloud iam policies get NAME --kind=denypolicies --format=json",
}
