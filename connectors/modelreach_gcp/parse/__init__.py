"""Raw answers in, facts out. No I/O, no clock: the same answers give the same snapshot."""

from __future__ import annotations

from collections.abc import Iterable

from modelreach import __version__
from modelreach.snapshot import Snapshot
from modelreach_gcp.answers import Answer
from modelreach_gcp.estate import Estate
from modelreach_gcp.parse.attachments import parse_attachments
from modelreach_gcp.parse.bindings import parse_bindings, parse_roles
from modelreach_gcp.parse.credentials import parse_credentials
from modelreach_gcp.parse.facts import Facts
from modelreach_gcp.parse.incomplete import parse_incomplete
from modelreach_gcp.parse.principals import parse_principals
from modelreach_gcp.parse.resources import parse_resources
from modelreach_gcp.parse.runtimes import parse_runtimes
from modelreach_gcp.parse.scopes import parse_scopes
from modelreach_gcp.parse.things import Things


def parse(answers: Iterable[Answer], now: str) -> Snapshot:
    """Turn all answers of a run into one snapshot, taken at `now` (RFC 3339 UTC)."""
    estate, facts = Estate(answers), Facts()
    things = Things(estate)
    parse_scopes(estate, facts)
    parse_principals(estate, things, facts)
    parse_resources(estate, things, facts)
    parse_bindings(estate, things, facts)
    parse_roles(estate, things, facts)
    parse_attachments(estate, facts)
    parse_credentials(estate, things, facts)
    parse_runtimes(estate, things, facts)
    parse_incomplete(estate, facts)
    return facts.snapshot(taken_at=now, tool=f"modelreach {__version__}")
