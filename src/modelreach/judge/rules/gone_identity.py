"""MR501: an identity that an audited release ran as is not there any more.

What it reached is lost. But what runs in its place, if anything does, is in no manifest: until
that is said, nobody looks at what the deployment reaches.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.judge.finding import Case, Finding, short
from modelreach.model import Severity


class GoneIdentity:
    """One finding, high, for each identity of the manifest that is gone."""

    ID = "MR501"
    TITLE = "identity of the release is gone"

    def judge(self, case: Case) -> Iterator[Finding]:
        """Give a finding for each identity that an earlier audit found, and that is not there."""
        for name in case.gone:
            yield Finding(
                rule=GoneIdentity.ID,
                title=GoneIdentity.TITLE,
                severity=Severity.HIGH,
                subject=name,
                subject_kind="identity",
                identity=name,
                message=f"`{short(name)}`, as which the release runs, is not there any more",
                fix="say in the manifest as whom it runs now, or retire the deployment",
                key=name,
                evidence=("all principals of its place were read, and it is not among them",),
            )
