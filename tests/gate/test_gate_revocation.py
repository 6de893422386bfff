"""Commands for Azure and Kubernetes: what they take, whether a shell reads them as meant."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modelreach.gate.commands import key_commands
from modelreach.gate.commands.azure import AZURE
from modelreach.gate.commands.kubernetes import KUBERNETES
from modelreach.gate.commands.shell import Commands, Step
from modelreach.report import CredentialRow

ME = "85ce7ab6-8eb7-521c-a67d-e8f2b9026031"
ID = "f5921b3b-fed1-514b-9af8-fa994c424109"
GROUP = "/subscriptions/c2d6426b-6dbd-59f5-80c9-1a0925c270fb/resourcegroups/rg"
VAULT = f"{GROUP}/providers/microsoft.keyvault/vaults/kv"
AGENT = "k8s/c/system:serviceaccount:bots:agent"
CLUSTER = "k8s/c"


def azure(statement: Any, target: str, sid: str = ID, layer: str = "binding") -> Commands | None:
    text = statement if isinstance(statement, str) else json.dumps(statement)
    return AZURE.deny(Step(ME, ("x",), ("y",), 3, target, text, sid, layer))


def kubernetes(
    subject: str = AGENT, target: str = CLUSTER, sid: str = "admins", layer: str = "binding"
) -> Commands | None:
    return KUBERNETES.deny(Step(subject, ("x",), ("y",), 3, target, "{}", sid, layer))


def credential(kind: str, id_: str, principal: str) -> CredentialRow:
    fields: dict[str, Any] = dict.fromkeys(CredentialRow.__struct_fields__, "")
    more: dict[str, Any] = {"id": id_, "kind": kind, "principal": principal}
    given = {**fields, **more, "age_days": None, "unused_days": None}
    return CredentialRow(**given)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs lines in a real shell, with tools that only write down what they were told."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("az", "kubectl"):
        script = tools / name
        script.write_text(
            "#!/bin/sh\n"
            'for word in "$0" "$@"; do printf "%s\\0" "${word##*/tools/}"; done >> "$LOG"\n'
            'printf "\\n" >> "$LOG"\n'
            'case "$*" in *replace*-) cat > "$LOG.stdin";; *get*) cat "$LOG.answer";; esac\n'
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    log = tmp_path / "log"
    log.write_text("")
    answer = Path(f"{log}.answer")
    answer.write_text("{}")
    monkeypatch.chdir(tmp_path)

    def run(lines: tuple[str, ...], found: Any = None) -> list[list[str]]:
        if found is not None:
            answer.write_text(json.dumps(found))
        log.write_text("")
        environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "LOG": str(log)}
        for line in lines:
            subprocess.run(["/bin/sh", "-c", line], env=environment, check=True, timeout=300)
        return [line.split("\0")[:-1] for line in log.read_text().splitlines()]

    return run


# --- Azure -----------------------------------------------------------------------------------


def test_a_role_assignment_is_kept_deleted_and_put_back(shell: Any, tmp_path: Path) -> None:
    made = azure({"actions": ["*"]}, GROUP)
    assert made is not None
    url = f"--url=https://management.azure.com{GROUP}/providers/Microsoft.Authorization"
    url += f"/roleAssignments/{ID}?api-version=2022-04-01"
    got, deleted = shell(made.revoke, {"properties": {"condition": "c"}})
    assert got[:4] == ["az", "rest", "--method=get", url]
    assert deleted == ["az", "rest", "--method=delete", url]
    kept = json.loads((tmp_path / "modelreach-cut-3.json").read_text())
    assert kept == {"properties": {"condition": "c"}}
    (put,) = shell(made.undo)
    assert put == ["az", "rest", "--method=put", url, "--body=@modelreach-cut-3.json"]


@pytest.mark.parametrize(
    ("statement", "target", "sid", "listed"),
    [
        ({"value": "Mail.Read"}, ID, "a-b_c", f"servicePrincipals/{ID}/appRoleAssignedTo"),
        (
            {"allowedResourceActions": ["x"]},
            ID,
            "q-1",
            "roleManagement/directory/roleAssignments",
        ),
    ],
)
def test_roles_of_the_directory_are_put_back_by_posting_them(
    shell: Any, statement: Any, target: str, sid: str, listed: str
) -> None:
    made = azure(statement, target, sid)
    assert made is not None
    url = f"--url=https://graph.microsoft.com/v1.0/{listed}"
    got, deleted = shell(made.revoke)
    assert (got[2:4], deleted[2:]) == (
        ["--method=get", f"{url}/{sid}"],
        ["--method=delete", f"{url}/{sid}"],
    )
    assert shell(made.undo) == [
        ["az", "rest", "--method=post", url, "--body=@modelreach-cut-3.json"]
    ]


def test_an_access_policy_is_put_back_as_it_was(shell: Any) -> None:
    said = {
        "objectId": ME,
        "permissions": {"secrets": ["get", "list"], "keys": [], "storage": ["get"]},
    }
    made = azure(said, VAULT, "", "access-policy")
    assert made is not None
    named = [
        "--subscription=c2d6426b-6dbd-59f5-80c9-1a0925c270fb",
        "--name=kv",
        f"--object-id={ME}",
    ]
    assert shell(made.revoke) == [["az", "keyvault", "delete-policy", *named]]
    back = ["--secret-permissions", "get", "list", "--storage-permissions", "get"]
    assert shell(made.undo) == [["az", "keyvault", "set-policy", *named, *back]]


@pytest.mark.parametrize(
    ("statement", "target", "sid", "layer"),
    [
        ({"actions": ["*"]}, GROUP, "no guid", "binding"),
        ({"actions": ["*"]}, "somewhere", ID, "binding"),
        ({"actions": ["*"]}, f"{GROUP}\x1b", ID, "binding"),
        ({"value": "Mail.Read"}, "no guid", "x", "binding"),
        ({"value": "Mail.Read"}, ID, "../../x", "binding"),
        ({"allowedResourceActions": []}, ID, "x/y", "binding"),
        ({"objectId": "x", "permissions": {"secrets": ["get"]}}, VAULT, "", "access-policy"),
        ({"objectId": ME, "permissions": {}}, VAULT, "", "access-policy"),
        ({"objectId": ME, "permissions": {"secrets": ["g\n"]}}, VAULT, "", "access-policy"),
        ("[]", GROUP, ID, "binding"),
        ("no json", GROUP, ID, "binding"),
    ],
)
def test_nothing_is_made_up(statement: Any, target: str, sid: str, layer: str) -> None:
    assert azure(statement, target, sid, layer) is None


def test_a_principal_is_disabled(shell: Any) -> None:
    made = AZURE.stop(ME)
    assert made is not None
    update = ["az", "ad", "sp", "update", f"--id={ME}", "--set"]
    assert shell(made.revoke) == [[*update, "accountEnabled=false"]]
    assert shell(made.undo) == [[*update, "accountEnabled=true"]]
    assert AZURE.stop("/subscriptions/x") is None


@pytest.mark.parametrize(
    ("kind", "id_", "principal", "words", "undone"),
    [
        ("client-secret", f"{ID}/credentials/{ME}", ME, f"--id={ID} --key-id={ME}", False),
        ("certificate", f"{ID}/credentials/{ME}", ME, f"--key-id={ME} --cert", False),
        (
            "storage-key",
            f"{GROUP}/a/keys/key1",
            f"{GROUP}/a",
            "--allow-shared-key-access=false",
            True,
        ),
        ("cognitive-key", f"{GROUP}/a/keys/key1", f"{GROUP}/a", "disableLocalAuth=true", True),
    ],
)
def test_keys_are_refused_or_removed(
    kind: str, id_: str, principal: str, words: str, undone: bool
) -> None:
    made = key_commands(credential(kind, id_, principal))
    assert made is not None
    assert words in made.revoke[0]
    assert bool(made.undo) == undone


@pytest.mark.parametrize(
    ("kind", "id_", "principal"),
    [
        ("client-secret", f"{ME}/credentials/{ID}", ME),
        ("client-secret", "x/credentials/y", ME),
        ("storage-key", "x", ME),
        ("federated", f"{ID}/federated/x", ME),
        ("storage-key", f"{GROUP}/a/keys/1", f"{GROUP}/a\u202e"),
    ],
)
def test_of_other_keys_nothing_is_made_up(kind: str, id_: str, principal: str) -> None:
    assert key_commands(credential(kind, id_, principal)) is None


# --- Kubernetes ------------------------------------------------------------------------------

SUBJECTS = [
    {"kind": "ServiceAccount", "name": "agent", "namespace": "bots"},
    {"kind": "ServiceAccount", "name": "agent", "namespace": "others"},
    {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": 'ann"; \\(reboot) $(x)'},
]
BOUND = {"kind": "RoleBinding", "metadata": {"name": "n", "uid": "1"}, "subjects": SUBJECTS}


@pytest.mark.parametrize(
    ("subject", "gone"), [(AGENT, 0), (f"{CLUSTER}/user:{SUBJECTS[2]['name']}", 2)]
)
def test_a_subject_is_taken_out_of_its_binding_and_no_other(
    shell: Any, tmp_path: Path, subject: str, gone: int
) -> None:
    """Where there is no jq, as on a bare machine, only the words are looked at."""
    made = kubernetes(subject, f"{CLUSTER}/prod")
    assert made is not None
    if shutil.which("jq") is None:
        assert "jq 'if any(.subjects[]" in made.revoke[1]
        return
    calls = shell(made.revoke, BOUND)
    get = ["kubectl", "get", "rolebinding", "--namespace=prod", "--output=json", "--", "admins"]
    assert sorted(calls) == sorted([get, ["kubectl", "replace", "--filename=-"]])
    replaced = json.loads((tmp_path / "log.stdin").read_text())
    assert replaced["subjects"] == [one for n, one in enumerate(SUBJECTS) if n != gone]
    kept = json.loads((tmp_path / "modelreach-cut-3.json").read_text())
    assert kept == BOUND | {"metadata": {"name": "n"}}
    assert shell(made.undo) == [["kubectl", "replace", "--filename=modelreach-cut-3.json"]]


def test_who_has_it_by_a_group_is_told_so() -> None:
    made = kubernetes()
    assert made is not None
    assert 'error("it is not named here, and has this by a group")' in made.revoke[1]
    assert made.revoke[0].startswith("kubectl get clusterrolebinding --output=json -- admins |")


@pytest.mark.parametrize(
    "more",
    [
        {"sid": "system:discovery"},
        {"sid": ""},
        {"sid": "a\x1bb"},
        {"layer": "service"},
        {"target": "k8s/other"},
        {"target": "k8s/c2"},
        {"target": f"{CLUSTER}/Not A Namespace"},
        {"subject": "arn:aws:iam::1:role/x"},
    ],
)
def test_nothing_is_made_up_of_a_cluster(more: dict[str, str]) -> None:
    assert kubernetes(**more) is None


def test_a_service_account_is_kept_and_deleted(shell: Any) -> None:
    made = KUBERNETES.stop(AGENT)
    assert made is not None
    assert made.revoke[1] == "kubectl delete serviceaccount agent --namespace=bots"
    assert made.undo == ("kubectl create --filename=modelreach-stop-bots-agent.json",)
    assert KUBERNETES.stop(f"{CLUSTER}/user:ann") is None
    assert KUBERNETES.stop(AGENT.replace("agent", "../x")) is None
