"""The configuration that a plan was made from, where it is at hand: what is written where.

What is in a module that is no part of the folder is told by the block that calls the module.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from modelreach.model import InputError
from modelreach_terraform.configuration import plain
from modelreach_terraform.hcl import Block, Node, NotReadable, attributes, blocks
from modelreach_terraform.plan import Instance
from modelreach_terraform.values import Json

_MODULES: Final = Path(".terraform") / "modules" / "modules.json"
_DEEPEST: Final = 32


class Written:
    """Blocks by the module that they are in. Of no folder, nothing is known."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[str, tuple[str, ...]], Block] = {}
        self._locals: dict[tuple[str, str], Node] = {}

    def place(self, instance: Instance) -> tuple[str, int]:
        """Give the file and line of a resource, `("", 0)` when they are not known."""
        found = self.resource(instance)
        module = plain(instance.module)
        while found is None and module:
            module, _, name = module.rpartition("module.")
            module = module.removesuffix(".")
            found = self._blocks.get((module, ("module", name)))
        return (found.file, found.line) if found else ("", 0)

    def resource(self, instance: Instance) -> Block | None:
        """Give the block of a resource or data source."""
        kind = "data" if instance.data else "resource"
        return self._blocks.get((plain(instance.module), (kind, instance.type, instance.name)))

    def named(self, module: str, *labels: str) -> Block | None:
        """Give a block of a module: `output`, `variable` or `module`, and its name."""
        return self._blocks.get((plain(module), labels))

    def local(self, module: str, name: str) -> Node:
        """Give the expression of a local value, None where there is none."""
        return self._locals.get((plain(module), name))

    def add(self, module: str, block: Block) -> None:
        """Take a block of a module."""
        if block.labels == ("locals",):
            for name, expression in attributes(block.body).items():
                self._locals[module, name] = expression
        else:
            self._blocks.setdefault((module, block.labels), block)


def look(
    folder: Path, configuration: Mapping[str, Json], progress: Callable[[str], None]
) -> Written:
    """Read a folder, and the modules in it that the configuration calls.

    A file that cannot be read costs what is in it, and is told. Raises `InputError` for a folder
    that holds no configuration, `MissingExtra` without a parser.
    """
    if not folder.is_dir():
        raise InputError("no such folder", place=str(folder))
    looked = _Looked(folder, progress)
    looked.module("", folder, configuration.get("root_module"))
    if not looked.files:
        raise InputError(
            "no configuration is in there",
            place=str(folder),
            hint="give the folder in which `terraform plan` was run",
        )
    return looked.written


class _Looked:
    """One look through a folder."""

    def __init__(self, folder: Path, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._installed = _installed(folder)
        self.written = Written()
        self.files = 0

    def module(self, address: str, folder: Path, configuration: Json, depth: int = 0) -> None:
        """Read the files of a module, and the modules that it calls."""
        for path in sorted([*folder.glob("*.tf"), *folder.glob("*.tofu")]):
            self.files += 1
            self._file(address, path)
        calls = configuration.get("module_calls") if isinstance(configuration, dict) else None
        for name, call in calls.items() if isinstance(calls, dict) and depth < _DEEPEST else ():
            inner = f"{address}.module.{name}" if address else f"module.{name}"
            found = self._folder_of(inner, folder, call)
            if found is not None:
                self.module(inner, found, call.get("module"), depth + 1)

    def _folder_of(self, address: str, folder: Path, call: Json) -> Path | None:
        """Give the folder of a module that lies beside the one that calls it."""
        source = call.get("source") if isinstance(call, dict) else None
        if not isinstance(source, str) or not source.startswith(("./", "../")):
            return None
        found = self._installed.get(".".join(address.split(".")[1::2])) or folder / source
        return _inside(found) if found.is_dir() else None

    def _file(self, module: str, path: Path) -> None:
        try:
            for block in blocks(path.read_text(encoding="utf-8"), path.as_posix()):
                self.written.add(module, block)
        except (OSError, UnicodeDecodeError, NotReadable):
            self._progress(f"{path}: cannot be read as configuration; no lines are told from it")


def _inside(path: Path) -> Path:
    """Give a path without steps back in it, relative where it was."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] not in ("..", "/"):
            parts.pop()
        else:
            parts.append(part)
    return Path(*parts) if parts else Path()


def _installed(folder: Path) -> dict[str, Path]:
    """Give the folders of modules as `terraform init` noted them, without its copies of others."""
    try:
        noted = json.loads((folder / _MODULES).read_text(encoding="utf-8"))
        return {
            str(one["Key"]): folder / str(one["Dir"])
            for one in noted["Modules"]
            if one["Key"] and not str(one["Dir"]).startswith(".terraform")
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}
