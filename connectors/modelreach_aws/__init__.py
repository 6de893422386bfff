"""The AWS connector: boto3 answers in, facts out."""
