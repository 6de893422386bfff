"""The AWS connector: boto3 answers in, facts out."""

from modelreach_aws.connector import AwsConnector

__all__ = ["AwsConnector"]
