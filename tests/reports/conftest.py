"""Reports as the engine would give them: one realistic, and the same with hostile names."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import pytest

from modelreach.report import (
    AdminRow,
    ChangeRow,
    CredentialRow,
    DemandRow,
    DiffReport,
    Figures,
    FindingRow,
    GapRow,
    Gate,
    GrantRow,
    Hop,
    IdentityRow,
    MatrixCell,
    RadiusReport,
    ReleaseRow,
    Report,
    RuleRow,
    ScopeRow,
    SecurityChange,
    Summary,
    SummedUpRow,
    ToolRow,
    TriggerRow,
    UndeclaredRow,
    Waived,
    change_order,
    grant_order,
    trigger_order,
)
from modelreach_reports import layout

PROD, LAKE = "111122223333", "444455556666"
RUNTIME = f"arn:aws:iam::{PROD}:role/support-agent-runtime"
TOOLS = f"arn:aws:iam::{PROD}:role/agents/support-tool-runner"
READER = f"arn:aws:iam::{LAKE}:role/lake-reader"
ETL = f"arn:aws:iam::{LAKE}:role/etl-admin"


def statement(action: object, resource: object, **more: object) -> str:
    return json.dumps({"Effect": "Allow", "Action": action, "Resource": resource, **more})


def start(identity: str) -> Hop:
    return Hop(kind="start", subject="", object=identity, note="what the release runs as")


#: Runs as `TOOLS`.
REFUND = ToolRow(
    id="refund",
    kind="http",
    target="https://refunds.example/v1",
    effect="spend",
    approval="none",
    input_trust="untrusted",
    runs_as="tools",
    principals=(TOOLS,),
    credential="assumed-role",
    resources=3,
    sensitive=2,
    identities=2,
    administers=1,
)


def by_tool() -> Hop:
    note = "http tool, effect spend, approval none, untrusted input, by assumed-role"
    return Hop(kind="start", subject="tool:refund", object=TOOLS, note=note, tool="refund")


TRUST = Hop(
    kind="assume-role",
    subject=TOOLS,
    object=READER,
    action="sts:AssumeRole",
    layer="trust",
    policy="trust policy",
    target=READER,
    statement=json.dumps(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{PROD}:root"},
            "Action": "sts:AssumeRole",
        }
    ),
)
ASSUME = Hop(
    kind="assume-role",
    subject=TOOLS,
    object=READER,
    action="sts:AssumeRole",
    layer="identity",
    policy="tool-runner-inline",
    target=TOOLS,
    sid="CallOtherAccounts",
    statement=statement("sts:AssumeRole", f"arn:aws:iam::{LAKE}:role/*", Sid="CallOtherAccounts"),
    also=(TRUST,),
)


def grant(identity: str, resource: str, action: str, text: str, **more: Any) -> Hop:
    fields: dict[str, Any] = {
        "kind": "grant",
        "subject": identity,
        "object": resource,
        "action": action,
        "layer": "identity",
        "policy": "agent-access",
        "target": identity,
        "statement": text,
    }
    return Hop(**(fields | more))


def change(
    kind: Any, identity: str, resource: str, witness: tuple[Hop, ...], **more: Any
) -> ChangeRow:
    service = resource.split(":")[2] if resource.startswith("arn:") else ""
    account = resource.split(":")[4] if resource.startswith("arn:") else ""
    types = {"secretsmanager": "secret", "s3": "bucket", "dynamodb": "table", "kms": "key"}
    types |= {"lambda": "function", "ssm": "parameter", "sqs": "queue"}
    fields: dict[str, Any] = {
        "kind": kind,
        "identity": identity,
        "resource": resource,
        "resource_kind": f"{service}:{types.get(service, 'thing')}",
        "resource_name": resource.split(":", 5)[-1].removeprefix("secret:").split("table/")[-1],
        "scope": account or PROD,
        "provider": "aws",
        "capability": "read",
        "actions": (witness[-1].action,),
        "verdict": "allow",
        "old_verdict": "deny",
        "new_verdict": "allow",
        "depends_on": (),
        "sensitivity": "none",
        "sensitive_because": "",
        "strength": "certain",
        "pattern": False,
        "within": (),
        "caused_by": (),
        "findings": (),
        "witness": witness,
    }
    return ChangeRow(**(fields | more))


def secret(name: str, finding: str) -> ChangeRow:
    arn = f"arn:aws:secretsmanager:eu-west-1:{LAKE}:secret:{name}-a1B2c3"
    text = statement("secretsmanager:*", "*", Sid="Everything")
    hop = grant(READER, arn, "secretsmanager:GetSecretValue", text, policy="lake-reader-policy")
    return change(
        "gained",
        READER,
        arn,
        (by_tool(), ASSUME, hop),
        resource_name=name,
        sensitivity="high",
        sensitive_because="secrets are sensitive by type",
        findings=(finding,),
    )


def table(name: str) -> ChangeRow:
    arn = f"arn:aws:dynamodb:eu-west-1:{LAKE}:table/{name}"
    text = statement(["dynamodb:Query", "dynamodb:GetItem", "dynamodb:Scan"], "*")
    hop = grant(READER, arn, "dynamodb:Query", text, policy="lake-reader-policy")
    return change(
        "gained",
        READER,
        arn,
        (by_tool(), ASSUME, hop),
        actions=("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"),
    )


ADMIN_WITNESS = (
    by_tool(),
    ASSUME,
    Hop(
        kind="pass-role",
        subject=READER,
        object=ETL,
        action="iam:PassRole",
        layer="identity",
        policy="lake-reader-policy",
        target=READER,
        statement=statement("iam:PassRole", "*"),
        pivot="lambda-create-invoke",
        note="pass a role to a new function and invoke it",
        also=(
            grant(
                READER,
                f"arn:aws:lambda:eu-west-1:{LAKE}:function:any",
                "lambda:CreateFunction",
                statement(["lambda:CreateFunction", "lambda:InvokeFunction"], "*"),
                kind="support",
            ),
        ),
    ),
    Hop(
        kind="administer",
        subject=ETL,
        object=LAKE,
        action="*",
        layer="identity",
        policy="AdministratorAccess",
        note="its policies allow everything",
        target=ETL,
        statement=statement("*", "*"),
    ),
)


def changes() -> tuple[ChangeRow, ...]:
    exports = "arn:aws:s3:::customer-exports"
    tickets = "arn:aws:s3:::acme-tickets"
    knowledge = "arn:aws:s3:::acme-kb"
    archive = f"arn:aws:dynamodb:eu-west-1:{PROD}:table/orders-archive"
    refund = f"arn:aws:lambda:eu-west-1:{PROD}:function:refund"
    flags = f"arn:aws:ssm:eu-west-1:{PROD}:parameter/prod/feature-flags"
    own = start(RUNTIME)
    whole: Any = {"scope": LAKE, "capability": "administer", "actions": ("*",)}
    to_become: Any = {"scope": LAKE, "resource_kind": "iam:role", "capability": "assume"}
    return (
        change(
            "gained",
            ETL,
            LAKE,
            ADMIN_WITNESS,
            **whole,
            resource_kind="aws:account",
            resource_name=LAKE,
            findings=("F03",),
        ),
        change(
            "gained",
            TOOLS,
            READER,
            (by_tool(), ASSUME),
            **to_become,
            resource_name="lake-reader",
        ),
        change("gained", READER, ETL, ADMIN_WITNESS[:-1], **to_become, resource_name="etl-admin"),
        secret("prod/payments/stripe-live", "F01"),
        secret("prod/db/warehouse-root", "F02"),
        *(table(f"lake-{name}") for name in ("orders", "people", "refunds", "returns", "visits")),
        change(
            "gained",
            READER,
            "arn:aws:secretsmanager:*:444455556666:secret:*",
            (
                by_tool(),
                ASSUME,
                grant(
                    READER,
                    "*",
                    "secretsmanager:GetSecretValue",
                    statement("secretsmanager:*", "*", Sid="Everything"),
                    policy="lake-reader-policy",
                ),
            ),
            resource_name="",
            pattern=True,
            sensitivity="high",
            sensitive_because="secrets are sensitive by type",
        ),
        change(
            "gained",
            TOOLS,
            exports,
            (
                by_tool(),
                grant(
                    TOOLS,
                    exports,
                    "s3:GetObject",
                    statement(
                        "s3:GetObject",
                        f"{exports}/*",
                        Principal={"AWS": TOOLS},
                        Condition={"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c3d"}},
                    ),
                    layer="resource",
                    policy="bucket policy",
                    target=exports,
                    strength="conditional",
                    depends_on=("StringEquals aws:SourceVpce vpce-0a1b2c3d",),
                ),
            ),
            verdict="conditional",
            new_verdict="conditional",
            strength="conditional",
            depends_on=("StringEquals aws:SourceVpce vpce-0a1b2c3d",),
            sensitivity="high",
            sensitive_because="tag data-class=pii",
            findings=("F04",),
        ),
        change(
            "gained",
            TOOLS,
            refund,
            (
                by_tool(),
                grant(
                    TOOLS, refund, "lambda:InvokeFunction", statement("lambda:InvokeFunction", "*")
                ),
            ),
            capability="write",
            resource_name="refund",
        ),
        change(
            "widened",
            RUNTIME,
            tickets,
            (own, grant(RUNTIME, tickets, "s3:PutObject", statement("s3:*", f"{tickets}/*"))),
            actions=("s3:DeleteObject", "s3:PutObject"),
            capability="write",
            old_verdict="allow",
        ),
        change(
            "narrowed",
            RUNTIME,
            knowledge,
            (
                own,
                grant(RUNTIME, knowledge, "s3:GetObject", statement("s3:Get*", f"{knowledge}/*")),
            ),
            actions=("s3:PutObject",),
            capability="write",
            old_verdict="allow",
        ),
        change(
            "lost",
            RUNTIME,
            archive,
            (own, grant(RUNTIME, archive, "dynamodb:Query", statement("dynamodb:Query", "*"))),
            verdict="allow",
            old_verdict="allow",
            new_verdict="deny",
        ),
        change(
            "unknown",
            RUNTIME,
            flags,
            (own, grant(RUNTIME, flags, "ssm:GetParameter", statement("ssm:GetParameter*", "*"))),
            verdict="unknown",
            old_verdict="allow",
            new_verdict="unknown",
            caused_by=("ssm:DescribeParameters denied in 111122223333 eu-west-1",),
        ),
    )


def findings() -> tuple[FindingRow, ...]:
    rows = changes()[3:]
    base: Any = {"fingerprint": "mr1:9f1c2b7a", "state": "new"}
    fix = "Name the one secret in `Resource` of lake-reader-policy instead of `*`."
    return (
        FindingRow(
            **base,
            id="F01",
            rule="MR101",
            title="newly reachable sensitive resource",
            severity="critical",
            subject=rows[0].resource,
            subject_kind="resource",
            identity=READER,
            message="secret prod/payments/stripe-live can be read by lake-reader since 2.0.0",
            evidence=("secrets are sensitive by type",),
            witness=rows[0].witness,
            fix=fix,
        ),
        FindingRow(
            **base,
            id="F02",
            rule="MR101",
            title="newly reachable sensitive resource",
            severity="critical",
            subject=rows[1].resource,
            subject_kind="resource",
            identity=READER,
            message="secret prod/db/warehouse-root can be read by lake-reader since 2.0.0",
            evidence=("secrets are sensitive by type",),
            witness=rows[1].witness,
            fix=fix,
        ),
        FindingRow(
            **base,
            id="F03",
            rule="MR104",
            title="new route to administration",
            severity="critical",
            subject=LAKE,
            subject_kind="scope",
            identity=READER,
            message=f"`{READER}` can take over account `{LAKE}` (lambda-create-invoke)",
            evidence=("iam:PassRole on *", "lambda:CreateFunction on *"),
            witness=ADMIN_WITNESS,
            fix="Limit iam:PassRole to the roles that the pipeline needs.",
        ),
        FindingRow(
            **base,
            id="F04",
            rule="MR101",
            title="newly reachable sensitive resource",
            severity="high",
            subject="arn:aws:s3:::customer-exports",
            subject_kind="resource",
            identity=TOOLS,
            message="bucket customer-exports can be read by support-tool-runner, only if "
            "StringEquals aws:SourceVpce vpce-0a1b2c3d",
            evidence=("tag data-class=pii",),
            witness=rows[8].witness,
            fix="Remove support-tool-runner from the bucket policy of customer-exports.",
        ),
        FindingRow(
            **(base | {"state": "unchanged"}),
            id="F05",
            rule="MR301",
            title="long-lived key",
            severity="high",
            subject="AKIAIOSFODNN7EXAMPLE",
            subject_kind="credential",
            identity=RUNTIME,
            message="access key AKIA…MPLE of support-legacy is 412 days old (limit 90)",
            evidence=("created 2025-10-07", "never rotated"),
            witness=(),
            fix="Delete the key; the runtime has a role of its own.",
        ),
        FindingRow(
            **base,
            id="F06",
            rule="MR201",
            title="excess privilege",
            severity="medium",
            subject="arn:aws:s3:::acme-tickets",
            subject_kind="resource",
            identity=RUNTIME,
            message="`s3:DeleteObject` on `arn:aws:s3:::acme-tickets` goes beyond declared needs",
            evidence=(),
            witness=rows[10].witness,
            fix="Grant s3:PutObject only.",
        ),
    )


def gaps() -> tuple[GapRow, ...]:
    return (
        GapRow(
            side="new",
            provider="aws",
            scope=PROD,
            region="eu-west-1",
            kind="ssm:parameter",
            subject="",
            operation="DescribeParameters",
            permission="ssm:DescribeParameters",
            reason="denied",
            message="User is not authorized to perform: ssm:DescribeParameters",
            leaves_unknown="which ssm:parameter there are and who may use them",
        ),
    )


def release(version: str, identities: tuple[str, ...]) -> ReleaseRow:
    return ReleaseRow(
        name="support-agent",
        version=version,
        model="aws-bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
        environment="prod",
        owner="customer-support",
        manifest=f"support-agent-{version}.yaml",
        manifest_digest="sha256:" + "3f1c5e0b" * 8,
        snapshot="estate.snap.json",
        snapshot_digest="sha256:" + "9a7d4c2e" * 8,
        taken_at="2026-11-23T11:00:00Z",
        identities=identities,
    )


def identity(arn: str, witness: tuple[Hop, ...], *, first: bool) -> IdentityRow:
    return IdentityRow(
        id=arn,
        kind="role",
        scope=arn.split(":")[4],
        provider="aws",
        start=first,
        verdict="allow",
        strength="certain",
        hops=len(witness) - 1,
        witness=witness,
    )


SCOPES = (
    ScopeRow(id=PROD, provider="aws", kind="account", name="ml-prod"),
    ScopeRow(id=LAKE, provider="aws", kind="account", name="data-lake"),
)
KEY = CredentialRow(
    id="AKIAIOSFODNN7EXAMPLE",
    kind="access-key",
    principal=f"arn:aws:iam::{PROD}:user/support-legacy",
    scope=PROD,
    status="active",
    created="2025-10-07T09:00:00Z",
    last_used="never",
    expires="never",
    age_days=412,
    unused_days=None,
)
IN_LAKE = SummedUpRow(
    scope=LAKE, provider="aws", resources=1240, sensitive=2, identities=1, patterns=7
)
GATE = Gate(
    verdict="fail",
    exit_code=1,
    fail_on="high",
    fail_on_incomplete=False,
    reasons=(
        "3 critical findings",
        "1 high finding",
    ),
)


def cell(identity: str, resource_class: str, old: int, new: int, unknown: int = 0) -> MatrixCell:
    return MatrixCell(
        identity=identity, resource_class=resource_class, old=old, new=new, unknown=unknown
    )


def build_diff() -> DiffReport:
    old = identity(RUNTIME, (start(RUNTIME),), first=True)
    tools = identity(TOOLS, (by_tool(),), first=True)
    reader = identity(READER, (by_tool(), ASSUME), first=False)
    admin = identity(ETL, ADMIN_WITNESS[:-1], first=False)
    return DiffReport(
        schema="modelreach.diff/2",
        old=release("1.4.0", (RUNTIME,)),
        new=release("2.0.0", (RUNTIME, TOOLS)),
        summary=Summary(
            old=Figures(resources=5, sensitive=0, identities=1, scopes=1, longest_chain=0),
            new=Figures(
                resources=13,
                sensitive=4,
                identities=4,
                scopes=2,
                longest_chain=3,
                patterns=1,
                administers=1,
                credentials=1,
            ),
            changes={"gained": 13, "lost": 1, "narrowed": 1, "unknown": 1, "widened": 1},
            findings={"critical": 3, "high": 1, "medium": 1},
            findings_unchanged={"high": 1},
            findings_gone={},
            matrix=(
                cell(READER, "secret", 0, 2, 0),
                cell(READER, "database", 0, 5),
                cell(TOOLS, "object storage", 0, 1),
                cell(TOOLS, "function", 0, 1),
                cell(RUNTIME, "object storage", 2, 2),
                cell(RUNTIME, "database", 2, 1),
                cell(RUNTIME, "parameter", 1, 0, 1),
            ),
        ),
        changes=changes(),
        findings=findings(),
        gaps=gaps(),
        identities_old=(old,),
        identities_new=(old, tools, reader, admin),
        admin_of_old=(),
        admin_of_new=(
            AdminRow(
                scope=LAKE,
                provider="aws",
                identity=ETL,
                verdict="allow",
                strength="certain",
                depends_on=(),
                witness=ADMIN_WITNESS,
            ),
        ),
        credentials=(KEY,),
        gate=GATE,
        scopes=SCOPES,
        tools=(msgspec.structs.replace(REFUND, state="new", opens=2),),
        summed_up=(msgspec.structs.replace(IN_LAKE, side="new"),),
    )


def as_grant(row: ChangeRow) -> GrantRow:
    fields = {name: getattr(row, name) for name in GrantRow.__struct_fields__}
    return GrantRow(**fields)


def build_radius() -> RadiusReport:
    diff = build_diff()
    return RadiusReport(
        schema="modelreach.radius/2",
        release=diff.new,
        identities=diff.identities_new,
        grants=tuple(as_grant(row) for row in diff.changes[3:] if row.kind != "lost"),
        admin_of=diff.admin_of_new,
        credentials=diff.credentials,
        findings=diff.findings,
        gaps=diff.gaps,
        figures=diff.summary.new,
        gate=diff.gate,
        scopes=diff.scopes,
        tools=(REFUND,),
        summed_up=(IN_LAKE,),
    )


@pytest.fixture(scope="session")
def diff_report() -> DiffReport:
    """support-agent 1.4.0 to 2.0.0, with one change of every kind."""
    return build_diff()


def build_wide(paths: int) -> DiffReport:
    """Give a report of so many changed paths: 90 roles in ten accounts reach what is in them."""
    report = build_diff()
    kinds = ("gained", "gained", "gained", "lost", "widened", "unknown")
    types = ("s3:bucket", "dynamodb:table", "sqs:queue", "kms:key", "secretsmanager:secret")
    accounts = [f"{number:012}" for number in range(500000000000, 500000000010)]
    rows, found = [], []
    for number in range(paths):
        account = accounts[number % 10]
        role = f"arn:aws:iam::{account}:role/worker-{number % 90}"
        service, _, noun = types[number % 5].partition(":")
        resource = f"arn:aws:{service}:eu-west-1:{account}:{noun}/thing-{number}"
        assume = msgspec.structs.replace(ASSUME, object=role, also=())
        text = statement(f"{service}:*", f"arn:aws:{service}:*:{account}:*")
        kind = kinds[number % 6]
        finding = f"F{number + 1:02}" if number % 25 == 0 else ""
        row = change(
            kind,
            role,
            resource,
            (by_tool(), assume, grant(role, resource, f"{service}:Get", text)),
            resource_kind=types[number % 5],
            resource_name=f"{noun}-{number}",
            scope=account,
            verdict="unknown" if kind == "unknown" else "allow",
            sensitivity="high" if finding else "none",
            findings=(finding,) if finding else (),
        )
        rows.append(row)
        if finding:
            template = report.findings[0]
            found.append(
                msgspec.structs.replace(
                    template, id=finding, subject=resource, identity=role, witness=row.witness
                )
            )
    scopes = tuple(
        ScopeRow(id=key, provider="aws", kind="account", name=f"team-{key[-1]}")
        for key in accounts
    )
    return msgspec.structs.replace(
        report,
        changes=tuple(rows),
        findings=tuple(found),
        scopes=(*SCOPES, *scopes),
        admin_of_new=(),
    )


@pytest.fixture(scope="session")
def wide_report() -> Callable[[int], DiffReport]:
    """Gives a report of that many changed paths."""
    return cache(build_wide)


@pytest.fixture(scope="session")
def gated_report() -> DiffReport:
    """The same with all that the gate adds: demands, rules, waivers."""
    return gated(build_diff())


@pytest.fixture(scope="session")
def radius_report() -> RadiusReport:
    """What support-agent 2.0.0 reaches."""
    return build_radius()


#: Fields with a closed set of values, which no cloud can choose.
_CLOSED = {"schema", "kind", "severity", "state", "verdict", "strength", "sensitivity", "side"}
_CLOSED |= {"status"}
_CLOSED |= {"old_verdict", "new_verdict", "layer", "fail_on", "exit_code", "reason", "capability"}


def _poisoned(value: Any, name: str, text: str) -> Any:
    if isinstance(value, dict):
        return {
            key: item if key == "summary" else _poisoned(item, key, text)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_poisoned(item, name, text) for item in value]
    if name in ("subject", "tool") and not value:
        return value
    if isinstance(value, str) and name not in _CLOSED and name != "statement":
        return f"{text}{value}"
    return value


def gated(report: DiffReport) -> DiffReport:
    """Give a report with all that the gate adds to it."""
    names = {
        *("data_exposure", "tool_authority"),
        *("refusal_behaviour", "workflow_integrity"),
    }
    rows = tuple(
        TriggerRow(
            id="TOOL-NEW",
            dimension=name,
            title="new tool",
            subject="refund",
            old="no such tool",
            new="http tool, effect spend, approval none",
            demands=("retest-tool-abuse",),
            witness=report.findings[0].witness,
        )
        for name in sorted(names)
    )
    waived = Waived(reason="moves", owner="ml", approved_by="ops", expires="2027-01-01")
    first, second, *others = report.findings
    return msgspec.structs.replace(
        report,
        security_change=SecurityChange(
            verdict="yes",
            dimensions=tuple(sorted(names)),
            by_dimension={**dict.fromkeys(sorted(names), "yes"), "more": "unknown"},
            triggers=rows,
            undeclared=(
                UndeclaredRow(
                    dimension="more", fact="the guardrails", side="new", declare="declare `x`"
                ),
            ),
        ),
        demands=(
            DemandRow(
                id="retest-tool-abuse",
                title="re-test against abuse of tools",
                status="open",
                because=("TOOL-NEW",),
                evidence=("garak: 3 of 50",),
                why="no report tests it",
                who="testers",
            ),
        ),
        findings=(
            msgspec.structs.replace(first, waived=waived),
            msgspec.structs.replace(second, returned="its waiver expired"),
            *others,
        ),
        unused_waivers=("mr1:0 (MR101)",),
        gate=msgspec.structs.replace(
            report.gate,
            policy="default",
            rules=(
                RuleRow(
                    id="OWN",
                    title="own",
                    severity="high",
                    subject="refund",
                    message="refund spends",
                    denies=True,
                    error="no such member",
                ),
            ),
        ),
    )


@pytest.fixture(scope="session")
def poison() -> Callable[[str, str], Report]:
    """Gives a function that puts a hostile text before every name and text of a report, which
    is `diff` or `radius`."""
    reports: dict[str, Report] = {"diff": gated(build_diff()), "radius": build_radius()}
    plain = {side: msgspec.to_builtins(report) for side, report in reports.items()}

    def poisoned(side: str, text: str) -> Report:
        return _in_order(msgspec.convert(_poisoned(plain[side], "", text), type(reports[side])))

    return poisoned


@pytest.fixture(scope="session")
def in_order() -> Callable[[Report], Report]:
    """Gives a function that puts the rows of a report in the order that the engine gives them."""
    return _in_order


def _in_order(report: Report) -> Report:
    if isinstance(report, RadiusReport):
        grants = tuple(sorted(report.grants, key=grant_order))
        return msgspec.structs.replace(report, grants=grants)
    changes = tuple(sorted(report.changes, key=change_order))
    said = report.security_change
    if said is not None:
        ordered = sorted(said.triggers, key=lambda row: (row.id, *trigger_order(row)))
        said = msgspec.structs.replace(said, triggers=tuple(ordered))
    return msgspec.structs.replace(report, changes=changes, security_change=said)


Read = Callable[[bytes], dict[str, Any]]


@pytest.fixture(scope="session")
def read_dot() -> Read:
    """Reads DOT with Graphviz: its `nodes`, `edges` and `clusters` with their attributes."""
    engine = layout.engine_for(layout.Form.SVG)

    def read(dot: bytes) -> dict[str, Any]:
        # https://graphviz.org/docs/outputs/json/: a subgraph is an object with its own nodes.
        found = json.loads(engine(dot, "dot_json"))
        objects = found.get("objects", [])
        nodes = {one["_gvid"]: one for one in objects if not one["name"].startswith("cluster")}
        clusters = [one for one in objects if one["name"].startswith("cluster")]
        return {"nodes": nodes, "edges": found.get("edges", []), "clusters": clusters}

    return read


@pytest.fixture(scope="session")
def draws_pixels() -> bool:
    """Can PNG be drawn here? Its engine loads libraries that a minimal Debian lacks."""
    try:
        import pygraphviz  # noqa: F401
    except ImportError:
        return False
    return True
