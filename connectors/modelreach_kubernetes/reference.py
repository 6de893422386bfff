"""The reference page of the connector's calls, made from the table.

Written by `python -m modelreach_kubernetes.reference > docs/reference/kubernetes-permissions.md`.
"""

from __future__ import annotations

import sys

from modelreach_kubernetes.kinds import (
    ENTRY_FEEDS,
    ENTRY_PATH,
    ENTRY_PERMISSION,
    KINDS,
    PATHS,
)

_HEAD = """\
# What the Kubernetes connector asks, and with which permissions

This page is made from the connector's table (`python -m modelreach_kubernetes.reference`), and a
test compares the two. `modelreach permissions kubernetes` prints the permissions as a ClusterRole.

All calls read. Where *metadata only* is said, the API server is asked for names, labels and
annotations and sends nothing else. RBAC cannot tell the two apart, so a role that may list secrets
could read them: leave that line out where you cannot give it, and what is not read is a gap.

| permission | path | what it feeds |
|---|---|---|
"""


def page() -> str:
    """Give the page: Markdown, a row for each call in the order of the table."""
    rows = [
        f"| `list {kind.qualified}` | `{kind.path}` | {kind.feeds}"
        f"{' (metadata only)' if kind.metadata else ''}"
        f"{', where the cluster has it' if kind.optional else ''} |\n"
        for kind in KINDS
    ]
    rows.append(f"| `{ENTRY_PERMISSION}` | `{ENTRY_PATH}` | {ENTRY_FEEDS} |\n")
    rows += [f"| `get {path}` | `{path}` | {why} |\n" for path, why in PATHS]
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(page())
