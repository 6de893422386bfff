"""The connector as the program knows it: collect or replay, list its calls, give its policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelreach.collect.extras import needing
from modelreach.collect.recording import prepare
from modelreach.model import InputError
from modelreach.plugins import CallPermission, CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_gcp import recording, sources
from modelreach_gcp.answers import Answer
from modelreach_gcp.calls import CALLS
from modelreach_gcp.parse import parse

if TYPE_CHECKING:
    from modelreach_gcp.live import Patience

#: Cloud Identity has no permissions of IAM: who may view a group is said in the directory.
_NOT_IAM = "(Cloud Identity)"


@dataclass(frozen=True, slots=True)
class GcpConnector:
    """Google Cloud. `patience` is how long a call is tried before its refusal is believed."""

    name: str = "gcp"
    patience: Patience | None = None

    def collect(self, options: CollectOptions) -> Snapshot:
        """Read the estate, or replay `options.sources`. Refused calls become gaps.

        Raises `NothingCollected` when nothing answered, `InputError` for unusable sources or
        scopes, `MissingExtra` when Google Cloud is to be asked and its clients are not installed.
        """
        if options.record:
            prepare(options.record)
        if options.sources:
            taken_at, answers = sources.read(options.sources, now=options.now)
        else:
            taken_at, answers = options.now, self._live(options)
        if options.record:
            recording.write(options.record, answers, taken_at=taken_at)
        return parse(answers, taken_at)

    def _live(self, options: CollectOptions) -> tuple[Answer, ...]:
        with needing("gcp", "collecting from Google Cloud"):
            from modelreach_gcp import live, session
            from modelreach_gcp.pace import Cache
        live.check(options)
        cached = next(iter(options.settings.get("cache", ())), "")
        cache = Cache(Path(cached) if cached else None, options.now)
        found = session.sources(options)
        try:
            return live.read_estate(options, found, cache, self.patience or live.Patience())
        finally:
            for source in found:
                source.close()

    def calls(self) -> Sequence[CallPermission]:
        """Every call that `collect` may make, in the order of the table."""
        return tuple(
            CallPermission(call.service, call.method, call.permission, call.feeds)
            for call in CALLS
        )

    def policy(self, permissions: Sequence[str] | None = None) -> Mapping[str, object]:
        """The least privilege to read with: a custom role, and instead of it the predefined roles
        that have the same permissions and more.

        Given permissions, only these; `InputError` for one that no call needs.
        """
        needed = {call.permission: call.role for call in CALLS}
        wanted = set(needed) if permissions is None else set(permissions)
        for unknown in sorted(wanted - needed.keys()):
            raise InputError(
                f"`{unknown}` is not a permission of this connector",
                hint="`modelreach permissions gcp` lists them",
            )
        directory = sorted(one for one in wanted if _NOT_IAM in one)
        roles = sorted({needed[one] for one in wanted} - {""})
        return {
            "customRole": {
                "title": "modelreach reader",
                "description": "What modelreach reads. No permission returns a secret value.",
                "stage": "GA",
                "includedPermissions": sorted(wanted - set(directory)),
            },
            "orPredefinedRoles": roles,
            **({"inTheDirectory": directory} if directory else {}),
        }
