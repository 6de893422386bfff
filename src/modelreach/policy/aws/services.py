"""Which services and actions the evaluation treats in a way of their own."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from modelreach.policy.aws.catalogue import shipped
from modelreach.policy.aws.principals import CallerKind

TRUST_ACTIONS = frozenset(
    {
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:setsourceidentity",
        "sts:tagsession",
    }
)

# "KMS applies the grant constraints only to cryptographic operations that support an encryption
# context": https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html
ENCRYPTING = frozenset(
    {
        "decrypt",
        "encrypt",
        "generatedatakey",
        "generatedatakeypair",
        "generatedatakeypairwithoutplaintext",
        "generatedatakeywithoutplaintext",
        "reencryptfrom",
        "reencryptto",
    }
)

_IDENTITIES = frozenset(
    {
        CallerKind.USER,
        CallerKind.ROLE,
        CallerKind.SESSION,
        CallerKind.FEDERATED_USER,
        CallerKind.ROOT,
    }
)

# No permission is needed for these, and no policy can deny them.
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
_FREE = {
    "sts:getcalleridentity": _IDENTITIES,
    "sts:getsessiontoken": frozenset({CallerKind.USER, CallerKind.ROOT}),
}

# Not effective in an RCP, even where the action is `*`.
# https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
_NOT_UNDER_RCPS = frozenset({"kms:retiregrant"})


@lru_cache(1)
def _rcp_services() -> frozenset[str]:
    return msgspec.json.decode(shipped("rcpSupportedServices.json"), type=frozenset[str])


def is_free(action: str, kind: CallerKind) -> bool:
    """May everybody of this kind do it, whatever the policies say?"""
    return kind in _FREE.get(action, ())


def under_rcps(action: str) -> bool:
    """Do resource control policies apply to the action (in lower case)?"""
    return action.partition(":")[0] in _rcp_services() and action not in _NOT_UNDER_RCPS


def needs_resource_policy(action: str, resource: str) -> bool:
    """Does the resource's own policy have to allow, even within the account?

    So it is for KMS keys (https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html)
    and for roles: the trust policy decides who may assume them.
    """
    if action.startswith("kms:"):
        return ":key/" in resource
    return action in TRUST_ACTIONS and ":role/" in resource


# What is asked of the store itself: its own policies, or its own users, have a say in it.
# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-data-access.html
# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html
_OF_COLLECTIONS = "aoss:apiaccessall"
_OF_DOMAINS = ("es:eshttp", "es:escrossclusterget")
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.enabling.html
_OF_CLUSTERS = "rds-data:"


def asks_the_store(action: str) -> bool:
    """Is the action (in lower case) one on which a store's own access control has a say?"""
    return action == _OF_COLLECTIONS or action.startswith((*_OF_DOMAINS, _OF_CLUSTERS))


def opened_by_the_store(action: str) -> bool:
    """Does that access control stand in for a resource policy, towards other accounts too?"""
    return action == _OF_COLLECTIONS


# What AWS itself owns in an account can be looked at, and nothing else.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
# https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
# https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html
_LOOKING = ("get", "list", "simulate", "generateservicelastaccesseddetails")
_KMS_ALIAS = frozenset({"kms:createalias", "kms:updatealias", "kms:deletealias"})
# A service-linked role is made and deleted by way of IAM; its description is the account's.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
_SERVICE_LINKED = frozenset(
    {
        "iam:createservicelinkedrole",
        "iam:deleteservicelinkedrole",
        "iam:updateroledescription",
    }
)
_ON_POLICIES = frozenset(
    {
        "iam:createpolicy",
        "iam:createpolicyversion",
        "iam:deletepolicy",
        "iam:deletepolicyversion",
        "iam:setdefaultpolicyversion",
        "iam:tagpolicy",
        "iam:untagpolicy",
    }
)


def belongs_to_aws(action: str, resource: str) -> bool:
    """Would the action (in lower case) change what only AWS may change?"""
    if action.startswith("iam:"):
        if ":iam::aws:policy/" in resource:
            return action in _ON_POLICIES
        looks = action.partition(":")[2].startswith(_LOOKING)
        if ":role/aws-reserved/" in resource:
            return not looks
        if ":role/aws-service-role/" in resource:
            return not looks and action not in _SERVICE_LINKED
        return False
    return action in _KMS_ALIAS and ":alias/aws/" in resource
