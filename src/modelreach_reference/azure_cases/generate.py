"""Cases drawn at random, from a small alphabet so that things meet."""

from __future__ import annotations

from random import Random
from typing import Any

Json = dict[str, Any]

SUB, SUB2 = "/subscriptions/s1", "/subscriptions/s2"
MG, TOP = (f"/providers/microsoft.management/managementgroups/{name}" for name in ("mg", "top"))
RG = f"{SUB}/resourcegroups/g"
ACCOUNT = f"{RG}/providers/microsoft.storage/storageaccounts/acc"
CONTAINER = f"{ACCOUNT}/blobservices/default/containers/c1"
PLACES = ("/", TOP, MG, SUB, SUB2, RG, f"{SUB}/resourcegroups/h", ACCOUNT, CONTAINER)
RESOURCES = (ACCOUNT, CONTAINER, f"{CONTAINER}/blobs/a", RG, SUB, ACCOUNT.replace("acc", "Acc2"))
ME, YOU = "00000000-0000-0000-0000-0000000000a1", "00000000-0000-0000-0000-0000000000a2"
GROUPS = tuple(f"00000000-0000-0000-0000-0000000000b{n}" for n in range(1, 4))
EVERYBODY = "00000000-0000-0000-0000-000000000000"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
ACTIONS = (
    "Microsoft.Storage/storageAccounts/read",
    "Microsoft.Storage/storageAccounts/write",
    "Microsoft.Storage/storageAccounts/delete",
    "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
    f"data:{BLOBS}/read",
    f"data:{BLOBS}/write",
    f"data:{BLOBS}/tags/read",
)
PATTERNS = (
    *(
        "*",
        "*",
        "*",
        "*/read",
        "*/write",
        "Microsoft.Storage/*",
        "microsoft.storage/STORAGEACCOUNTS/*",
    ),
    *("Microsoft.Storage/*/read", "Microsoft.Authorization/*/Write", "*/action", f"{BLOBS}/*"),
    *("Microsoft.*/storageAccounts/*/blobs/read", "*accounts/listkeys*", "Microsoft.Storage"),
    "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
)
_ROLE_ID = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
_NAME = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]"
ATTRIBUTES = (
    _NAME,
    "@Resource[Microsoft.Storage/storageAccounts:name]",
    "@Environment[isPrivateLink]",
    "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Team_level]",
)
GUIDS = ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac618042a0ab8820f7382dd24c")
TEXTS = ("c1", "C1", "acc", "team", "c*", "?1", "a\\*")
BROKEN = (
    "(",
    "x AND y",
    "@Resource[a] Frobs 'b'",
    "'a' StringEquals",
    "@Nobody[a] BoolEquals true",
)


def case(seed: str) -> Json:
    """Give the case of a seed."""
    draw = Random(seed)  # noqa: S311 - a campaign, not a secret
    roles = {f"r{number}": _role(draw) for number in range(draw.randint(1, 3))}
    principals = (ME, ME, ME, ME, YOU, *GROUPS)
    found: Json = {
        "id": seed,
        "action": draw.choice(ACTIONS),
        "resource": draw.choice(RESOURCES),
        "principal": ME,
        "parents": {SUB: MG, MG: TOP, SUB2: draw.choice([TOP, "/"]), TOP: "/"},
        "groups": _groups(draw),
        "person": draw.random() < 0.3,
        "unread_groups": [draw.choice(GROUPS)] if draw.random() < 0.1 else [],
        "roles": roles,
        "assignments": [
            _assignment(draw, principals, list(roles)) for _ in range(draw.randint(1, 3))
        ],
        "denies": [_deny(draw, principals) for _ in range(draw.choice([0, 0, 0, 1, 1, 2]))],
        "locks": _locks(draw),
        "context": _context(draw),
    }
    return found


def _role(draw: Random) -> list[Json] | None:
    if draw.random() < 0.04:
        return None
    return [_block(draw) for _ in range(draw.choice([1, 1, 1, 2]))]


def _block(draw: Random) -> Json:
    block: Json = {
        "actions": draw.sample(PATTERNS, draw.randint(1, 3)),
        "notActions": draw.sample(PATTERNS[3:], draw.choice([0, 0, 1])),
        "dataActions": draw.sample(PATTERNS, draw.randint(1, 3)),
        "notDataActions": draw.sample(PATTERNS[3:], draw.choice([0, 0, 1])),
    }
    if draw.random() < 0.15:
        block["condition"] = condition(draw)
    return block


