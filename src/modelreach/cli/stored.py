"""The state of audits on the command line: opening it, and the audits that words name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.cli.config import Config
    from modelreach.pipeline import Release
    from modelreach.state import AuditRow
    from modelreach.state.database import State

#: Words that name an audit of the deployment in question.
APPROVED, LAST = "approved", "last"


def place_of(state: str | None, blobs: str | None, config: Config) -> tuple[str, str]:
    """Give the places of a state: options before configuration. Raises `InputError`."""
    found = state or config.state.url
    if not found:
        raise InputError(
            "it is not said where the audits are kept",
            place="--state",
            hint="--state DIR, MODELREACH_STATE, or `state: {url: …}` in modelreach.yaml",
        )
    return found, blobs or ("" if state else config.state.blobs)


def find(state: State, word: str, deployment: str = "") -> AuditRow:
    """Give the audit that a word names: `approved` or `last` of a deployment, `NAME`,
    `NAME@VERSION`, or an id. Raises `InputError` when there is none."""
    if word not in (APPROVED, LAST):
        return state.find(word)
    last = state.find(deployment or _only(state, word))
    if word == LAST:
        return last
    approval = state.approved(last.deployment)
    if approval is None:
        raise InputError(
            f"nothing was approved of `{last.deployment}` yet",
            place=state.name,
            hint=f"modelreach approve {last.deployment} --by … --state {state.name}",
        )
    return state.find(approval.audit)


def _only(state: State, word: str) -> str:
    names = [one.deployment for one in state.deployments()]
    if len(names) != 1:
        raise InputError(
            f"`{word}` of which deployment? There are {', '.join(names) or 'none'}",
            place=state.name,
            hint="name it by --deployment",
        )
    return names[0]


def release(state: State, audit: AuditRow) -> Release:
    """Give what an audit saw: its manifest, in its snapshot."""
    from modelreach import deployment as manifests
    from modelreach.pipeline import Release
    from modelreach.pipeline.evaluate import identities_of

    raw = state.manifest(audit.manifest)
    deployment = manifests.decode(raw, place=audit.manifest_name)
    return Release(
        deployment,
        state.snapshot(audit.snapshot),
        manifest_name=audit.manifest_name,
        manifest_digest=audit.manifest,
        snapshot_name=f"the snapshot of {audit.taken_at}",
        snapshot_digest=audit.snapshot,
        raw=raw,
        were_there=identities_of(deployment),
    )


class Releases:
    """Reads releases for a comparison: manifests from files, and audits from a state."""

    def __init__(self, place: tuple[str, str] | None, deployment: str) -> None:
        self._place, self._deployment = place, deployment

    def is_audit(self, word: str) -> bool:
        """Does a word name an audit? What is a file is one."""
        return self._place is not None and word != "-" and not Path(word).is_file()

    def two(
        self, old: str, new: str, old_snapshot: str | None, new_snapshot: str | None
    ) -> tuple[Release, Release]:
        """Give both releases. A manifest without a snapshot is evaluated in the estate of the
        audit that it is compared with, which isolates the release."""
        from modelreach.state import open_state

        assert self._place is not None
        with open_state(*self._place, read_only=True) as state:
            named = self._deployment or _name_of(old, new, self)
            first = self._one(state, old, old_snapshot, named)
            second = self._one(state, new, new_snapshot, named)
        first, second = first or _in(second, old), second or _in(first, new)
        return first, second

    def one(self, word: str, snapshot: str | None) -> Release:
        """Give what one audit saw, or saw of another estate."""
        from modelreach.state import open_state

        assert self._place is not None
        with open_state(*self._place, read_only=True) as state:
            found = self._one(state, word, snapshot, self._deployment)
        assert found is not None  # a word that names an audit gives one
        return found

    def _one(
        self, state: State, word: str, snapshot: str | None, deployment: str
    ) -> Release | None:
        from msgspec.structs import replace

        from modelreach.cli.files import read_snapshot
        from modelreach.cli.options import release_of

        if not self.is_audit(word):
            return release_of(word, snapshot) if snapshot else None
        found = release(state, find(state, word, deployment))
        if snapshot is None:
            return found
        estate, source = read_snapshot(snapshot)
        return replace(
            found, snapshot=estate, snapshot_name=source.name, snapshot_digest=source.digest
        )


def _name_of(old: str, new: str, releases: Releases) -> str:
    """Give the deployment that is meant, when one side is a manifest."""
    from modelreach.audit.making import key_of
    from modelreach.cli.files import read_manifest

    for word in (new, old):
        if not releases.is_audit(word):
            return key_of(read_manifest(word)[0])
    return ""


def _in(other: Release | None, manifest: str) -> Release:
    """Give the release of a manifest in the estate of another."""
    from msgspec.structs import replace

    from modelreach.cli.files import read_manifest

    if other is None:
        raise InputError(
            "no snapshot is given for both releases",
            place="--snapshot",
            hint="name an audit (approved, last, an id), or a snapshot",
        )
    deployment, source = read_manifest(manifest)
    return replace(
        other,
        deployment=deployment,
        manifest_name=source.name,
        manifest_digest=source.digest,
        raw=source.raw,
    )
