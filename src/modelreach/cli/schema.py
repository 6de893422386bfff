"""`modelreach schema`: the JSON Schema of every file that enters or leaves the program."""

from __future__ import annotations

import click

NAMES = (
    *("snapshot", "radius", "survey", "diff", "answer", "evidence", "manifest", "config"),
    *("policy", "waivers", "ticket", "decision", "decision-input", "audit", "notification"),
)


@click.command("schema", epilog="Example: modelreach schema manifest > manifest.schema.json")
@click.argument("name", type=click.Choice(NAMES))
def command(name: str) -> None:
    """Print the JSON Schema (2020-12) of a file format."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(schema_of(name)), indent=2))


def schema_of(name: str) -> dict[str, object]:
    """Give the schema of a format by its short name."""
    import msgspec

    from modelreach.cli.auditing import AuditReport
    from modelreach.cli.config import Config
    from modelreach.deployment import Deployment
    from modelreach.evidence_report import EvidenceReport
    from modelreach.gate.decision_input import DecisionInput
    from modelreach.gate.policy import PolicyFile
    from modelreach.gate.record_file import StatementFile
    from modelreach.gate.waiver_file import WaiverFile
    from modelreach.pipeline.survey import SurveyRow
    from modelreach.report import AnswerReport
    from modelreach.report_file import DiffFile, RadiusFile, TicketFile
    from modelreach.snapshot import Snapshot
    from modelreach.state import Telling

    types: dict[str, tuple[type, str]] = {
        "snapshot": (Snapshot, "modelreach.snapshot/1"),
        "radius": (RadiusFile, "modelreach.radius/2"),
        "survey": (SurveyRow, "modelreach.survey/1"),
        "answer": (AnswerReport, "modelreach.answer/1"),
        "diff": (DiffFile, "modelreach.diff/2"),
        "evidence": (EvidenceReport, "modelreach.evidence/1"),
        "manifest": (Deployment, "modelreach/v1 ModelDeployment"),
        "config": (Config, "modelreach.yaml"),
        "policy": (PolicyFile, "policy of the gate"),
        "waivers": (WaiverFile, "modelreach-waivers.yaml"),
        "ticket": (TicketFile, "modelreach.ticket/2"),
        "decision": (StatementFile, "modelreach.decision/2, as an in-toto statement"),
        "audit": (AuditReport, "modelreach.audit/1"),
        "notification": (Telling, "modelreach.notification/1"),
        "decision-input": (DecisionInput, "modelreach.decision-input/1"),
    }
    type_, title = types[name]
    found = msgspec.json.schema(type_)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **found,
    }