def _assignment(draw: Random, principals: tuple[str, ...], roles: list[str]) -> Json:
    found: Json = {
        "scope": draw.choice(PLACES if draw.random() < 0.5 else ("/", TOP, MG, SUB, RG)),
        "principal": draw.choice(principals),
        "role": draw.choice(roles),
        "status": draw.choice(["active"] * 9 + ["eligible"]),
    }
    if draw.random() < 0.35:
        found["condition"] = condition(draw)
    return found


def _deny(draw: Random, principals: tuple[str, ...]) -> Json:
    block = _block(draw)
    block.pop("condition", None)
    meant = draw.choice([EVERYBODY, *principals])
    found: Json = {
        "scope": draw.choice(PLACES),
        "permissions": [block],
        "principals": [{"id": meant}],
        "excludePrincipals": [{"id": draw.choice(principals)}] if draw.random() < 0.3 else [],
        "doNotApplyToChildScopes": draw.random() < 0.2,
    }
    if draw.random() < 0.1:
        found["condition"] = condition(draw)
    return found


def _groups(draw: Random) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for member in (ME, *GROUPS):
        for group in GROUPS:
            if group != member and draw.random() < 0.3:
                found.setdefault(member, []).append(group)
    return found


def _locks(draw: Random) -> dict[str, list[str]]:
    if draw.random() < 0.85:
        return {}
    return {draw.choice([SUB, RG, ACCOUNT]): [draw.choice(["ReadOnly", "CanNotDelete"])]}


def _context(draw: Random) -> dict[str, str]:
    found: dict[str, str] = {}
    if draw.random() < 0.5:
        found["@Environment[isPrivateLink]"] = draw.choice(["true", "false"])
    if draw.random() < 0.5:
        found[_ROLE_ID] = draw.choice([guid.upper() for guid in GUIDS])
    if draw.random() < 0.4:
        found[ATTRIBUTES[3]] = draw.choice(["3", "7"])
    return found


def condition(draw: Random) -> str:
    """Give a condition, once in a while a broken one."""
    if draw.random() < 0.05:
        return draw.choice(BROKEN)
    if draw.random() < 0.6:
        action = draw.choice(ACTIONS).removeprefix("data:")
        pattern = draw.choice([action, draw.choice(PATTERNS)])
        return f"((!(ActionMatches{{'{pattern}'}})) OR ({_test(draw, 2)}))"
    return _test(draw, 2)


def _test(draw: Random, depth: int) -> str:
    if depth and draw.random() < 0.3:
        word = draw.choice([" AND ", " && ", " OR ", " || "])
        return f"({_test(draw, depth - 1)}){word}({_test(draw, depth - 1)})"
    if depth and draw.random() < 0.15:
        return f"{draw.choice(['NOT ', '!'])}({_test(draw, depth - 1)})"
    return _plain(draw)


def _plain(draw: Random) -> str:
    kind = draw.random()
    if kind < 0.1:
        return f"SubOperationMatches{{'{draw.choice(['Blob.List', 'Blob.Read'])}'}}"
    if kind < 0.2:
        return f"{ATTRIBUTES[2]} {draw.choice(['BoolEquals', 'BoolNotEquals'])} true"
    if kind < 0.35:
        quantifier = draw.choice(["ForAnyOfAnyValues", "ForAnyOfAllValues", "ForAllOfAnyValues"])
        operator = draw.choice(["GuidEquals", "GuidNotEquals"])
        values = ", ".join(draw.sample(GUIDS, draw.randint(1, 2)))
        return f"{_ROLE_ID} {quantifier}:{operator} {{{values}}}"
    if kind < 0.45:
        operator = draw.choice(["NumericEquals", "NumericLessThan", "NumericGreaterThanEquals"])
        return f"{ATTRIBUTES[3]} {operator} {draw.choice(['3', '5', '7'])}"
    operator = draw.choice(
        [
            *("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"),
            *("StringStartsWith", "StringEqualsIgnoreCase", "StringLikeIgnoreCase"),
            "ForAnyOfAnyValues:StringEquals",
            "ForAllOfAllValues:StringNotEquals",
        ]
    )
    attribute = draw.choice(ATTRIBUTES[:2])
    if operator.startswith("For"):
        return f"{attribute} {operator} {{'{draw.choice(TEXTS)}', '{draw.choice(TEXTS)}'}}"
    return f"{attribute} {operator} '{draw.choice(TEXTS)}'"
