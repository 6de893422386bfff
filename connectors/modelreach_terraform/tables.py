"""Every type of resource that is understood, of all providers."""

from __future__ import annotations

from typing import Final

from modelreach_terraform.aws import iam as aws_iam
from modelreach_terraform.aws import organization as aws_organization
from modelreach_terraform.aws import runs as aws_runs
from modelreach_terraform.aws import storage as aws_storage
from modelreach_terraform.aws import stores as aws_stores
from modelreach_terraform.azure import bindings as azure_bindings
from modelreach_terraform.azure import things as azure_things
from modelreach_terraform.gcp import iam as gcp_iam
from modelreach_terraform.gcp import runs as gcp_runs
from modelreach_terraform.gcp import things as gcp_things
from modelreach_terraform.kubernetes import facts as kubernetes
from modelreach_terraform.told import Table

TABLE: Final[Table] = {
    **aws_iam.TABLE,
    **aws_organization.TABLE,
    **aws_storage.TABLE,
    **aws_stores.TABLE,
    **aws_runs.TABLE,
    **gcp_iam.TABLE,
    **gcp_things.TABLE,
    **gcp_runs.TABLE,
    **azure_things.TABLE,
    **azure_bindings.TABLE,
    **kubernetes.TABLE,
}
