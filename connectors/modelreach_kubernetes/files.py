"""Clusters from files: manifests, what `kubectl get -o json|yaml` prints, rendered charts, and the
folders that `--record` writes.

Of a list (`kind: List`) it is known that every object of its kinds is in it; of objects that stand
alone it is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from modelreach import yaml_tree
from modelreach.collect.recording import broken
from modelreach.collect.sources import below
from modelreach.model import InputError
from modelreach_kubernetes.estate import Object, Read, Refusal
from modelreach_kubernetes.keep import kept
from modelreach_kubernetes.kinds import ENTRY_KIND, KINDS

MANIFEST: Final = "modelreach.kubernetes-recording/1"
#: What is to be made of a folder that has such a file.
_RENDERED: Final = {
    "kustomization": "give what it makes of its folder: `kubectl kustomize FOLDER > all.yaml`",
    "Chart": "give what it makes of its folder: `helm template FOLDER > all.yaml`",
    "values": "give what the chart makes of it: `helm template FOLDER > all.yaml`",
}
_NAMESPACED: Final = frozenset(kind.name for kind in KINDS if kind.namespaced)
_SUFFIXES = (".yaml", ".yml", ".json")


class Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A list that was refused when the recording was made."""

    kind: str
    reason: str
    message: str
    namespace: str = ""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a recording consists of. `whole` are kinds, each with a namespace ("" for all)."""

    format: str
    taken_at: str
    cluster: str
    files: tuple[str, ...]
    whole: tuple[tuple[str, str], ...] = ()
    refusals: tuple[Refused, ...] = ()
    about: dict[str, str] = {}


def read_files(sources: tuple[Path, ...], cluster: str, now: str, namespace: str = "") -> Read:
    """Read files and folders into one cluster. Raises `InputError`, with file, for what cannot be
    read or holds no Kubernetes object.

    Objects that say no namespace are put into `namespace`, as `kubectl apply -n` does ("default"
    without it); a
    recording says of all of them where they are.
    https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
    """
    if len(sources) == 1 and (sources[0] / "manifest.json").is_file():
        return _recording(sources[0], cluster)
    found = Read(cluster or _name(sources[0]), now, loose=True)
    for source in sources:
        for path in _paths(source):
            for document in _documents(path):
                _take(document, found, path, namespace)
    if not found.objects:
        raise InputError(
            "no Kubernetes object is in there",
            place=str(sources[0]),
            hint="give manifests, or what `kubectl get KINDS -A -o yaml` prints",
        )
    return found


def _name(source: Path) -> str:
    return (source.stem or "cluster").replace("/", "-")


def _paths(source: Path) -> list[Path]:
    if source.is_dir():
        return sorted(path for path in below(source) if path.suffix in _SUFFIXES)
    return [source]


def _documents(path: Path) -> Iterator[Any]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(path)) from None
    try:
        if path.suffix == ".json":
            yield json.loads(raw)
        else:
            yield from list(yaml_tree.documents(raw, str(path)))
    except yaml_tree.BROKEN as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"this is neither YAML nor JSON ({problem})",
            place=str(path),
            hint="templates of a chart have to be rendered first: `helm template`",
        ) from None


def _take(document: Any, found: Read, path: Path, namespace: str) -> None:
    if document is None:
        return
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise InputError(
            "this is not a Kubernetes object: it has no `kind`",
            place=str(path),
            hint=_RENDERED.get(path.stem, ""),
        )
    items = document.get("items")
    if not document["kind"].endswith("List") or not isinstance(items, list):
        found.objects.append(_placed(kept(document), namespace))
        return
    whole = document["kind"].removesuffix("List")
    names = {whole} if whole else set()
    for item in items:
        if isinstance(item, dict):
            named = {"kind": whole, **item} if whole else item
            found.objects.append(_placed(kept(named), namespace))
            names.add(str(named.get("kind", "")))
    found.whole |= {(kind.qualified, "") for kind in KINDS if kind.name in names}


def _placed(item: Object, namespace: str) -> Object:
    """Give an object in a namespace, where it lies in one and does not say in which."""
    if item["kind"] in _NAMESPACED and not item["metadata"].get("namespace"):
        item["metadata"]["namespace"] = namespace or "default"
    return item


# --- recordings ------------------------------------------------------------------------------


def write(folder: Path, found: Read) -> None:
    """Write what was read, a list for each kind, the manifest last."""
    groups: dict[str, list[Object]] = {}
    for item in found.objects:
        group = str(item["apiVersion"]).replace("/", "_")
        groups.setdefault(f"{group}_{item['kind']}.json", []).append(item)
    for name, items in groups.items():
        ordered = sorted(items, key=lambda one: json.dumps(one, sort_keys=True))
        _write(folder / name, {"apiVersion": "v1", "kind": "List", "items": ordered})
    manifest = Manifest(
        format=MANIFEST,
        taken_at=found.taken_at,
        cluster=found.cluster,
        files=tuple(sorted(groups)),
        whole=tuple(sorted(found.whole)),
        refusals=tuple(
            sorted(
                (
                    Refused(r.kind.qualified + r.kind.selector, r.reason, r.message, r.namespace)
                    for r in found.refusals
                ),
                key=repr,
            )
        ),
        about=found.about,
    )
    _write(folder / "manifest.json", msgspec.to_builtins(manifest))


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _recording(folder: Path, cluster: str) -> Read:
    place = folder / "manifest.json"
    try:
        manifest = msgspec.json.decode(place.read_bytes(), type=Manifest)
    except (msgspec.MsgspecError, OSError, RecursionError) as error:
        raise broken(error, place=str(place), provider="kubernetes") from None
    found = Read(cluster or manifest.cluster, manifest.taken_at, about=dict(manifest.about))
    for name in manifest.files:
        path = folder / Path(name).name
        if not path.is_file():
            raise InputError(
                f"this recording is broken: `{name}` is missing",
                place=str(folder),
                hint="what is lost must not read as no access; record it again",
            )
        for document in _documents(path):
            _take(document, found, path, "")
    found.whole = {(name, namespace) for name, namespace in manifest.whole}
    kinds = {kind.qualified + kind.selector: kind for kind in (*KINDS, ENTRY_KIND)}
    found.refusals = [
        Refusal(kinds[r.kind], r.reason, r.message, r.namespace)
        for r in manifest.refusals
        if r.kind in kinds
    ]
    return found
