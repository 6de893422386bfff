"""Commands of the providers' own tools that take something away, a module for each provider."""

from __future__ import annotations

from modelreach.gate.commands.aws import AWS
from modelreach.gate.commands.azure import AZURE
from modelreach.gate.commands.gcp import GCP
from modelreach.gate.commands.kubernetes import KUBERNETES
from modelreach.gate.commands.shell import Commands, Provider, Step
from modelreach.report import CredentialRow

#: Other providers join here.
PROVIDERS: dict[str, Provider] = {
    "aws": AWS,
    "azure": AZURE,
    "gcp": GCP,
    "kubernetes": KUBERNETES,
}


def commands_of(provider: str, step: Step) -> Commands | None:
    """Give the commands that take a step away; None if none is known."""
    known = PROVIDERS.get(provider)
    return known.deny(step) if known else None


def stop_commands(provider: str, identity: str) -> Commands | None:
    """Give the commands that halt an identity altogether."""
    known = PROVIDERS.get(provider)
    return known.stop(identity) if known else None


def key_commands(row: CredentialRow) -> Commands | None:
    """Give the commands that make a key inactive."""
    for known in PROVIDERS.values():
        found = known.key(row)
        if found is not None:
            return found
    return None
