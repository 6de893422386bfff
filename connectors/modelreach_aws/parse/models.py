"""Everything that runs models and agents: Bedrock, AgentCore, SageMaker."""

from __future__ import annotations

from modelreach_aws.answers import Answers
from modelreach_aws.parse.agentcore import parse_agentcore
from modelreach_aws.parse.agentcore_identity import parse_agentcore_identity
from modelreach_aws.parse.agentcore_tools import parse_agentcore_tools
from modelreach_aws.parse.bedrock import parse_bedrock
from modelreach_aws.parse.bedrock_models import parse_bedrock_models
from modelreach_aws.parse.facts import Facts
from modelreach_aws.parse.flows import parse_flows
from modelreach_aws.parse.knowledge import parse_knowledge
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.sagemaker import parse_sagemaker
from modelreach_aws.parse.sagemaker_work import parse_sagemaker_work


def parse_models(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what these services answered into resources, runtimes and stored credentials."""
    parse_bedrock(answers, places, facts)
    parse_knowledge(answers, places, facts)
    parse_flows(answers, places, facts)
    parse_bedrock_models(answers, places, facts)
    parse_agentcore(answers, facts)
    parse_agentcore_tools(answers, places, facts)
    parse_agentcore_identity(answers, facts)
    parse_sagemaker(answers, places, facts)
    parse_sagemaker_work(answers, places, facts)
