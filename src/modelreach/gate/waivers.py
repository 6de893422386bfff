"""Waivers: findings that somebody accepts for a time, in a file that lives in git.

A waiver names a fingerprint, which is made of rule, identity, resource and granting statements: a
wider grant is another finding, and comes back. So does one whose waiver has expired. A waived
finding is still shown, and never changes the exit code.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec
from msgspec.structs import replace

from modelreach.report import FindingRow, Waived


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One accepted finding. `finding` is its fingerprint; `rule`, `identity` and `resource` say
    in words what it is, and tell that it has changed when the fingerprint no longer fits.

    `owner` answers for the risk, `author` wrote the waiver (the owner, if nobody is named), and
    somebody else approved it.
    """

    finding: str
    rule: str
    reason: str
    owner: str
    approved_by: str
    expires: str
    author: str = ""
    identity: str = ""
    resource: str = ""

    @property
    def expiry(self) -> date:
        """The last day on which it counts."""
        return date.fromisoformat(self.expires)


class Waivers(msgspec.Struct, frozen=True):
    """The waivers of a file, as of a day. `digest` is that of the file."""

    waivers: tuple[Waiver, ...] = ()
    today: date = date.min
    name: str = ""
    digest: str = ""


def apply(findings: Iterable[FindingRow], waivers: Waivers) -> tuple[FindingRow, ...]:
    """Give the findings, with the waiver of each that has one, and why one that had is back."""
    by_print = {waiver.finding: waiver for waiver in waivers.waivers}
    by_words = {(w.rule, w.identity, w.resource): w for w in waivers.waivers if w.resource}
    return tuple(_applied(row, by_print, by_words, waivers.today) for row in findings)


def _applied(
    row: FindingRow,
    by_print: dict[str, Waiver],
    by_words: dict[tuple[str, str, str], Waiver],
    today: date,
) -> FindingRow:
    waiver = by_print.get(row.fingerprint)
    if waiver is None:
        former = by_words.get((row.rule, row.identity, row.subject))
        return replace(row, returned=_changed(former)) if former else row
    if waiver.rule != row.rule:
        return replace(row, returned=f"its waiver is for rule {waiver.rule}, not {row.rule}")
    if waiver.expiry < today:
        return replace(row, returned=f"its waiver (owner {waiver.owner}) expired {waiver.expires}")
    return replace(
        row,
        waived=Waived(
            reason=waiver.reason,
            owner=waiver.owner,
            approved_by=waiver.approved_by,
            expires=waiver.expires,
        ),
    )


def _changed(waiver: Waiver) -> str:
    return (
        f"its waiver (owner {waiver.owner}) no longer fits: the statements that grant it are not "
        "those that were waived"
    )


def unused(findings: Iterable[FindingRow], waivers: Waivers) -> tuple[str, ...]:
    """Name the waivers that match no finding."""
    met = {row.fingerprint for row in findings if row.state != "gone"}
    return tuple(
        f"{waiver.finding} ({waiver.rule}, owner {waiver.owner}, expires {waiver.expires})"
        for waiver in waivers.waivers
        if waiver.finding not in met
    )
