"""Plan files: what `terraform show -json` and `tofu show -json` print of a saved plan.

https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from modelreach.model import InputError
from modelreach_terraform.values import Json, told

#: Minor versions add only what may be passed over; a new major version would not.
_FORMATS: Final = re.compile(r"(0|1)\.\d+")
_HINT: Final = "write one with `terraform show -json PLANFILE > plan.json`"
_MODULE: Final = re.compile(r"module\.[^.\[]+(?:\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\])?\.")


class Action(StrEnum):
    """What a plan does with a resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    NOTHING = "no-op"
    READ = "read"
    FORGET = "forget"


class _Change(msgspec.Struct, frozen=True):
    actions: tuple[str, ...]
    before: Any = None
    after: Any = None
    after_unknown: Any = None
    before_sensitive: Any = None
    after_sensitive: Any = None


class _ResourceChange(msgspec.Struct, frozen=True):
    address: str
    type: str
    name: str
    change: _Change
    mode: str = "managed"
    provider_name: str = ""
    module_address: str = ""
    previous_address: str = ""
    index: int | str | None = None
    deposed: str = ""


class _Deferred(msgspec.Struct, frozen=True):
    resource_change: _ResourceChange


class _Resource(msgspec.Struct, frozen=True):
    address: str
    type: str
    name: str
    mode: str = "managed"
    provider_name: str = ""
    index: int | str | None = None
    values: Any = None
    sensitive_values: Any = None


class _Module(msgspec.Struct, frozen=True):
    address: str = ""
    resources: tuple[_Resource, ...] = ()
    child_modules: tuple[_Module, ...] = ()


class _Values(msgspec.Struct, frozen=True):
    root_module: _Module = _Module()


class _State(msgspec.Struct, frozen=True):
    values: _Values | None = None


class _Plan(msgspec.Struct, frozen=True):
    """What is read of a plan; everything else in it is not even looked at."""

    format_version: str
    terraform_version: str = ""
    resource_changes: tuple[_ResourceChange, ...] = ()
    deferred_changes: tuple[_Deferred, ...] = ()
    prior_state: _State | None = None
    configuration: Any = None
    variables: Any = None
    errored: bool = False


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a resource: `key` is that of `count` or `for_each`, `module` the address of
    the module instance that it is in, "" for the root."""

    address: str
    type: str
    name: str
    module: str
    key: int | str | None
    provider: str
    data: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one instance, with its values on both sides; None where it is not there."""

    instance: Instance
    action: Action
    before: dict[str, Json] | None
    after: dict[str, Json] | None
    deferred: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. `prior` are the instances that are there before it, `configuration` and `variables`
    as they stand in the file."""

    place: str
    version: str
    changes: tuple[Change, ...]
    prior: tuple[tuple[Instance, dict[str, Json]], ...]
    configuration: Mapping[str, Json]
    variables: Mapping[str, Json]


def _utf8(raw: bytes) -> bytes:
    """Give what Windows PowerShell writes where it redirects (UTF-16 with a mark) as UTF-8.

    https://learn.microsoft.com/en-us/powershell/module/microsoft.powershell.core/about/about_character_encoding
    """
    if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return raw.decode("utf-16").encode()
    return raw.removeprefix(BOM_UTF8)


def decode(raw: bytes, *, place: str) -> Plan:
    """Read a plan. No message has any of its values in it.

    Raises `InputError` for what is no plan, is cut short, or is of a format that is not known.
    """
    try:
        found = msgspec.json.decode(_utf8(raw), type=_Plan)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"this is not a plan in JSON ({_problem(error)})", place=place, hint=_HINT
        ) from None
    if not _FORMATS.fullmatch(found.format_version):
        raise InputError("the format of this plan is not known", place=place, hint=_HINT)
    if found.errored:
        raise InputError(
            "planning failed, so that this plan is not whole", place=place, hint="plan again"
        )
    return Plan(
        place=place,
        version=found.terraform_version,
        changes=tuple(_changes(found)),
        prior=tuple(_prior(found.prior_state)),
        configuration=found.configuration if isinstance(found.configuration, dict) else {},
        variables=found.variables if isinstance(found.variables, dict) else {},
    )


def _problem(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _changes(found: _Plan) -> Iterator[Change]:
    for one in found.resource_changes:
        yield _change(one, deferred=False)
    for later in found.deferred_changes:
        yield _change(later.resource_change, deferred=True)


def _change(one: _ResourceChange, *, deferred: bool) -> Change:
    change = one.change
    before = told(change.before, None, change.before_sensitive)
    after = told(change.after, change.after_unknown, change.after_sensitive)
    return Change(
        instance=Instance(
            address=one.address,
            type=one.type,
            name=one.name,
            module=one.module_address or module_of(one.address),
            key=one.index,
            provider=provider_of(one.type, one.provider_name),
            data=one.mode == "data",
        ),
        action=_action(change.actions),
        before=before if isinstance(before, dict) else None,
        after=after if isinstance(after, dict) and change.after is not None else None,
        deferred=deferred,
    )


def _action(actions: tuple[str, ...]) -> Action:
    """Give what a list of actions comes to. What is forgotten only leaves the state."""
    if "create" in actions:
        return Action.REPLACE if "delete" in actions else Action.CREATE
    for action in (Action.UPDATE, Action.DELETE, Action.FORGET, Action.READ):
        if action.value in actions:
            return action
    return Action.NOTHING


def _prior(state: _State | None) -> Iterator[tuple[Instance, dict[str, Json]]]:
    if state is not None and state.values is not None:
        yield from _resources(state.values.root_module)


def _resources(module: _Module) -> Iterator[tuple[Instance, dict[str, Json]]]:
    for one in module.resources:
        values = told(one.values, None, one.sensitive_values)
        address = _whole(one, module.address)
        instance = Instance(
            address=address,
            type=one.type,
            name=one.name,
            module=module.address or module_of(address),
            key=one.index,
            provider=provider_of(one.type, one.provider_name),
            data=one.mode == "data",
        )
        yield instance, values if isinstance(values, dict) else {}
    for child in module.child_modules:
        yield from _resources(child)


def _whole(one: _Resource, module: str) -> str:
    """Give an address with its module and key, which Terraform 0.12 leaves out of states."""
    address = one.address
    if one.index is not None and not address.endswith("]"):
        address += quoted(one.index)
    return f"{module}.{address}" if module and not address.startswith(module) else address


def quoted(key: int | str | None) -> str:
    """Give the key of an instance as addresses have it."""
    if key is None:
        return ""
    if isinstance(key, int):
        return f"[{key}]"
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'


def module_of(address: str) -> str:
    """Give the module instance that an address is in, "" for the root."""
    end = 0
    while found := _MODULE.match(address, end):
        end = found.end()
    return address[:end].removesuffix(".")


#: Providers by their own name, whichever registry or mirror they come from.
_PROVIDERS: Final = {
    "aws": "aws",
    "awscc": "aws",
    "google": "gcp",
    "google-beta": "gcp",
    "azurerm": "azure",
    "azuread": "azure",
    "azapi": "azure",
    "kubernetes": "kubernetes",
    "kubectl": "kubernetes",
    "helm": "kubernetes",
}


def provider_of(kind: str, name: str) -> str:
    """Give the provider of ours that a resource belongs to, "" for another.

    Terraform 0.12 writes `aws`, later ones `registry.terraform.io/hashicorp/aws`.
    """
    short = name.rpartition("/")[2] or kind.partition("_")[0]
    return _PROVIDERS.get(short, "")
