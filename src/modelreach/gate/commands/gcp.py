"""Commands of gcloud that take something away."""

from __future__ import annotations

import json
import re
from typing import Any

from modelreach.gate.commands.shell import Commands, Provider, Step, is_plain, line
from modelreach.report import CredentialRow

#: What a binding stands on -> the gcloud group that removes it, and how the thing is named there;
#: other named parts are flags.
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
    (
        r"//pubsub\.googleapis\.com/(?P<name>projects/[^/]+/topics/[^/]+)",
        ("pubsub", "topics"),
        "{name}",
    ),
    (
        r"//pubsub\.googleapis\.com/(?P<name>projects/[^/]+/subscriptions/[^/]+)",
        ("pubsub", "subscriptions"),
        "{name}",
    ),
    (
        r"//run\.googleapis\.com/projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+)"
        r"/services/(?P<name>[^/]+)",
        ("run", "services"),
        "{name}",
    ),
    (
        r"//run\.googleapis\.com/projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+)"
        r"/jobs/(?P<name>[^/]+)",
        ("run", "jobs"),
        "{name}",
    ),
    (
        r"//cloudkms\.googleapis\.com/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
        r"/keyRings/(?P<keyring>[^/]+)/cryptoKeys/(?P<name>[^/]+)",
        ("kms", "keys"),
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
            if name.startswith("-"):
                return None
            flags = {key: value for key, value in found.groupdict().items() if key != "name"}
            named = (name, *(f"--{key}={value}" for key, value in flags.items()))
            named += (f"--member={member}", f"--role={role}")
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


GCP = Provider(_gcp_unbind, _gcp_stop, _gcp_key)
