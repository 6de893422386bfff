"""Whoever has become more is told apart by name, and is still the same identity."""

from __future__ import annotations

import pytest

from modelreach.model import base_of
from modelreach.policy.aws import became as aws
from modelreach.policy.azure import became as azure
from modelreach.policy.gcp import became as gcp
from modelreach.policy.kubernetes.estate import BOUND, OUTWARD

ROLE = "arn:aws:iam::111122223333:role/a#path/agent"
OBJECT = "0f6b9a3e-8e1f-4e53-9b39-2f1d5f0c7a11"
PLACE = "/subscriptions/1/resourceGroups/rg"
ACCOUNT = "serviceAccount:agent@p.iam.gserviceaccount.com"
SUBJECT = "principal://iam.googleapis.com/projects/1/locations/global/p/subject/a#b"
PROJECT = "//cloudresourcemanager.googleapis.com/projects/p"
IN_CLUSTER = "k8s/prod/system:serviceaccount:ml:agent"


@pytest.mark.parametrize("base", [ROLE, OBJECT, ACCOUNT, SUBJECT, IN_CLUSTER])
def test_one_as_it_stands_is_itself(base: str) -> None:
    assert base_of(base) == base


@pytest.mark.parametrize("how", aws.How)
def test_of_aws(how: aws.How) -> None:
    assert base_of(aws.Became(ROLE, how, "some").name) == ROLE
    assert base_of(aws.Became(ROLE, how, "some", "v2", "team").name) == ROLE


@pytest.mark.parametrize("how", azure.How)
def test_of_azure(how: azure.How) -> None:
    assert base_of(azure.Became(OBJECT, how, PLACE).name) == OBJECT


@pytest.mark.parametrize("how", gcp.How)
@pytest.mark.parametrize("base", [ACCOUNT, SUBJECT])
def test_of_google_cloud(base: str, how: gcp.How) -> None:
    assert base_of(gcp.Became(base, how, PROJECT).name) == base


@pytest.mark.parametrize("end", [BOUND, OUTWARD])
def test_of_kubernetes(end: str) -> None:
    assert base_of(IN_CLUSTER + end) == IN_CLUSTER
