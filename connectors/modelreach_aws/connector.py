"""The connector as the program knows it: collect or replay, list its calls, give its policy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from modelreach.collect.extras import needing
from modelreach.collect.recording import prepare
from modelreach.model import InputError
from modelreach.plugins import CallPermission, CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_aws import recording, sources
from modelreach_aws.answers import Answer
from modelreach_aws.calls import CALLS
from modelreach_aws.parse import parse

#: Only the identity that assumes a role needs this, and only on that role: `policy` gives it
#: when asked by name, and never as part of the whole.
_FOR_OTHER_ACCOUNTS = "sts:AssumeRole"


@dataclass(frozen=True, slots=True)
class AwsConnector:
    """AWS. `attempts` is how often a call is made in all before its refusal is believed."""

    name: str = "aws"
    attempts: int = 10
    spreads: bool = True

    def collect(self, options: CollectOptions) -> Snapshot:
        """Read the estate, or replay `options.sources`. Refused calls become gaps.

        Raises `NothingCollected` when nothing answered, `InputError` for unusable sources or
        profiles, `MissingExtra` when AWS is to be asked and boto3 is not installed.
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
        with needing("aws", "collecting from AWS"):
            from modelreach_aws.live import read_estate
        return read_estate(options, attempts=self.attempts)

    def calls(self) -> Sequence[CallPermission]:
        """Every call that `collect` may make, in the order of the table."""
        return tuple(
            CallPermission(call.service, call.operation, call.permission, call.feeds)
            for call in CALLS
        )

    def policy(self, permissions: Sequence[str] | None = None) -> Mapping[str, object]:
        """The least-privilege read policy: single actions only, in one statement.

        Given permissions, only these; `InputError` for one that no call needs.
        """
        return _document(self._wanted(permissions))

    def policies(
        self, permissions: Sequence[str] | None = None
    ) -> tuple[Mapping[str, object], ...]:
        """The same in as few documents as managed policies can hold.

        One holds 6,144 characters besides white space, of which a statement for each service
        would take a third; a service is kept in one document.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        """
        parts: list[set[str]] = [set()]
        for _, found in groupby(sorted(self._wanted(permissions)), key=_service):
            actions = set(found)
            if parts[-1] and _size(parts[-1] | actions) > MOST_CHARACTERS:
                parts.append(set())
            parts[-1] |= actions
        return tuple(map(_document, parts))

    def _wanted(self, permissions: Sequence[str] | None) -> set[str]:
        needed = {call.permission for call in CALLS}
        wanted = needed - {_FOR_OTHER_ACCOUNTS} if permissions is None else set(permissions)
        for unknown in sorted(wanted - needed):
            raise InputError(
                f"`{unknown}` is not a permission of this connector",
                hint="`modelreach permissions aws` lists them",
            )
        return wanted


#: What a managed policy holds, white space not counted.
MOST_CHARACTERS: Final = 6144


def _document(permissions: set[str]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": _statements(permissions)}


def _size(permissions: set[str]) -> int:
    return len(json.dumps(_document(permissions), separators=(",", ":")))


def _service(permission: str) -> str:
    return permission.partition(":")[0]


def _statements(permissions: set[str]) -> list[dict[str, object]]:
    return [
        {
            "Sid": "ModelreachReads",
            "Effect": "Allow",
            "Action": sorted(permissions),
            "Resource": "*",
        }
    ]
