"""The reference page of the connector's calls, made from the table.

Written by `python -m modelreach_aws.reference > docs/reference/aws-permissions.md`.
"""

from __future__ import annotations

import sys

from modelreach_aws.calls import CALLS

_HEAD = """\
# What the AWS connector asks, and with which permissions

This page is made from the connector's table of calls (`python -m modelreach_aws.reference`), and
a test compares the two. `modelreach permissions aws` prints the permissions as a policy.

All calls read, and none reads a secret value. `sts:AssumeRole` is needed only with
`--assume-role`, by the identity that assumes, on these roles; the printed policy leaves it out.
A call that is refused becomes a gap of the snapshot that names the permission here, and the run
goes on.

| permission | call | what it feeds |
|---|---|---|
"""


def page() -> str:
    """Give the page: Markdown, a row for each call in the order of the table."""
    rows = (
        f"| `{call.permission}` | `{call.service} {call.operation}` | {call.feeds} |\n"
        for call in CALLS
    )
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(page())
