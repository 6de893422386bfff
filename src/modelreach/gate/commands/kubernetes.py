"""Commands of kubectl that take something away.

RBAC cannot deny, so a subject is taken out of its binding. The binding is kept in a file first.
"""

from __future__ import annotations

import json
import re

from modelreach.gate.commands.shell import Commands, Provider, Step, is_plain, line
from modelreach.report import CredentialRow

_SUBJECT = re.compile(
    r"k8s/(?P<cluster>[^/]+)/(?:system:serviceaccount:(?P<namespace>[^:/]+):(?P<account>[^:/]+)"
    r"|(?P<kind>user|group):(?P<name>.+))"
)
_NAMESPACE = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_ACCOUNT = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
#: What the server sets, and would not take back.
_SERVERS = "del(.metadata.resourceVersion, .metadata.uid, .metadata.managedFields)"


def _deny(step: Step) -> Commands | None:
    """A binding that gives this by a group names the group: then the command says so and fails."""
    found = _SUBJECT.fullmatch(step.subject)
    if (
        found is None
        or step.layer != "binding"
        or not is_plain(step.subject, step.sid, step.target)
    ):
        return None
    cluster = found["cluster"]
    whole, _, place = step.target.removeprefix("k8s/").partition("/")
    # What the server makes for itself it makes again.
    if whole != cluster or not step.sid or step.sid.startswith("system:"):
        return None
    if place and not _is_namespace(place):
        return None
    kind = "rolebinding" if place else "clusterrolebinding"
    file = f"modelreach-cut-{step.number}.json"
    named = ("kubectl", "get", kind, *_in(place), "--output=json", "--", step.sid)
    chosen = _chosen(found)
    taken = (
        f"if any(.subjects[]; {chosen}) then del(.subjects[] | select({chosen})) "
        'else error("it is not named here, and has this by a group") end'
    )
    return Commands(
        revoke=(
            f"{line(*named)} | {line('jq', _SERVERS)} > {file}",
            f"{line('jq', taken, file)} | kubectl replace --filename=-",
        ),
        undo=(line("kubectl", "replace", f"--filename={file}"),),
        where=f"Kubernetes cluster {cluster}",
    )


def _is_namespace(text: str) -> bool:
    return _NAMESPACE.fullmatch(text) is not None


def _in(namespace: str) -> tuple[str, ...]:
    return (f"--namespace={namespace}",) if namespace else ()


def _chosen(found: re.Match[str]) -> str:
    if found["account"]:
        kind, name = "ServiceAccount", found["account"]
    else:
        kind, name = found["kind"].capitalize(), found["name"]
    wanted = f".kind == {json.dumps(kind)} and .name == {json.dumps(name)}"
    inside = f" and .namespace == {json.dumps(found['namespace'])}" if found["account"] else ""
    return wanted + inside


def _stop(identity: str) -> Commands | None:
    """A service account that is gone has no valid token. What runs as it gets new ones when it is
    back and started again.

    https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
    """
    found = _SUBJECT.fullmatch(identity)
    if found is None or not found["account"] or not is_plain(identity):
        return None
    namespace, account = found["namespace"], found["account"]
    if not (_is_namespace(namespace) and _ACCOUNT.fullmatch(account)):
        return None
    file = f"modelreach-stop-{namespace}-{account}.json"
    named = ("serviceaccount", account, *_in(namespace))
    kept = line("kubectl", "get", *named, "--output=json")
    return Commands(
        revoke=(f"{kept} | {line('jq', _SERVERS)} > {file}", line("kubectl", "delete", *named)),
        undo=(line("kubectl", "create", f"--filename={file}"),),
        where=f"Kubernetes cluster {found['cluster']}",
    )


def _key(_: CredentialRow) -> Commands | None:
    """Tokens of service accounts end with their account."""
    return None


KUBERNETES = Provider(_deny, _stop, _key)
