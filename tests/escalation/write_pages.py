"""Write docs/reference/escalation* and what the AWS engine reads from the rules:
`python tests/escalation/write_pages.py`."""

from __future__ import annotations

from pathlib import Path

from modelreach.policy.aws import escalation
from modelreach.policy.aws import escalation_pages as of_aws
from modelreach.policy.escalation import pages as of_roles

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def write(folder: Path, pages: dict[str, str]) -> None:
    """Write a catalogue's pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        folder.joinpath(name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    Path(escalation.__file__).with_suffix(".json").write_bytes(escalation.compiled())
    write(REFERENCE / "escalation", of_aws.pages())
    for provider in of_roles.TITLES:
        write(REFERENCE / f"escalation-{provider}", of_roles.pages(provider))
