"""Stores that are searched, streamed to or queried: domains of OpenSearch and others."""

from __future__ import annotations

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource
from modelreach_aws.answers import Answers
from modelreach_aws.parse.collections import parse_collections
from modelreach_aws.parse.facts import Facts
from modelreach_aws.parse.keys import Keys
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.things import policy, thing
from modelreach_aws.select import at


def parse_stores(answers: Answers, places: Places, keys: Keys, facts: Facts) -> None:
    """Turn what these services answered into resources and their policies."""
    _domains(answers, places, keys, facts)
    parse_collections(answers, facts)


def _domains(answers: Answers, places: Places, keys: Keys, facts: Facts) -> None:
    for one, response in answers.of("opensearch", "ListDomainNames"):
        for entry in response.get("DomainNames", ()):
            name = entry["DomainName"]
            asked = {"DomainName": name}
            about = answers.response(one, "DescribeDomain", asked).get("DomainStatus", {})
            arn = about.get("ARN") or places.arn(one, "es", f"domain/{name}")
            tags = answers.response(one, "ListTags", {"ARN": arn}).get("TagList")
            key = at(about, "EncryptionAtRestOptions.KmsKeyId")
            facts.resources.append(
                Resource(
                    **thing(one, "es:domain", arn, name, tags),
                    attributes=attributes(
                        engine=about.get("EngineVersion"),
                        fine_grained=at(about, "AdvancedSecurityOptions.Enabled"),
                        kms_key=keys.arn(one.account, one.region, key),
                        vpc=at(about, "VPCOptions.VPCId"),
                    ),
                )
            )
            policy(facts, one, arn, about.get("AccessPolicies"))
