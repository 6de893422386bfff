"""Writing files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from modelreach.cli.files import InFolder, to_stdout
from modelreach.model import InputError


def place(outputs: Mapping[str, bytes]) -> None:
    """Write every file to a temporary name beside it, and only when all are written rename them;
    `-` is stdout, and comes last. Raises `InputError` for what cannot be written; then none is.
    """
    waiting: dict[Path, Path] = {}
    made = [path for path in _folders(outputs) if _make(path)]
    try:
        for name, content in outputs.items():
            path = Path(name)
            if name != "-" and not _is_device(path):
                waiting[path] = _beside(path, content)
        for path, temporary in waiting.items():
            _rename(temporary, path)
    finally:
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)
        for path in made:
            _remove_if_empty(path)
    for name, content in outputs.items():
        if name == "-":
            to_stdout(content)
        elif _is_device(Path(name)):
            Path(name).write_bytes(content)


def _folders(outputs: Iterable[str]) -> set[Path]:
    return {Path(name).parent for name in outputs if isinstance(name, InFolder)}


def _make(path: Path) -> bool:
    """Make a folder; give whether it was not there."""
    try:
        path.mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise _unwritable(path, error) from None
    return True


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where they are not there. Raises `InputError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def _remove_if_empty(path: Path) -> None:
    with suppress(OSError):
        path.rmdir()


def _is_device(path: Path) -> bool:
    """Is it there and no file, such as a pipe or `/dev/null`? That is written to, not replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _beside(path: Path, content: bytes) -> Path:
    """Write the content under a temporary name in the folder of a file, and give that name."""
    import tempfile

    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name[:100]}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise _unwritable(path, error) from None
    return temporary


def _rename(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"cannot be written ({error.strerror})", place=str(path))
