"""Raw answers in, facts out. No I/O, no clock: the same answers give the same snapshot."""

from __future__ import annotations

from collections.abc import Iterable

from modelreach import __version__
from modelreach.snapshot import Snapshot
from modelreach_azure.answers import Answer, Answers
from modelreach_azure.parse.bindings import parse_bindings
from modelreach_azure.parse.credentials import parse_credentials
from modelreach_azure.parse.facts import Facts
from modelreach_azure.parse.incomplete import parse_incomplete
from modelreach_azure.parse.principals import Directory, parse_principals
from modelreach_azure.parse.resources import parse_locks, parse_resources
from modelreach_azure.parse.runtimes import parse_runtimes
from modelreach_azure.parse.scopes import parse_scopes


def parse(answers: Iterable[Answer], now: str) -> Snapshot:
    """Turn all answers of a run into one snapshot of one tenant, taken at `now` (RFC 3339 UTC)."""
    found = Answers(answers)
    facts = Facts(next((one.tenant for one in found.all), ""), now)
    directory = Directory(found)
    parse_scopes(found, facts)
    parse_bindings(found, directory, facts)
    parse_principals(found, directory, facts)
    parse_resources(found, facts)
    parse_runtimes(found, facts)
    parse_locks(found, facts)
    parse_credentials(found, directory, facts)
    parse_incomplete(found, facts)
    return facts.snapshot(tool=f"modelreach {__version__}")
