"""What can be acted on in Google Cloud: projects, buckets, secrets, datasets, topics, keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Binding, Scope
from modelreach_terraform.edits import Edit, Governs, Holds, Is
from modelreach_terraform.gcp.facts import binding, mentioned, resource, spelled
from modelreach_terraform.told import RELATIONS, Row, Table, Told
from modelreach_terraform.values import Json, at, is_unread, text

_KMS: Final = "//cloudkms.googleapis.com/"


def _project(told: Told) -> Iterator[Edit]:
    folder, organization = told.text("folder_id"), told.text("org_id")
    parent = f"organizations/{organization}" if organization else ""
    if folder:
        parent = folder if folder.startswith("folders/") else f"folders/{folder}"
    number = "" if told.unread("number") else told.text("number")
    yield Is(
        Scope(
            id=f"projects/{told.text('project_id')}",
            provider="gcp",
            kind="project",
            name=told.text("name"),
            parent=parent,
            tags=told.tags(),
            attributes=attributes(number=number),
        )
    )


def _folder(told: Told) -> Iterator[Edit]:
    yield Is(
        Scope(
            id=told.text("name", "id"),
            provider="gcp",
            kind="folder",
            name=told.text("display_name"),
            parent=told.text("parent"),
        )
    )


def _key(named: str) -> str:
    return _KMS + named.removeprefix(_KMS) if named else ""


def _bucket(told: Told) -> Iterator[Edit]:
    key = text(at(next(told.blocks("encryption"), {}), "default_kms_key_name"))
    prevention = told.text("public_access_prevention")
    yield resource(
        told,
        "storage.googleapis.com/Bucket",
        told.filled("//storage.googleapis.com/projects/_/buckets/{name}"),
        uniform_access=True
        in map(told.flag, ("uniform_bucket_level_access", "bucket_policy_only")),
        public_access_prevention="" if told.unread("public_access_prevention") else prevention,
        kms_key=_key(key),
    )


def _dataset(told: Told) -> Iterator[Edit]:
    name = told.filled("//bigquery.googleapis.com/projects/{project}/datasets/{dataset_id}")
    key = text(at(next(told.blocks("default_encryption_configuration"), {}), "kms_key_name"))
    yield resource(
        told,
        "bigquery.googleapis.com/Dataset",
        name,
        label=told.text("friendly_name") or told.text("dataset_id"),
        kms_key=_key(key),
    )
    if told.written("access"):
        bindings = [one for block in told.blocks("access") for one in _access(told, name, block)]
        merged: dict[str, Binding] = {}
        for one in bindings:
            known = merged.get(one.id, one)
            members = (*known.members, *one.members)
            merged[one.id] = binding(name, one.role, members, "", "")
        for one in merged.values():
            yield from mentioned(told, one.members)
        yield Governs(name, tuple(merged.values()))


#: The roles that basic roles of datasets stand for.
#: https://cloud.google.com/bigquery/docs/access-control-basic-roles#dataset-basic-roles
_BASIC: Final = {
    "OWNER": "roles/bigquery.dataOwner",
    "WRITER": "roles/bigquery.dataEditor",
    "READER": "roles/bigquery.dataViewer",
}
_SPECIAL: Final = {
    "projectOwners": "projectOwner",
    "projectWriters": "projectEditor",
    "projectReaders": "projectViewer",
}


def _access(told: Told, name: str, block: dict[str, Json]) -> Iterator[Binding]:
    """Give the grant that an entry of a dataset's list is; views and routines are none."""
    role = text(block.get("role"))
    member = text(block.get("iam_member"))
    email = text(block.get("user_by_email"))
    if email:
        service = email.endswith(".gserviceaccount.com")
        member = f"serviceAccount:{email}" if service else f"user:{email}"
    if group := text(block.get("group_by_email")):
        member = f"group:{group}"
    if domain := text(block.get("domain")):
        member = f"domain:{domain}"
    if special := text(block.get("special_group")):
        project = told.place["project"]
        member = f"{_SPECIAL[special]}:{project}" if special in _SPECIAL else special
    if role and member:
        yield binding(name, _BASIC.get(role, role), (member,), "", "")


