"""The reference page of the connector's calls, made from the table.

Written by `python -m modelreach_gcp.reference > docs/reference/gcp-permissions.md`.
"""

from __future__ import annotations

import sys

from modelreach_gcp.calls import CALLS

_HEAD = """\
# What the Google Cloud connector asks, and with which permissions

This page is made from the connector's table of calls (`python -m modelreach_gcp.reference`), and
a test compares the two. `modelreach permissions gcp` prints the permissions as a custom role, and
the predefined roles that have them.

All calls read, and none reads a secret value. Grant the permissions on the organization: deny
policies, boundaries and policies from above are unknown without it. Who may view groups is said in
Cloud Identity (the Groups Reader role of the directory, or membership), not in IAM. A call that is
refused becomes a gap of the snapshot that names the permission here, and the run goes on.

Calls marked *slow* have a quota of five a minute for each project that pays (`--quota-project`).

| permission | predefined role | call | what it feeds |
|---|---|---|---|
"""


def page() -> str:
    """Give the page: Markdown, a row for each call in the order of the table."""
    return _HEAD + "".join(
        f"| `{call.permission}` | {f'`{call.role}`' if call.role else ''} | "
        f"`{call.service} {call.method}` | {call.feeds}{' (*slow*)' if call.slow else ''} |\n"
        for call in CALLS
    )


if __name__ == "__main__":
    sys.stdout.write(page())
