"""Commands of the AWS CLI that take something away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from modelreach.gate.commands.shell import Commands, Provider, Step, is_plain, line
from modelreach.report import CredentialRow


def _aws_deny(step: Step) -> Commands | None:
    """An inline policy with an explicit deny, which wins over every allow and holds for sessions
    that are open already.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html
    """
    resources = sorted({part for name in step.objects for part in _aws_parts(name)})
    statement = {
        "Sid": f"ModelreachCut{step.number}",
        "Effect": "Deny",
        "Action": list(step.actions) if step.actions else ["*"],
        "Resource": ["*"] if "*" in step.actions else resources,
    }
    return _aws_inline(step.subject, f"modelreach-cut-{step.number}", statement)


def _aws_stop(identity: str) -> Commands | None:
    statement = {"Sid": "ModelreachStop", "Effect": "Deny", "Action": ["*"], "Resource": ["*"]}
    return _aws_inline(identity, "modelreach-stop", statement)


def _aws_inline(subject: str, name: str, statement: Mapping[str, object]) -> Commands | None:
    parts = subject.split(":", 5)
    if len(parts) < 6 or not is_plain(subject):
        return None
    kind, _, path = parts[5].partition("/")
    if kind not in ("role", "user") or parts[2] != "iam":
        return None
    named = (f"--{kind}-name={path.rpartition('/')[2]}", f"--policy-name={name}")
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return Commands(
        revoke=(
            line("aws", "iam", f"put-{kind}-policy", *named, f"--policy-document={document}"),
        ),
        undo=(line("aws", "iam", f"delete-{kind}-policy", *named),),
        where=f"AWS account {parts[4]}",
    )


def _aws_parts(name: str) -> Iterable[str]:
    """A bucket and its objects are two resources to a policy; a scope is none."""
    if not name.startswith("arn:"):
        return ("*",)
    is_bucket = name.split(":", 5)[2] == "s3" and "/" not in name
    return (name, f"{name}/*") if is_bucket else (name,)


def _aws_key(row: CredentialRow) -> Commands | None:
    """https://docs.aws.amazon.com/cli/latest/reference/iam/update-access-key.html"""
    parts = row.principal.split(":", 5)
    if row.kind != "access-key" or len(parts) < 6 or not is_plain(row.id, row.principal):
        return None
    user = parts[5].rpartition("/")[2]
    named = (f"--user-name={user}", f"--access-key-id={row.id}")
    update = ("aws", "iam", "update-access-key", *named)
    return Commands(
        revoke=(line(*update, "--status=Inactive"),),
        undo=(line(*update, "--status=Active"),),
        where=f"AWS account {parts[4]}",
    )


AWS = Provider(_aws_deny, _aws_stop, _aws_key)
