"""What the subject of a token of GitHub Actions says: whose workflow it is, and from where.

`repo:OWNER/REPO:environment:NAME`, `…:ref:refs/heads/BRANCH`, `…:pull_request`; with immutable
subjects the numbers of owner and repository stand behind their names. An organization may have its
subjects made otherwise: then a manifest declares the claims that are not in them.
https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

import re
from typing import Final

from modelreach.policy.engine import Distance, Stranger
from modelreach.policy.workflow import Claims, Forge, Workflow

_REPOSITORY = r"repo(?:sitory)?:([\w.-]+)(?:@(\d+))?/([\w.-]+)(?:@(\d+))?(?::(.*))?"
_PROBE: Final = "modelreach-probe"
_BRANCH: Final = f"refs/heads/{_PROBE}"


def read(subject: str) -> Workflow | None:
    """Read a subject; None when it is none of a repository."""
    found = re.fullmatch(_REPOSITORY, subject, re.DOTALL)
    if found is None:
        return None
    owner, owner_id, name, number, rest = found.groups()
    claims = _claims(owner, name, rest or "")
    if owner_id and number:
        claims |= {"repository_owner_id": (owner_id,), "repository_id": (number,)}
    return Workflow(f"{owner}/{name}", owner, claims, _strangers(owner, name))


def _claims(owner: str, name: str, rest: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {
        "repository": (f"{owner}/{name}",),
        "repository_owner": (owner,),
    }
    kind, _, value = rest.partition(":")
    if kind == "ref" and value:
        found["ref"] = (value,)
        found["ref_type"] = ("tag" if value.startswith("refs/tags/") else "branch",)
    if kind == "environment" and value:
        found["environment"] = (value,)
    if rest == "pull_request":
        found["event_name"] = ("pull_request",)
    return found


def _strangers(owner: str, name: str) -> tuple[Stranger, ...]:
    def of(owner: str, name: str, rest: str, words: str, distance: Distance) -> Stranger:
        claims: Claims = _claims(owner, name, rest)
        return Stranger(f"repo:{owner}/{name}:{rest}", words, distance, claims)

    branch, own = f"ref:{_BRANCH}", f"`{owner}/{name}`"
    pulled = f"pull requests of {own}, of whoever may open one"
    return (
        of(_PROBE, _PROBE, branch, "any repository of anybody on GitHub", Distance.ANYBODY),
        of(owner, _PROBE, branch, f"any repository of `{owner}`", Distance.PLACE),
        of(owner, name, "pull_request", pulled, Distance.BESIDE),
        of(owner, name, branch, f"any branch of {own}", Distance.BESIDE),
        of(owner, name, f"environment:{_PROBE}", f"any environment of {own}", Distance.BESIDE),
    )


FORGE = Forge(
    provider="github",
    issuer="token.actions.githubusercontent.com",
    declared=frozenset(
        {
            "iss",
            "aud",
            "actor",
            "base_ref",
            "enterprise",
            "environment",
            "event_name",
            "head_ref",
            "job_workflow_ref",
            "ref",
            "ref_type",
            "repository",
            "repository_id",
            "repository_owner",
            "repository_owner_id",
            "repository_visibility",
            "runner_environment",
            "workflow",
            "workflow_ref",
        }
    ),
    read=read,
)
