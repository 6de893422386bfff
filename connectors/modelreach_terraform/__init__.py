"""Terraform and OpenTofu plans, as facts: what an estate will be once a plan is applied."""

from modelreach_terraform.connector import TerraformConnector as TerraformConnector

__all__ = ["TerraformConnector"]
