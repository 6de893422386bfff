"""What the rest of the program has to know of GitHub's workflows: only manifests tell of them."""

from __future__ import annotations

from modelreach.policy.engine import Engine
from modelreach.policy.provider import Context, Opens, Provider
from modelreach.snapshot import Facts


def _engine(_facts: Facts, context: Context, _opens: Opens) -> Engine:
    from modelreach.policy.github.subject import FORGE
    from modelreach.policy.workflow import WorkflowEngine

    return WorkflowEngine(FORGE, context)


def _owns(principal: str) -> bool:
    if not principal.startswith("repo"):
        return False
    from modelreach.policy.github.subject import read

    return read(principal) is not None


PROVIDER = Provider(
    name="github",
    engine=_engine,
    identities="github",
    classes={"github:workflow": "identities"},
    sensitive={},
    models={},
    owns=_owns,
)
