"""Which program a command line starts, without the rest of the line, which may hold secrets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from modelreach.draft.secrets import looks_secret

#: A package of npm, PyPI or a registry of containers, with its version.
_PACKAGE: Final = re.compile(r"@?[A-Za-z0-9][\w.-]*(?:(?:[/:@]|==)[\w.-]+){0,6}")
_QUIET: Final = frozenset({"-y", "--yes", "-q", "--quiet", "--prefer-offline", "--isolated"})
_NAMED: Final = frozenset({"-p", "--package", "--from", "--spec"})
_DOCKER_ALONE: Final = frozenset({"-i", "-t", "-it", "-ti", "--rm", "--init", "--interactive"})
_DOCKER_WITH: Final = frozenset(
    {
        *("-e", "--env", "--env-file", "-v", "--volume", "--mount", "--network", "--name", "-p"),
        *("--publish", "-w", "--workdir", "-u", "--user", "--pull", "--platform", "-l", "--label"),
    }
)
_STARTERS: Final = frozenset({"npx", "bunx", "pnpx", "uvx", "pipx", "uv", "pnpm", "yarn", "npm"})
_READ_ONLY: Final = frozenset({"--readonly", "--read-only", "--read_only"})
_FLAG: Final = re.compile(r"--?[A-Za-z][\w-]*")


def program(command: str, arguments: Sequence[str]) -> str:
    """Give what is started: a package, an image, or the program itself."""
    name = re.split(r"[\\/]", command)[-1]
    if name in ("docker", "podman"):
        return _harmless(_image(arguments)) or name
    if name.removesuffix(".cmd").removesuffix(".exe") in _STARTERS:
        return _harmless(_package(arguments)) or name
    return _harmless(name)


def _harmless(name: str) -> str:
    return name if _PACKAGE.fullmatch(name) and not looks_secret(name) else ""


def _package(arguments: Sequence[str]) -> str:
    rest = list(arguments)
    while rest and (rest[0] in _QUIET or rest[0] in ("run", "exec", "dlx", "tool", "--")):
        rest.pop(0)
    if rest and rest[0] in _NAMED:
        rest.pop(0)
    return rest[0] if rest else ""


def _image(arguments: Sequence[str]) -> str:
    """The image of `docker run`; "" when there is an option that is not known."""
    rest = list(arguments)
    if not rest or rest.pop(0) != "run":
        return ""
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in _DOCKER_WITH:
            del rest[:1]
        elif option not in _DOCKER_ALONE and option.partition("=")[0] not in _DOCKER_WITH:
            return ""
    return rest[0] if rest else ""


def is_read_only(arguments: Sequence[str]) -> bool:
    """Is the program told to change nothing?"""
    return any(argument in _READ_ONLY for argument in arguments)


def floats(package: str) -> bool:
    """May another program be started tomorrow? A package without a version, or by a moving tag."""
    name = package.lstrip("@").rpartition("/")[2]
    version = re.split("==|[@:]", name, maxsplit=1)[1:]
    return not version or not any(char.isdigit() for char in version[0])


def is_fetched(command: str) -> bool:
    """Is the program fetched when it is started?"""
    name = re.split(r"[\\/]", command)[-1].removesuffix(".cmd").removesuffix(".exe")
    return name in _STARTERS or name in ("docker", "podman")


def hidden(arguments: Sequence[str]) -> tuple[str, ...]:
    """Name the arguments that hold a secret, or look like one: by their option, else by place."""
    found: list[str] = []
    option = ""
    for place, argument in enumerate(arguments):
        head, equals, _ = argument.partition("=")
        named = head if _FLAG.fullmatch(head) else ""
        sensitive = _is_sensitive(named or option)
        if equals and (named or head.isupper()):
            found += [named or head] if sensitive or not named else []
        elif not named and (sensitive or "://" in argument or looks_secret(argument)):
            found.append(option if sensitive else f"[{place}]")
        option = named if not equals else ""
    return tuple(dict.fromkeys(found))


def _is_sensitive(option: str) -> bool:
    words = ("token", "key", "secret", "password", "passwd", "auth", "header", "credential")
    return option in ("-e", "-H", "-p") or any(word in option.lower() for word in words)
