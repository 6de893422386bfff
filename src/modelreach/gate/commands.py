"""Commands of the providers' own tools that take something away, one table row for each provider.

Names come from a cloud and are hostile: every argument is quoted for a POSIX shell, and where a
name holds a control character there is no command at all, since nobody could check what it does.
"""

from __future__ import annotations

import json
import re
import shlex
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modelreach.report import CredentialRow


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands for a shell: what revokes, and what undoes that. `where` says whose credentials
    they need."""

    revoke: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step to take away: who does what to what, because of which statement on which target.
    `number` is that of the cut."""

    subject: str
    actions: tuple[str, ...]
    objects: tuple[str, ...]
    number: int
    target: str = ""
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """How one provider denies a step, halts an identity, and makes a key inactive."""

    deny: Callable[[Step], Commands | None]
    stop: Callable[[str], Commands | None]
    key: Callable[[CredentialRow], Commands | None]


def commands_of(provider: str, step: Step) -> Commands | None:
    """Give the commands that take a step away; None if none is known."""
    known = PROVIDERS.get(provider)
    return known.deny(step) if known else None


def stop_commands(provider: str, identity: str) -> Commands | None:
    """Give the commands that halt an identity altogether."""
    known = PROVIDERS.get(provider)
    return known.stop(identity) if known else None


def key_commands(row: CredentialRow) -> Commands | None:
    """Give the commands that make a key inactive."""
    for known in PROVIDERS.values():
        found = known.key(row)
        if found is not None:
            return found
    return None


def line(*words: str) -> str:
    """Give one command line, each word quoted for a POSIX shell."""
    return shlex.join(words)


def is_plain(*texts: str) -> bool:
    """Has every text no character that moves, hides or controls what a reader sees?"""
    return all(unicodedata.category(c) not in _HIDDEN for text in texts for c in text)


_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


# --- AWS -----------------------------------------------------------------------------------


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


# --- Google Cloud --------------------------------------------------------------------------


#: What a binding stands on -> the gcloud group that removes it, and how the thing is named there.
_GCP_TARGETS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (r"organizations/(?P<name>[^/]+)", ("organizations",), "{name}"),
    (r"folders/(?P<name>[^/]+)", ("resource-manager", "folders"), "{name}"),
    (r"projects/(?P<name>[^/]+)", ("projects",), "{name}"),
    (
        r"//secretmanager\.googleapis\.com/(?P<name>projects/[^/]+/secrets/[^/]+)",
        ("secrets",),
        "{name}",
    ),
    (
        r"//storage\.googleapis\.com/projects/_/buckets/(?P<name>[^/]+)",
        ("storage", "buckets"),
        "gs://{name}",
    ),
    (
        r"//iam\.googleapis\.com/projects/[^/]+/serviceAccounts/(?P<name>[^/]+)",
        ("iam", "service-accounts"),
        "{name}",
    ),
)


def _gcp_unbind(step: Step) -> Commands | None:
    """Take the member out of the binding. One with a condition could not be put back by a
    command of the same form, so there is none for it.

    https://cloud.google.com/sdk/gcloud/reference/projects/remove-iam-policy-binding
    """
    try:
        binding: Any = json.loads(step.statement)
        (member,), role = binding["members"], binding["role"]
    except (ValueError, KeyError, TypeError):
        return None
    if "condition" in binding or not is_plain(str(member), str(role), step.target):
        return None
    for pattern, group, form in _GCP_TARGETS:
        found = re.fullmatch(pattern, step.target)
        if found:
            name = form.format(name=found["name"])
            named = (name, f"--member={member}", f"--role={role}")
            return Commands(
                revoke=(line("gcloud", *group, "remove-iam-policy-binding", *named),),
                undo=(line("gcloud", *group, "add-iam-policy-binding", *named),),
                where=f"Google Cloud, {step.target}",
            )
    return None


def _gcp_stop(identity: str) -> Commands | None:
    """Disabling a service account ends what its keys open, and can be taken back.

    https://cloud.google.com/iam/docs/service-accounts-disable-enable
    """
    account = identity.removeprefix("serviceAccount:")
    if not account.endswith(".gserviceaccount.com") or not is_plain(account):
        return None
    accounts = ("gcloud", "iam", "service-accounts")
    project = account.partition("@")[2].removesuffix(".iam.gserviceaccount.com")
    return Commands(
        revoke=(line(*accounts, "disable", account),),
        undo=(line(*accounts, "enable", account),),
        where=f"Google Cloud project {project}",
    )


_GCP_KEY = re.compile(
    r"//iam\.googleapis\.com/projects/[^/]+/serviceAccounts/(?P<account>[^/]+)/keys/(?P<key>[^/]+)"
)


def _gcp_key(row: CredentialRow) -> Commands | None:
    """https://cloud.google.com/iam/docs/keys-disable-enable"""
    found = _GCP_KEY.fullmatch(row.id)
    if found is None or not is_plain(row.id):
        return None
    keys = ("gcloud", "iam", "service-accounts", "keys")
    named = (found["key"], f"--iam-account={found['account']}")
    return Commands(
        revoke=(line(*keys, "disable", *named),),
        undo=(line(*keys, "enable", *named),),
        where=f"Google Cloud, {found['account']}",
    )


#: Other providers join here.
PROVIDERS: dict[str, Provider] = {
    "aws": Provider(_aws_deny, _aws_stop, _aws_key),
    "gcp": Provider(_gcp_unbind, _gcp_stop, _gcp_key),
}
