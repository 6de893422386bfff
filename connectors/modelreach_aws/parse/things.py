"""What resource and runtime facts about one thing have in common, and links to what is in S3."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from modelreach_aws.answers import Answer
from modelreach_aws.parse.facts import PROVIDER, Facts, tags_of
from modelreach_aws.parse.place import Places


def thing(
    one: Answer, kind: str, arn: str, name: object = "", tags: object = None
) -> dict[str, Any]:
    """Give the fields that both facts about a thing have, at the place that an answer is from."""
    return {
        "id": arn,
        "provider": PROVIDER,
        "kind": kind,
        "scope": one.account,
        "region": one.region,
        "name": str(name or ""),
        "tags": tags_of(tags),
    }


def policy(facts: Facts, one: Answer, arn: str, document: object) -> None:
    """Attach a resource policy, if there is one."""
    if document:
        facts.apply(
            one.account, arn, "resource", document, name="resource policy", region=one.region
        )


def bucket(places: Places, one: Answer, name: object) -> str:
    """Give the ARN of a bucket by its name, "" for none."""
    return f"arn:{places.partition(one.account)}:s3:::{name}" if name else ""


def object_in(places: Places, one: Answer, name: object, key: object) -> str:
    """Give the ARN of an object or prefix, of the bucket where no key is told, "" for none."""
    place = bucket(places, one, name)
    return f"{place}/{key}" if place and key else place


def s3_target(places: Places, one: Answer, uri: object) -> str:
    """Give the ARN of what an `s3://` address leads to; another address stays what it is."""
    text = "" if uri is None else str(uri)
    found = urlsplit(text) if text.startswith("s3://") else None
    if found is None or not found.netloc:
        return text
    return object_in(places, one, found.netloc, found.path.lstrip("/"))


def latest(created: str, updated: str) -> str:
    """Give when something was last changed after it was made, "" when it never was."""
    return updated if updated > created else ""
