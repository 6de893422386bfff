"""The kinds of things that are collected of AWS, and that something is decided about.

AWS's own list of actions says of any kind whether there are such, and takes long to read: this
spares it where nothing else is there. Versions of a thing, and settings of an account, are in it
though nobody acts on them by themselves.
"""

from __future__ import annotations

from typing import Final

_BY_SERVICE: Final = {
    "aoss": "collection",
    "apigateway": "api-key",
    "apprunner": "service",
    "appsync": "graphqlapi",
    "autoscaling": "group",
    "batch": "job-definition",
    "bedrock-agentcore": (
        "api-key-credential-provider browser code-interpreter gateway harness "
        "harness-endpoint harness-version memory oauth2-credential-provider runtime "
        "runtime-endpoint runtime-version workload-identity"
    ),
    "bedrock": (
        "agent agent-alias agent-version custom-model flow flow-alias flow-version "
        "guardrail imported-model knowledge-base marketplace-model-endpoint "
        "model-invocation-job model-invocation-logging"
    ),
    "cloudformation": "stack stack-set",
    "codebuild": "project",
    "cognito-identity": "identitypool",
    "datapipeline": "pipeline",
    "dynamodb": "table",
    "ec2": "instance launch-template",
    "ecr": "repository",
    "ecs": "cluster service task task-definition",
    "eks": "cluster fargate-profile nodegroup pod-identity-association service-account",
    "emr": "cluster",
    "es": "domain",
    "glue": "dev-endpoint job",
    "iam": "group role user",
    "identitystore": "group",
    "kendra": "index",
    "kinesis": "stream",
    "kms": "key",
    "lambda": "function",
    "logs": "log-group",
    "organizations": "account organization",
    "rds": "cluster db",
    "rds-db": "db-user",
    "redshift": "cluster dbuser",
    "redshift-serverless": "workgroup",
    "rolesanywhere": "profile trust-anchor",
    "s3": "bucket",
    "s3vectors": "vector-bucket",
    "sagemaker": (
        "domain endpoint inference-component model model-package model-package-group "
        "notebook-instance pipeline processing-job training-job transform-job "
        "user-profile"
    ),
    "scheduler": "schedule",
    "secretsmanager": "secret",
    "sns": "topic",
    "sqs": "queue",
    "ssm": "parameter secure-parameter",
    "sso": "permission-set",
    "states": "state-machine",
}
KINDS: Final = frozenset(
    f"{service}:{name}" for service, names in _BY_SERVICE.items() for name in names.split()
)
