"""The connector as the program knows it: collect or replay, list its calls, give its policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelreach.model import InputError, MissingExtra
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

    def collect(self, options: CollectOptions) -> Snapshot:
        """Read the estate, or replay `options.sources`. Refused calls become gaps.

        Raises `NothingCollected` when nothing answered, `InputError` for unusable sources or
        profiles, `MissingExtra` when AWS is to be asked and boto3 is not installed.
        """
        if options.record:
            recording.prepare(options.record)
        if options.sources:
            taken_at, answers = sources.read(options.sources, now=options.now)
        else:
            taken_at, answers = options.now, self._live(options)
        if options.record:
            recording.write(options.record, answers, taken_at=taken_at)
        return parse(answers, taken_at)

    def _live(self, options: CollectOptions) -> tuple[Answer, ...]:
        try:
            from modelreach_aws.live import read_estate
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("modelreach"):
                raise
            raise MissingExtra("aws", "collecting from AWS") from error
        return read_estate(options, attempts=self.attempts)

    def calls(self) -> Sequence[CallPermission]:
        """Every call that `collect` may make, in the order of the table."""
        return tuple(
            CallPermission(call.service, call.operation, call.permission, call.feeds)
            for call in CALLS
        )

    def policy(self, permissions: Sequence[str] | None = None) -> Mapping[str, object]:
        """The least-privilege read policy: single actions only, in one statement.

        A managed policy holds 6,144 characters, of which a statement for each service would take
        a third: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html

        Given permissions, only these; `InputError` for one that no call needs.
        """
        needed = {call.permission for call in CALLS}
        wanted = needed - {_FOR_OTHER_ACCOUNTS} if permissions is None else set(permissions)
        for unknown in sorted(wanted - needed):
            raise InputError(
                f"`{unknown}` is not a permission of this connector",
                hint="`modelreach permissions aws` lists them",
            )
        return {"Version": "2012-10-17", "Statement": _statements(wanted)}


def _statements(permissions: set[str]) -> list[dict[str, object]]:
    return [
        {
            "Sid": "ModelreachReads",
            "Effect": "Allow",
            "Action": sorted(permissions),
            "Resource": "*",
        }
    ]
