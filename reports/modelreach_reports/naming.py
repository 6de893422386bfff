"""Short, harmless names for what a report mentions."""

from __future__ import annotations

from dataclasses import dataclass

from modelreach.report import ChangeRow, DiffReport, GrantRow, IdentityRow, Report
from modelreach_reports.safe import visible


@dataclass(frozen=True, slots=True)
class Thing:
    """A node of a witness, ready to be shown. `id` is as in the report, the rest is harmless."""

    id: str
    label: str
    kind: str
    scope: str
    sensitive: bool = False


class Names:
    """What the things in one report are called."""

    def __init__(self, report: Report) -> None:
        self._scopes = {row.id: row for row in report.scopes}
        self._things: dict[str, Thing] = {}
        for resource in report.changes if isinstance(report, DiffReport) else report.grants:
            self._add_resource(resource)
        for identity in _identities(report):
            self._add_identity(identity)
        for release in _releases(report):
            self._things.setdefault(
                release, Thing(release, visible(release), "deployment", scope="")
            )

    def _add_resource(self, row: ChangeRow | GrantRow) -> None:
        sensitive = is_sensitive(row.sensitivity)
        kind = kind_words(row.resource_kind)
        self._things[row.resource] = Thing(
            row.resource, _resource_label(row), kind, row.scope, sensitive
        )

    def _add_identity(self, row: IdentityRow) -> None:
        kind = kind_words(row.kind)
        self._things[row.id] = Thing(row.id, identity_label(row.id), kind, row.scope)

    def thing(self, key: str) -> Thing:
        """Give how to show whatever a hop mentions; what is not listed is named by its id."""
        found = self._things.get(key)
        if found is not None:
            return found
        if key in self._scopes:
            return Thing(key, self.scope(key), visible(self._scopes[key].kind), key)
        kind, account = _arn_kind(key)
        return Thing(key, identity_label(key), kind, account)

    def scope(self, key: str) -> str:
        """Give what a person calls an account: its name and number."""
        row = self._scopes.get(key)
        if row is None:
            return visible(key)
        return " ".join(visible(part) for part in (row.provider, row.name, row.id) if part)

    def place(self, key: str) -> str:
        """Give the short form of `scope`: the name if there is one."""
        row = self._scopes.get(key)
        return visible(f"{row.provider} {row.name}" if row is not None and row.name else key)


def _identities(report: Report) -> tuple[IdentityRow, ...]:
    if isinstance(report, DiffReport):
        return report.identities_old + report.identities_new
    return report.identities


def _releases(report: Report) -> tuple[str, ...]:
    if isinstance(report, DiffReport):
        return report.old.name, report.new.name
    return (report.release.name,)


def is_sensitive(sensitivity: str) -> bool:
    """Does it matter in particular that this is reached?"""
    return sensitivity in ("medium", "high")


def kind_words(kind: str) -> str:
    """Give `s3:bucket` as `s3 bucket`."""
    return visible(kind.replace(":", " ").replace("-", " "))


def tail_of_arn(key: str) -> str:
    """Give the part of an ARN that names the thing; anything else as it is."""
    parts = key.split(":", 5)
    return parts[5] if len(parts) == 6 and parts[0] == "arn" and parts[5] else key


def _arn_kind(key: str) -> tuple[str, str]:
    parts = key.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return "", ""
    first = parts[5].replace(":", "/").split("/")[0]
    kind = first if parts[2] == "iam" else f"{parts[2]} {first}" if "/" in parts[5] else parts[2]
    return visible(kind), visible(parts[4])


def identity_label(key: str) -> str:
    """Give the name of a role or user without its path; `root` for an account."""
    tail = tail_of_arn(key)
    return visible(tail if tail is key else tail.rsplit("/", 1)[-1] or tail)


def _resource_label(row: ChangeRow | GrantRow) -> str:
    if row.pattern:
        return visible(pattern_label(row.resource, row.resource_kind))
    return visible(row.resource_name or tail_of_arn(row.resource))


def pattern_label(pattern: str, kind: str) -> str:
    """Say in words that a grant is over things which the snapshot does not list."""
    noun = kind.split(":")[-1] or "resource"
    tail = tail_of_arn(pattern).removeprefix(f"{noun}:").removeprefix(f"{noun}/")
    return f"any {noun}" if tail in ("*", "") else f"any {noun} like {tail}"
