"""What the subject of an id token of GitLab CI says: whose job it is, and from which ref.

`project_path:GROUP/PROJECT:ref_type:branch:ref:main`.
https://docs.gitlab.com/ci/secrets/id_token_authentication/
"""

from __future__ import annotations

import re
from typing import Final

from modelreach.policy.engine import Distance, Stranger
from modelreach.policy.workflow import Forge, Workflow

_PROJECT = r"project_path:([^:]+)/([^:/]+)(?::ref_type:(branch|tag):ref:(.+))?"
_PROBE: Final = "modelreach-probe"


def read(subject: str) -> Workflow | None:
    """Read a subject; None when it is none of a project."""
    found = re.fullmatch(_PROJECT, subject, re.DOTALL)
    if found is None:
        return None
    group, project, kind, ref = found.groups()
    claims = _claims(group, project, kind or "", ref or "")
    return Workflow(f"{group}/{project}", group, claims, _strangers(group, project))


def _claims(group: str, project: str, kind: str, ref: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {
        "project_path": (f"{group}/{project}",),
        "namespace_path": (group,),
    }
    if ref:
        found |= {"ref": (ref,), "ref_type": (kind,)}
    return found


def _strangers(group: str, project: str) -> tuple[Stranger, ...]:
    def of(group: str, project: str, words: str, distance: Distance) -> Stranger:
        claims = _claims(group, project, "branch", _PROBE)
        subject = f"project_path:{group}/{project}:ref_type:branch:ref:{_PROBE}"
        return Stranger(subject, words, distance, claims)

    own = f"any branch of `{group}/{project}`"
    return (
        of(_PROBE, _PROBE, "any project of anybody on GitLab", Distance.ANYBODY),
        of(group, _PROBE, f"any project of `{group}`", Distance.PLACE),
        of(group, project, own, Distance.BESIDE),
    )


FORGE = Forge(
    provider="gitlab",
    issuer="gitlab.com",
    declared=frozenset(
        {
            "iss",
            "aud",
            "ci_config_ref_uri",
            "deployment_tier",
            "environment",
            "environment_protected",
            "namespace_id",
            "namespace_path",
            "pipeline_source",
            "project_id",
            "project_path",
            "ref",
            "ref_protected",
            "ref_type",
            "runner_environment",
            "user_login",
        }
    ),
    read=read,
)
