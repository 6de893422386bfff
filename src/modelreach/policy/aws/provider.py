"""What the rest of the program has to know of AWS."""

from __future__ import annotations

from modelreach.model import Sensitivity
from modelreach.policy.aws import collected
from modelreach.policy.engine import Engine
from modelreach.policy.provider import Context, Hanging, OfPart, Opens, Provider
from modelreach.snapshot import Credential, Facts, Variety


def _engine(facts: Facts, context: Context, opens: Opens) -> Engine:
    from modelreach.policy.aws.engine import AwsEngine

    return AwsEngine(facts, dict(context), opens)


def _hanging(facts: Facts) -> Hanging:
    from modelreach.policy.aws import hanging

    return hanging.Hanging(facts)


def _of_part() -> OfPart:
    from modelreach.policy.aws import surface

    return OfPart(surface.VERSION, surface.of_part)


def _unknown(variety: Variety) -> bool:
    """Is nothing decided about such facts: grants of another form, or things for which AWS's
    catalogue has no action?"""
    if variety.section == "bindings":
        return True
    if variety.section not in ("resources", "runtimes") or variety.kind in collected.KINDS:
        return False
    from modelreach.policy.aws import kinds

    return not kinds.is_known(variety.kind, variety.example)


def _caller(key: Credential) -> str:
    """Name a long-term API key of Bedrock."""
    bedrock = key.attributes.get("service") == "bedrock.amazonaws.com"
    return "Bedrock API key" if key.kind == "service-specific" and bedrock else ""


PROVIDER = Provider(
    name="aws",
    engine=_engine,
    identities="iam",
    hanging=_hanging,
    of_part=_of_part,
    caller=_caller,
    unknown=_unknown,
    classes={
        "secretsmanager:secret": "secrets",
        "ssm:parameter": "secrets",
        "ssm:secure-parameter": "secrets",
        "kms:key": "keys",
        "s3:bucket": "storage",
        "s3vectors:vector-bucket": "storage",
        "logs:log-group": "storage",
        "dynamodb:table": "databases",
        "es:domain": "databases",
        "aoss:collection": "databases",
        "kendra:index": "databases",
        "rds:db": "databases",
        "rds:cluster": "databases",
        "rds-db:db-user": "databases",
        "redshift:cluster": "databases",
        "redshift:dbuser": "databases",
        "redshift-serverless:workgroup": "databases",
        "kinesis:stream": "messaging",
        "sqs:queue": "messaging",
        "sns:topic": "messaging",
        "lambda:function": "functions",
        "iam:role": "identities",
        "iam:user": "identities",
        "iam:group": "identities",
        "iam:root": "identities",
        "aws:account": "administration",
    },
    sensitive={
        "secretsmanager:secret": (Sensitivity.HIGH, "holds a secret"),
        "ssm:secure-parameter": (Sensitivity.HIGH, "holds an encrypted parameter"),
        "kms:key": (Sensitivity.MEDIUM, "decrypts what it protects"),
        "aws:account": (Sensitivity.HIGH, "a whole account"),
        "bedrock-agentcore:api-key-credential-provider": (
            Sensitivity.HIGH,
            "holds a third-party key",
        ),
        "bedrock-agentcore:oauth2-credential-provider": (
            Sensitivity.HIGH,
            "holds a third-party key",
        ),
    },
    # https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/identity-authentication.html
    stored={
        "bedrock-agentcore:api-key-credential-provider": "stored API key",
        "bedrock-agentcore:oauth2-credential-provider": "stored OAuth2 client",
    },
    fetches=frozenset(
        {"bedrock-agentcore:getresourceapikey", "bedrock-agentcore:getresourceoauth2token"}
    ),
    models={
        "bedrock:agent-alias": ("aws-bedrock", "Bedrock agent, by its alias"),
        "bedrock:agent": ("aws-bedrock", "Bedrock agent"),
        "bedrock:flow-alias": ("aws-bedrock", "Bedrock flow, by its alias"),
        "bedrock:flow": ("aws-bedrock", "Bedrock flow"),
        "bedrock-agentcore:runtime-endpoint": ("aws-bedrock-agentcore", "AgentCore endpoint"),
        "bedrock-agentcore:runtime": ("aws-bedrock-agentcore", "AgentCore runtime"),
        "bedrock-agentcore:harness": ("aws-bedrock-agentcore", "AgentCore harness"),
        "sagemaker:endpoint": ("aws-sagemaker", "SageMaker endpoint"),
        "sagemaker:inference-component": ("aws-sagemaker", "SageMaker inference component"),
    },
)
