"""What people read of Google Cloud: short names for its long ids, whatever they hold."""

from __future__ import annotations

import pytest

from modelreach_reports.naming import identity_label, kind_words, pattern_label

ENGINE = (
    "principal://agents.global.org-1.system.id.goog/resources/aiplatform/projects/11"
    "/locations/eu/reasoningEngines/7"
)


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("serviceAccount:ml@p.iam.gserviceaccount.com", "ml@p"),
        (
            "serviceAccount:11-compute@developer.gserviceaccount.com",
            "11-compute@developer.gserviceaccount.com",
        ),
        ("serviceAccount:ml@p.iam.gserviceaccount.com#no-boundary=x", "ml@p with no boundary"),
        ("group:team@x.com", "team@x.com"),
        ("user:ann@x.com", "ann@x.com"),
        (ENGINE, "reasoningEngines/7"),
        ("principal://iam.googleapis.com/projects/1/locations/global/pool/subject/a/b", "a/b"),
        ("//storage.googleapis.com/projects/_/buckets/b", "b"),
        ("arn:aws:iam::111122223333:role/path/agent", "agent"),
        ("something else", "something else"),
        ("serviceAccount:", "serviceAccount:"),
    ],
)
def test_identities_have_short_names(key: str, label: str) -> None:
    assert identity_label(key) == label


@pytest.mark.parametrize("key", ["serviceAccount:\x1b[31m@p", "//x/\x1b[31m", "user:a\u202eb"])
def test_names_from_a_cloud_are_harmless(key: str) -> None:
    assert "\x1b" not in identity_label(key)
    assert "\u202e" not in identity_label(key)


@pytest.mark.parametrize(
    ("pattern", "kind", "label"),
    [
        ("projects/p/*", "storage.googleapis.com/Bucket", "any bucket in project p"),
        ("organizations/1/*", "*", "anything in organization 1"),
        ("folders/2/*", "run.googleapis.com/*", "anything of run in folder 2"),
        ("projects/p/*", "iam.googleapis.com/ServiceAccount", "any service account in project p"),
        ("arn:aws:s3:::x-*", "s3:bucket", "any bucket like x-*"),
    ],
)
def test_patterns_are_told_by_place(pattern: str, kind: str, label: str) -> None:
    assert pattern_label(pattern, kind) == label


def test_kinds_in_words() -> None:
    assert kind_words("secretmanager.googleapis.com/Secret") == "secret"
    assert kind_words("iam.googleapis.com:service-account") == "service account"
    assert kind_words("s3:bucket") == "s3 bucket"
