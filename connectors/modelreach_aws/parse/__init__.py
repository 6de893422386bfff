"""Raw answers in, facts out. No I/O, no clock: the same answers give the same snapshot."""

from __future__ import annotations

from collections.abc import Iterable

from modelreach import __version__
from modelreach.snapshot import Snapshot
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.center import parse_center
from modelreach_aws.parse.compute import parse_compute
from modelreach_aws.parse.credentials import parse_credentials
from modelreach_aws.parse.delegated import parse_delegated
from modelreach_aws.parse.eks import parse_eks
from modelreach_aws.parse.facts import Facts
from modelreach_aws.parse.iam import checked, parse_iam
from modelreach_aws.parse.incomplete import parse_incomplete
from modelreach_aws.parse.keys import Keys
from modelreach_aws.parse.launches import parse_launches
from modelreach_aws.parse.members import parse_members
from modelreach_aws.parse.models import parse_models
from modelreach_aws.parse.organization import parse_organization
from modelreach_aws.parse.place import places
from modelreach_aws.parse.runtimes import parse_runtimes
from modelreach_aws.parse.services import parse_services
from modelreach_aws.parse.storage import parse_storage
from modelreach_aws.parse.stores import parse_stores
from modelreach_aws.parse.usage import parse_usage


def parse(answers: Iterable[Answer], now: str) -> Snapshot:
    """Turn all answers of a run into one snapshot, taken at `now` (RFC 3339 UTC)."""
    found, facts = Answers(map(checked, answers)), Facts()
    where = places(found)
    keys = Keys(found, where)
    parse_iam(found, where, facts)
    tree = parse_organization(found, facts)
    parse_storage(found, where, keys, facts)
    parse_services(found, where, keys, facts)
    parse_stores(found, where, keys, facts)
    parse_runtimes(found, where, keys, facts)
    parse_models(found, where, facts)
    parse_delegated(found, facts)
    parse_credentials(found, where, facts)
    parse_compute(found, where, facts)
    parse_eks(found, where, parse_launches(found, where, facts), facts)
    parse_center(found, where, tree, facts)
    parse_members(found, where, tree, facts)
    parse_usage(found, facts)
    parse_incomplete(found, where, tree, facts)
    return facts.snapshot(taken_at=now, tool=f"modelreach {__version__}")
