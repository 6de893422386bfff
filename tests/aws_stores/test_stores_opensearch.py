"""Domains and collections: what IAM lets, and what the store itself asks besides."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from modelreach.collect.answers import Refusal
from modelreach.policy.aws.engine import AwsEngine
from modelreach.snapshot import Facts

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"
DOMAIN = f"arn:aws:es:{REGION}:{ACCOUNT}:domain/search"
LIBRARY = f"arn:aws:aoss:{REGION}:{ACCOUNT}:collection/abc"
AGENT = f"arn:aws:iam::{ACCOUNT}:role/agent"
GUEST = f"arn:aws:iam::{OTHER}:role/guest"
GET, API = "es:ESHttpGet", "aoss:APIAccessAll"
Json = dict[str, Any]
Answers = dict[tuple[str, str], Any]
Grants = Callable[..., dict[str, dict[str, str]]]


def _document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(actions: Any, resource: Any = "*", **more: Any) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def _role(arn: str, policy: Json) -> Json:
    return {
        "RoleDetailList": [
            {
                "RoleName": arn.rsplit("/", 1)[-1],
                "Arn": arn,
                "AssumeRolePolicyDocument": _document(),
                "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": policy}],
            }
        ]
    }


def _domain(policy: Json | None, **more: Any) -> Json:
    said = {"AccessPolicies": json.dumps(policy)} if policy else {}
    return {"DomainStatus": {"DomainName": "search", "ARN": DOMAIN, **said, **more}}


def _with_domain(identity: Json, about: Any) -> Answers:
    return {
        ("iam", "GetAccountAuthorizationDetails"): _role(AGENT, identity),
        ("opensearch", "ListDomainNames"): {"DomainNames": [{"DomainName": "search"}]},
        ("opensearch", "DescribeDomain"): [({"DomainName": "search"}, about)],
    }


def test_requests_to_a_domain_are_about_paths_in_it(snapshot: Any, grants: Grants) -> None:
    """https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html"""
    inside = _with_domain(_document(_allow("es:*", f"{DOMAIN}/*")), _domain(None))
    assert grants(snapshot(inside), AGENT)[DOMAIN].keys() >= {GET, "es:ESHttpPost"}
    assert "es:DeleteDomain" not in grants(snapshot(inside), AGENT)[DOMAIN]
    itself = _with_domain(_document(_allow("es:*", DOMAIN)), _domain(None))
    assert GET not in grants(snapshot(itself), AGENT)[DOMAIN]
    assert grants(snapshot(itself), AGENT)[DOMAIN]["es:DeleteDomain"] == "allow"


def test_a_domain_policy_alone_is_enough_at_home_and_half_of_it_abroad(
    snapshot: Any, grants: Grants
) -> None:
    named = _allow(GET, f"{DOMAIN}/*", Principal={"AWS": [AGENT, GUEST]})
    home = _with_domain(_document(), _domain(_document(named)))
    for identity, found in ((_document(_allow(GET)), {DOMAIN: {GET: "allow"}}), (_document(), {})):
        abroad = {("iam", "GetAccountAuthorizationDetails"): _role(GUEST, identity)}
        both = snapshot(home, **{f"a{OTHER}": abroad})
        assert grants(both, AGENT) == {DOMAIN: {GET: "allow"}}
        assert grants(both, GUEST) == found


def test_what_users_of_its_own_a_domain_lets_in_is_not_known(
    snapshot: Any, grants: Grants
) -> None:
    """With fine-grained access control roles within the domain decide."""
    about = _domain(None, AdvancedSecurityOptions={"Enabled": True})
    found = snapshot(_with_domain(_document(_allow("es:*")), about))
    rows = grants(found, AGENT)[DOMAIN]
    assert rows[GET] == rows["es:ESHttpPut"] == "unknown"
    assert rows["es:DeleteDomain"] == "allow", "the domain itself is IAM's"
    decision = AwsEngine(Facts(found)).decide(AGENT, GET, f"{DOMAIN}/index/_search")
    assert str(decision.verdict) == "unknown"
    assert [one.value for one in decision.blocked_by] == ["access-policy"]
    assert "roles within" in " ".join(AwsEngine(Facts(found)).explain(decision))


def test_a_domain_in_a_network_is_reached_from_there(snapshot: Any, grants: Grants) -> None:
    about = _domain(None, VPCOptions={"VPCId": "vpc-1"})
    rows = grants(snapshot(_with_domain(_document(_allow("es:*")), about)), AGENT)[DOMAIN]
    assert (rows[GET], rows["es:DescribeDomain"]) == ("conditional", "allow")


def test_a_domain_that_was_not_described_may_ask_anything(snapshot: Any, grants: Grants) -> None:
    refused = Refusal("denied", "AccessDeniedException")
    found = snapshot(_with_domain(_document(_allow("es:*")), refused))
    assert grants(found, AGENT)[DOMAIN][GET] == "unknown"
    assert [(g.kind, g.subject) for g in found.gaps if g.permission == "es:DescribeDomain"] == [
        ("resource-policy", DOMAIN)
    ]


# --- collections -------------------------------------------------------------------------------


def _data(*principals: str, resource: str = "index/library/*", kind: str = "index") -> Json:
    rule = {"ResourceType": kind, "Resource": [resource], "Permission": ["aoss:ReadDocument"]}
    return {"Rules": [rule], "Principal": list(principals)}


def _network(**more: Any) -> Json:
    return {"Rules": [{"ResourceType": "collection", "Resource": ["collection/lib*"]}], **more}


PUBLIC = _network(AllowFromPublic=True)


def _with_collection(
    data: Any, network: Any = (PUBLIC,), identity: Json | None = None, who: str = AGENT
) -> Answers:
    """Answers with one collection, a data access and a network policy; None is a refusal."""
    refused = Refusal("denied", "AccessDeniedException")
    policy = identity or _document(_allow("aoss:*"))
    found: Answers = {
        ("iam", "GetAccountAuthorizationDetails"): _role(who, policy),
        ("opensearchserverless", "ListCollections"): {
            "collectionSummaries": [{"id": "abc", "name": "library", "arn": LIBRARY}]
        },
    }
    for word, type_, entries in (("Access", "data", data), ("Security", "network", network)):
        low = word.lower()
        listed = {f"{low}PolicySummaries": [{"name": "p"}]}
        said = {f"{low}PolicyDetail": {"type": type_, "name": "p", "policy": entries}}
        found["opensearchserverless", f"List{word}Policies"] = [
            ({"type": type_}, refused if entries is None else listed)
        ]
        if entries is not None:
            found["opensearchserverless", f"Get{word}Policy"] = [
                ({"type": type_, "name": "p"}, said)
            ]
    return found


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        ([_data(AGENT)], "allow"),
        ([_data(AGENT, resource="collection/library", kind="collection")], "allow"),
        ([_data(AGENT, resource="index/li*/books")], "allow"),
        ([_data("arn:aws:iam::111122223333:role/a*")], "allow"),
        ([_data(f"arn:aws:sts::{ACCOUNT}:assumed-role/agent/x")], "conditional"),
        ([_data(GUEST)], None),
        ([_data("saml/111122223333/corp/group/agents")], None),
        ([_data(AGENT, resource="index/archive/*")], None),
        ([], None),
        (None, "unknown"),
        ({"Rules": "no list"}, "unknown"),
    ],
)
def test_a_collection_needs_a_data_access_policy_too(
    data: Any, verdict: str | None, snapshot: Any, grants: Grants
) -> None:
    rows = grants(snapshot(_with_collection(data)), AGENT)[LIBRARY]
    assert rows.get(API) == verdict
    assert rows["aoss:DeleteCollection"] == "allow", "the collection itself is IAM's"


def test_a_data_access_policy_without_iam_gives_nothing(snapshot: Any, grants: Grants) -> None:
    nothing = _document(_allow("s3:*"))
    assert grants(snapshot(_with_collection([_data(AGENT)], identity=nothing)), AGENT) == {}


@pytest.mark.parametrize(
    ("network", "verdict", "why"),
    [
        ([_network(AllowFromPublic=False, SourceVPCEs=["vpce-1"])], "conditional", "vpce-1"),
        ([_network(SourceServices=["bedrock.amazonaws.com"])], "conditional", "bedrock"),
        ([_network(SourceVPCEs=["vpce-1"]), PUBLIC], "allow", ""),
        ([], "unknown", "from where"),
        (None, "unknown", "network-policy"),
    ],
)
def test_a_collection_is_reached_from_where_its_network_policies_say(
    network: Any, verdict: str, why: str, snapshot: Any
) -> None:
    found = AwsEngine(Facts(snapshot(_with_collection([_data(AGENT)], network))))
    decision = found.decide(AGENT, API, LIBRARY)
    assert str(decision.verdict) == verdict
    assert why in " ".join(found.explain(decision))


def test_the_witness_names_all_three_policies(snapshot: Any) -> None:
    decision = AwsEngine(Facts(snapshot(_with_collection([_data(AGENT)])))).decide(
        AGENT, API, LIBRARY
    )
    assert {(one.layer.value, one.policy) for one in decision.allowed_by} == {
        ("identity", "own"),
        ("access-policy", "p data access policy"),
        ("endpoint", "p network policy"),
    }
    denied = AwsEngine(Facts(snapshot(_with_collection([_data(GUEST)]))))
    answer = denied.decide(AGENT, API, LIBRARY)
    assert [one.value for one in answer.blocked_by] == ["access-policy"]
    assert "data access policy" in denied.explain(answer)[0]


def test_a_data_access_policy_may_let_another_account_in(snapshot: Any, grants: Grants) -> None:
    home = _with_collection([_data(GUEST)])
    for identity, found in (
        (_document(_allow("aoss:APIAccessAll")), {LIBRARY: {API: "allow"}}),
        (_document(), {}),
    ):
        abroad = {("iam", "GetAccountAuthorizationDetails"): _role(GUEST, identity)}
        assert grants(snapshot(home, **{f"a{OTHER}": abroad}), GUEST) == found
