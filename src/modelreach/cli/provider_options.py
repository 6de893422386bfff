"""Options of `collect` that only some providers know, and which source goes to which provider.

One table: an option is a row with the provider that knows it. A connector finds what was given in
`CollectOptions.settings`, under the name of the option.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from modelreach.model import InputError


class ProviderOption(msgspec.Struct, frozen=True):
    """One option. `many`: it may be given more than once."""

    provider: str
    name: str
    metavar: str
    help: str
    many: bool = False

    @property
    def parameter(self) -> str:
        return self.name.replace("-", "_")


OPTIONS = (
    ProviderOption("azure", "tenant", "ID", "Entra tenant to read."),
    ProviderOption("azure", "subscription", "ID", "Read a subscription.", many=True),
    ProviderOption("gcp", "organization", "ID", "Read a whole organization.", many=True),
    ProviderOption("gcp", "folder", "ID", "Read a folder and what is below it.", many=True),
    ProviderOption("gcp", "project", "ID", "Read a project.", many=True),
    ProviderOption("gcp", "impersonate", "EMAIL", "Service account to read as."),
    ProviderOption(
        "gcp", "quota-project", "ID", "Project whose quota is used; several take turns.", many=True
    ),
    ProviderOption("gcp", "cache", "FILE", "Keep slow answers there, and resume from them."),
    ProviderOption("kubernetes", "context", "NAME", "Context of the kubeconfig."),
    ProviderOption("kubernetes", "cluster", "NAME", "Name of the cluster in the snapshot."),
    ProviderOption(
        "kubernetes", "cluster-id", "ID", "What its cloud calls it: ARN, resource name or id."
    ),
    ProviderOption(
        "kubernetes",
        "namespace",
        "NAME",
        "Read a namespace only; of files, where what says none is.",
        many=True,
    ),
    ProviderOption("terraform", "plan", "FILE", "Apply a plan in JSON to the base.", many=True),
    ProviderOption("terraform", "onto", "FILE", "Snapshot to apply it to.", many=True),
    ProviderOption("terraform", "source", "DIR", "Configuration, for files and lines."),
    ProviderOption("terraform", "account", "ID", "AWS account of the plan, if it tells none."),
)


#: What is no estate of its own, and is not read beside others: it is applied to a snapshot.
ALONE = frozenset({"terraform"})


def provider_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command every option of the table."""
    for option in reversed(OPTIONS):
        text = f"{option.help} [{option.provider}]"
        command = click.option(
            f"--{option.name}", multiple=option.many, metavar=option.metavar, help=text
        )(command)
    return command


def settings(
    providers: Sequence[str], given: Mapping[str, Any]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Give what was given, by provider and option.

    Raises `InputError` for an option of a provider that is not read, and for a plan beside others.
    """
    _apart(providers)
    found: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in providers}
    for option in OPTIONS:
        value: Any = given.get(option.parameter) or ()
        values: tuple[str, ...] = tuple(value) if option.many else (value,) if value else ()
        if not values:
            continue
        if option.provider not in found:
            beside = () if option.provider in ALONE else tuple(providers)
            raise InputError(
                f"this is an option of `{option.provider}`, which is not read",
                place=f"--{option.name}",
                hint=f"use `modelreach collect {' '.join((*beside, option.provider))}`",
            )
        found[option.provider][option.name] = values
    return found


def _apart(providers: Sequence[str]) -> None:
    for name in ALONE & set(providers):
        if len(set(providers)) > 1:
            raise InputError(
                f"`{name}` is not read beside others: a plan is applied to a snapshot",
                place=" ".join(providers),
                hint=f"collect the others first, then `modelreach collect {name} --onto FILE`",
            )


def for_provider(
    values: Sequence[str], name: str, providers: Sequence[str], *, place: str
) -> tuple[str, ...]:
    """Give the values that are meant for one provider: `gcp=VALUE`, or a bare one.

    A bare value is for the only provider that is read. Of several, a folder that `--record` wrote
    for several is taken apart. Raises `InputError` for any other bare value.
    """
    found: list[str] = []
    for value in values:
        prefix, sign, rest = value.partition("=")
        if sign and prefix in providers:
            if prefix == name:
                found.append(rest)
        elif len(providers) == 1:
            found.append(value)
        elif _recorded_for(value, providers):
            if _recorded_for(value, (name,)):
                found.append(str(Path(value) / name))
        else:
            raise InputError(
                f"it is not said which of {', '.join(providers)} this is for",
                place=f"{place} {value}",
                hint=f"write `{place} {providers[0]}={value}`",
            )
    return tuple(found)


def _recorded_for(folder: str, providers: Sequence[str]) -> bool:
    return any((Path(folder) / name / "manifest.json").is_file() for name in providers)
