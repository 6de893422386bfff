"""What ids of each provider are called where they stand in a sentence, and scopes as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from modelreach.report import DiffReport, RadiusReport, ScopeRow, SecurityChange, TriggerRow
from modelreach_reports import html, markdown, text
from modelreach_reports.lines import Ink, Look, hanging, shortened
from modelreach_reports.naming import Names, key_of
from modelreach_reports.phrases import scope_words
from modelreach_reports.witness import render_finding
from modelreach_reports.words import conditions_words

GROUP = "/subscriptions/c2d6426b-6dbd-59f5-80c9-1a0925c270fb/resourcegroups/rg-exports"
SECRET = "48c29889-ef8a-5554-afa5-1d8e65a3239c/credentials/4f1476a2-180b-5499-8c98-58793292e716"


@pytest.mark.parametrize(
    ("id_", "called"),
    [
        ("arn:aws:iam::123456789012:role/some/etl-reader", "etl-reader"),
        (f"{GROUP}/providers/microsoft.keyvault/vaults/kv-payments", "kv-payments"),
        (SECRET, "4f1476a2-180b-5499-8c98-58793292e716"),
        ("serviceAccount:exporter@acme.iam.gserviceaccount.com", "exporter@acme"),
        ("//run.googleapis.com/projects/p/locations/l/services/tickets", "tickets"),
        ("k8s/demo/system:serviceaccount:bots:agent", "bots/agent"),
        ("https://run.googleapis.com/projects/p", "https://run.googleapis.com/projects/p"),
    ],
)
def test_an_id_in_a_sentence(diff_report: DiffReport, id_: str, called: str) -> None:
    assert Names(diff_report).prose(f"read, as {id_}; more") == f"read, as {called}; more"


def _scoped(report: RadiusReport, scopes: Sequence[ScopeRow]) -> RadiusReport:
    return msgspec.structs.replace(report, scopes=tuple(scopes))


GROUP_ROW = ScopeRow(id=GROUP, provider="azure", kind="resource-group", name="rg-exports")
CLUSTER_ROW = ScopeRow(id="k8s/demo", provider="kubernetes", kind="cluster", name="demo")


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        ([GROUP_ROW], "subscriptions, groups"),
        ([CLUSTER_ROW], "clusters, namespaces"),
        ([GROUP_ROW, CLUSTER_ROW], "accounts, projects, clusters"),
    ],
)
def test_scopes_are_called_as_their_provider_calls_them(
    radius_report: RadiusReport, scopes: list[ScopeRow], words: str
) -> None:
    report = _scoped(radius_report, scopes)
    assert scope_words(report) == words
    assert f"\n  {words} " in text.render(report).decode()
    assert f"| {words} |" in markdown.render(report).decode()
    assert words.capitalize() in html.render(report).decode()


def test_a_scope_with_a_path_for_an_id_is_called_by_its_name(radius_report: RadiusReport) -> None:
    assert Names(_scoped(radius_report, [GROUP_ROW])).scope(GROUP) == "azure rg-exports"


def test_reasons_name_things_in_every_form(diff_report: DiffReport) -> None:
    row = TriggerRow(
        id="ADMIN-REACHED",
        dimension="data_exposure",
        title="administration newly reachable",
        subject=GROUP,
        old="not administered",
        new="can be taken over by serviceAccount:boss@acme.iam.gserviceaccount.com",
        demands=(),
    )
    change = SecurityChange(
        verdict="yes",
        dimensions=("data_exposure",),
        by_dimension={"data_exposure": "yes"},
        triggers=(row,),
        undeclared=(),
    )
    report = msgspec.structs.replace(diff_report, scopes=(GROUP_ROW,), security_change=change)
    assert "rg-exports: not administered → can be taken over by boss@acme\n" in (
        text.render(report, width=100, show_all=True).decode()
    )
    assert "data exposure       yes      ADMIN-REACHED\n" in text.render(report).decode()
    assert "| `rg-exports` | not administered | can be taken over by boss`@`acme |" in (
        markdown.render(report).decode()
    )
    page = html.render(report).decode()
    assert f'title="{GROUP}">rg-exports</td>' in page
    assert "can be taken over by boss@acme</td>" in page


def test_things_of_one_name_are_told_apart_by_what_holds_them(radius_report: RadiusReport) -> None:
    vaults = "/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults"
    ids = [f"{vaults}/{vault}/secrets/crm-token" for vault in ("legacy", "payments")]
    kind = "microsoft.keyvault/vaults/secrets"
    some = msgspec.structs.replace(
        radius_report.grants[0], resource_kind=kind, resource_name="crm-token", pattern=False
    )
    grants = tuple(msgspec.structs.replace(some, resource=id_) for id_ in ids)
    one = Names(msgspec.structs.replace(radius_report, grants=grants[:1]))
    assert one.told(ids[0]) == "crm-token"
    both = Names(msgspec.structs.replace(radius_report, grants=grants))
    assert [both.told(id_) for id_ in ids] == ["legacy/crm-token", "payments/crm-token"]


@pytest.mark.parametrize(
    ("pattern", "kind", "words"),
    [
        ("k8s/demo/bots/*", "kubernetes:secrets", "any secrets in namespace bots"),
        ("k8s/demo/*", "kubernetes:*", "anything in cluster demo"),
        ("k8s/demo/*", "kubernetes:deployments.apps", "any deployments in cluster demo"),
        ("organizations/618/*", "iam.googleapis.com/*", "anything of iam in acme.example"),
        ("organizations/619/*", "iam.googleapis.com/*", "anything of iam in organization 619"),
    ],
)
def test_a_pattern_names_its_place(
    radius_report: RadiusReport, pattern: str, kind: str, words: str
) -> None:
    scope = pattern.removesuffix("/*")
    row = msgspec.structs.replace(
        radius_report.grants[0], resource=pattern, resource_kind=kind, scope=scope, pattern=True
    )
    named = ScopeRow(
        id="organizations/618", provider="gcp", kind="organization", name="acme.example"
    )
    report = msgspec.structs.replace(radius_report, grants=(row,), scopes=(named,))
    assert Names(report).thing(key_of(row)).label == words


def test_one_pattern_means_other_things_in_another_scope(radius_report: RadiusReport) -> None:
    """The box of what a role of one account reaches stands in no other account."""
    rows = tuple(
        msgspec.structs.replace(
            radius_report.grants[0],
            resource="*",
            resource_kind="bedrock:*",
            scope=scope,
            pattern=True,
        )
        for scope in ("111122223333", "444455556666")
    )
    names = Names(msgspec.structs.replace(radius_report, grants=rows))
    assert [names.thing(key_of(row)).scope for row in rows] == ["111122223333", "444455556666"]


def test_a_proviso_is_a_sentence() -> None:
    assert conditions_words(()) == "a condition holds"
    told = ("provided that something invokes it", "provided that StringEquals a b")
    assert conditions_words(told) == "something invokes it and StringEquals a b"


def test_what_is_cut_says_so() -> None:
    look = Look(width=30)
    lines = list(hanging((("id  ", Ink.PLAIN),), "word " * 20, look))
    assert shortened(lines[:2], 2, look) == lines[:2]
    cut = shortened(lines, 2, look)
    assert len(cut) == 2
    assert cut[-1][-1][0].endswith("…")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("as serviceAccount:etl@p.iam.gserviceaccount.com: read", "as etl@p: read"),
        ("as arn:aws:iam::111122223333:role/etl: read.", "as etl: read."),
        ("it is k8s/c/ns/secret/token.", "it is token."),
        ("arn:aws:s3:::ledger/*, read", "ledger/*, read"),
        ("arn:aws:s3:::ledger/2026/a.csv, read", "ledger/2026/a.csv, read"),
        ("arn:aws:lambda:eu-west-1:111122223333:function:search", "search"),
    ],
)
def test_the_punctuation_of_a_sentence_is_no_part_of_an_id(
    radius_report: RadiusReport, said: str, shown: str
) -> None:
    assert Names(radius_report).prose(said) == shown


def test_the_scope_that_a_role_is_on_is_called_by_its_name(diff_report: DiffReport) -> None:
    """A subscription's id says nothing to a person; its name stands in the report."""
    scope = "/subscriptions/e536277c-2403-5806-9969-669b97c51d66"
    row = ScopeRow(id=scope, provider="azure", kind="subscription", name="data")
    finding = diff_report.findings[2]
    hop = finding.witness[-1]
    hop = msgspec.structs.replace(hop, target=scope, layer="binding", policy="Reader", sid="")
    witness = (*finding.witness[:-1], hop)
    finding = msgspec.structs.replace(finding, witness=witness)
    report = msgspec.structs.replace(
        diff_report, scopes=(*diff_report.scopes, row), findings=(finding,)
    )
    assert "role Reader on subscription data" in render_finding(report, finding).decode()
    assert "role Reader on subscription data" in html.render(report).decode()
