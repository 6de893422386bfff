"""The reference page of the connector's calls, made from the table.

Written by `python -m modelreach_azure.reference > docs/reference/azure-permissions.md`.
"""

from __future__ import annotations

import sys

from modelreach_azure.call import Call, Service
from modelreach_azure.calls import CALLS

_HEAD = """\
# What the Azure connector asks, and with which permissions

This page is made from the connector's table of calls (`python -m modelreach_azure.reference`), and
a test compares the two. `modelreach permissions azure` prints the permissions as a custom role and
a list of application permissions of Microsoft Graph.

All calls read. None lists keys, connection strings, application settings or secret values. The
one data action is Foundry's, where alone it is told as whom an agent runs. A call that is refused
becomes a gap of the snapshot that names the permission here, and the run goes on.
"""

_TABLE = """
## {title}

| permission | call | what it feeds |
|---|---|---|
"""
_TITLES = {
    Service.RESOURCE_GRAPH: "Azure Resource Graph",
    Service.ARM: "Azure Resource Manager",
    Service.FOUNDRY: "Microsoft Foundry",
    Service.GRAPH: "Microsoft Graph",
}


def page() -> str:
    """Give the page: Markdown, a table for each service, rows in the order of the table."""
    return _HEAD + "".join(_section(service, title) for service, title in _TITLES.items())


def _section(service: Service, title: str) -> str:
    rows = (_row(call) for call in CALLS if call.service is service)
    return _TABLE.format(title=title) + "".join(rows)


def _row(call: Call) -> str:
    needed = ", ".join(f"`{permission}`" for permission in call.permissions)
    return f"| {needed} | `{_asked(call)}` | {call.feeds} |\n"


def _asked(call: Call) -> str:
    if call.service is Service.RESOURCE_GRAPH:
        return f"{call.operation} query"
    expanded = call.query.get("$expand", "")
    return f"GET {call.path}" + (f"?$expand={expanded.partition('(')[0]}" if expanded else "")


if __name__ == "__main__":
    sys.stdout.write(page())
