"""Whom the code of a runtime acts as: its roles, under the session policy that is put on it."""

from __future__ import annotations

from modelreach.policy.aws.became import SEVERAL, Became, How
from modelreach.policy.aws.estate import Estate
from modelreach.snapshot import Runtime


def acts_as(estate: Estate, runtime: Runtime) -> tuple[str, ...]:
    """Give the names of whom a runtime acts as.

    Pods of an EKS association have no more of its role than the association's policy allows.
    https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html
    """
    return tuple(under_session(estate, runtime, name) for name in runtime.identities)


def under_session(estate: Estate, runtime: Runtime, name: str) -> str:
    """Give the name of a role within the session policies of a runtime, which hold together; its
    own if there is none.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
    """
    attached = estate.facts.attachments.get(runtime.id, ())
    digests = sorted({one.document for one in attached if one.kind == "session"})
    return Became(name, How.SESSION, SEVERAL.join(digests)).name if digests else name
