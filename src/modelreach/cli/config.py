"""`modelreach.yaml`: what a project counts as sensitive, its key limits, its gate."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Literal

import msgspec

from modelreach import plain_yaml
from modelreach.judge.policy import JudgePolicy, KeyLimits, RuleSetting, SensitiveRule
from modelreach.model import InputError, Sensitivity, Severity

_NAMES = ("modelreach.yaml", ".modelreach.yaml", ".github/modelreach.yaml")


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the configuration's parts."""


class Sensitive(Part, frozen=True):
    """A rule of the user's: a glob over resource ids, tags, or both."""

    match: str = ""
    tags: dict[str, str | tuple[str, ...]] = {}
    level: Sensitivity = Sensitivity.HIGH
    why: str = ""


class Keys(Part, frozen=True):
    """Limits in days."""

    max_age: int = 90
    unused_after: int = 45


class Opens(Part, frozen=True):
    """Secrets, by a glob over their ids, that hold a credential of a principal."""

    secret: str
    opens: str


class RuleConfig(Part, frozen=True):
    """A change to one rule."""

    enabled: bool = True
    severity: Severity | None = None


class GateConfig(Part, frozen=True):
    """What fails the gate; options of the command line win. `policy` is a preset or a file."""

    fail_on: Literal["low", "medium", "high", "critical", "never"] | None = None
    fail_on_incomplete: bool = False
    policy: str = ""


class StateConfig(Part, frozen=True):
    """Where scheduled audits keep what they find; `--state` and `--blobs` win."""

    url: str = ""
    blobs: str = ""


class MailConfig(Part, frozen=True):
    """Mail to some people. `password` names an environment variable."""

    to: tuple[str, ...]
    sender: str = msgspec.field(name="from")
    server: str
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""


class NotifyConfig(Part, frozen=True):
    """Somebody who is told what audits find. `slack`, `webhook` and `secret` name environment
    variables that hold an address, or the secret of signatures."""

    name: str
    slack: str = ""
    webhook: str = ""
    secret: str = ""
    mail: MailConfig | None = None


class Config(Part, frozen=True):
    """The whole file."""

    version: Literal[1]
    sensitive: tuple[Sensitive, ...] = ()
    keys: Keys = Keys()
    credentials: tuple[Opens, ...] = ()
    rules: dict[str, RuleConfig] = {}
    gate: GateConfig = GateConfig()
    waivers: str = ""
    state: StateConfig = StateConfig()
    notify: tuple[NotifyConfig, ...] = ()


def load(path: str | None) -> Config:
    """Read the named file, or the first one found from here up to the repository's top.

    Raises `InputError` with file and line when it cannot be used.
    """
    from modelreach.cli.files import read

    found = path or _discover(os.getcwd())  # noqa: PTH109
    if found is None:
        return Config(version=1)
    source = read(found)
    config = plain_yaml.converted(source.raw, Config) or _strictly(source.raw, source.name)
    if config.rules:
        _check_rules(config.rules, source.name)
    return config


def _check_rules(named: Iterable[str], place: str) -> None:
    """Raise `InputError` for a rule that there is not: whoever mistypes one changes nothing."""
    from modelreach.judge.rules import ALL

    known = [rule.ID for rule in ALL]
    for name in named:
        if name not in known:
            message = f"rules: there is no rule `{name}` of findings"
            raise InputError(message, place=place, hint=f"known: {', '.join(known)}")


def _strictly(raw: bytes, place: str) -> Config:
    from modelreach import strict_yaml

    config, _ = strict_yaml.decode(
        raw,
        Config,
        place=place,
        what="a configuration file",
        hint="see `modelreach schema config`",
        fields=_FIELDS,
    )
    return config


_FIELDS = sorted(
    {
        name
        for struct in (
            Config,
            Sensitive,
            Keys,
            Opens,
            RuleConfig,
            GateConfig,
            StateConfig,
            MailConfig,
            NotifyConfig,
        )
        for name in struct.__struct_encode_fields__
    }
)


def _discover(folder: str) -> str | None:
    """Give the file of the nearest folder that has one, from this one up. `pathlib` is not
    imported for it: see `cli.files`."""
    while True:
        for name in _NAMES:
            place = os.path.join(folder, name)  # noqa: PTH118
            if os.path.isfile(place):  # noqa: PTH113
                return os.path.relpath(place)
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder or os.path.exists(f"{folder}/.git"):  # noqa: PTH110
            return None
        folder = above


def judge_policy(config: Config) -> JudgePolicy:
    """Give the configuration in the engine's words."""
    return JudgePolicy(
        sensitive=tuple(
            SensitiveRule(
                level=rule.level,
                why=rule.why,
                glob=rule.match,
                tags=tuple(
                    sorted(
                        (key, (values,) if isinstance(values, str) else values)
                        for key, values in rule.tags.items()
                    )
                ),
            )
            for rule in config.sensitive
        ),
        keys=KeyLimits(config.keys.max_age, config.keys.unused_after),
        opens=tuple(sorted((rule.secret, rule.opens) for rule in config.credentials)),
        rules=tuple(
            sorted(
                ((name, RuleSetting(r.enabled, r.severity)) for name, r in config.rules.items()),
                key=lambda item: item[0],
            )
        ),
    )