def _dataset_access(told: Told) -> Iterator[Edit]:
    name = told.filled("//bigquery.googleapis.com/projects/{project}/datasets/{dataset_id}")
    block = {
        path: told.get(path)
        for path in (
            "role",
            "iam_member",
            "user_by_email",
            "group_by_email",
            "domain",
            "special_group",
        )
    }
    if not name or is_unread(block):
        yield told.unknown("bindings", name, "who is let in to which dataset")
        return
    for one in _access(told, name, block):
        yield from mentioned(told, one.members)
        yield Holds(one)


def _simple(kind: str, template: str, label: str = "") -> Callable[[Told], Iterator[Edit]]:
    """Give a resource that is told by its name alone."""

    def edits(told: Told) -> Iterator[Edit]:
        name = spelled(told.filled(template), told)
        key = told.text("kms_key_name")
        yield resource(
            told, kind, name, label=told.text(label) if label else "", kms_key=_key(key)
        )

    return edits


def _crypto_key(told: Told) -> Iterator[Edit]:
    template = next(told.blocks("version_template"), {})
    yield resource(
        told,
        "cloudkms.googleapis.com/CryptoKey",
        told.filled("//cloudkms.googleapis.com/{key_ring}/cryptoKeys/{name}"),
        purpose=told.text("purpose") or "ENCRYPT_DECRYPT",
        protection=text(template.get("protection_level")) or "SOFTWARE",
    )


def _named(template: str, **more: str) -> dict[str, str]:
    return {"id": template, **more}


_HUSH: Final = "projects/{project}/secrets/{secret_id}"
_RING: Final = "projects/{project}/locations/{location}/keyRings/{name}"

TABLE: Final[Table] = {
    "google_project": Row(_project, {"id": "projects/{project_id}", "number": "{address}"}),
    "google_folder": Row(
        _folder,
        {
            "id": "folders/{address}",
            "name": "folders/{address}",
            "folder_id": "{address}",
        },
    ),
    "google_storage_bucket": Row(
        _bucket, {"id": "{name}", "url": "gs://{name}", "self_link": "{name}"}
    ),
    "google_secret_manager_secret": Row(
        _simple(
            "secretmanager.googleapis.com/Secret",
            f"//secretmanager.googleapis.com/{_HUSH}",
        ),
        {"id": _HUSH, "name": _HUSH},
    ),
    "google_bigquery_dataset": Row(_dataset, _named("projects/{project}/datasets/{dataset_id}")),
    "google_bigquery_dataset_access": Row(_dataset_access, phase=RELATIONS),
    "google_bigquery_table": Row(
        _simple(
            "bigquery.googleapis.com/Table",
            "//bigquery.googleapis.com/projects/{project}/datasets/{dataset_id}/tables/{table_id}",
        ),
        _named("projects/{project}/datasets/{dataset_id}/tables/{table_id}"),
    ),
    "google_pubsub_topic": Row(
        _simple(
            "pubsub.googleapis.com/Topic",
            "//pubsub.googleapis.com/projects/{project}/topics/{name}",
        ),
        _named("projects/{project}/topics/{name}"),
    ),
    "google_pubsub_subscription": Row(
        _simple(
            "pubsub.googleapis.com/Subscription",
            "//pubsub.googleapis.com/projects/{project}/subscriptions/{name}",
        ),
        _named("projects/{project}/subscriptions/{name}"),
    ),
    "google_kms_key_ring": Row(
        _simple("cloudkms.googleapis.com/KeyRing", f"//cloudkms.googleapis.com/{_RING}"),
        _named(_RING),
    ),
    "google_kms_crypto_key": Row(_crypto_key, _named("{key_ring}/cryptoKeys/{name}")),
    "google_artifact_registry_repository": Row(
        _simple(
            "artifactregistry.googleapis.com/Repository",
            "//artifactregistry.googleapis.com/projects/{project}/locations/{location}"
            "/repositories/{repository_id}",
        ),
        _named(
            "projects/{project}/locations/{location}/repositories/{repository_id}",
            name="{repository_id}",
        ),
    ),
}
