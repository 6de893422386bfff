"""Where an answer is from: its account, region and partition, and the ARNs made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelreach_aws.answers import Answer, Answers


@dataclass(frozen=True, slots=True)
class Places:
    """The partition of each account (`aws`, `aws-cn`, `aws-us-gov`…), and ids of users."""

    partitions: Mapping[str, str]
    users: Mapping[tuple[str, str], str]

    def partition(self, account: str) -> str:
        """Give an account's partition; of what is not known, the common one."""
        return self.partitions.get(account, "aws")

    def arn(self, one: Answer, service: str, resource: str) -> str:
        """Give the ARN of something in the account and region that an answer is from."""
        partition = self.partition(one.account)
        return f"arn:{partition}:{service}:{one.region}:{one.account}:{resource}"

    def user(self, account: str, name: str) -> str:
        """Give a user's ARN from its name, by its path where that is known."""
        partition = self.partition(account)
        return self.users.get((account, name), f"arn:{partition}:iam::{account}:user/{name}")

    def subject(self, template: str, one: Answer) -> str:
        """Give the id of what a call was about, as the table's template says."""
        if template.startswith("user:"):
            return self.user(one.account, str(one.parameters.get("UserName", "")))
        values: dict[str, Any] = {
            "partition": self.partition(one.account),
            "account": one.account,
            "region": one.region,
        }
        values |= {name: _Value(str(value)) for name, value in one.parameters.items()}
        return template.format_map(values)


class _Value(str):
    """A parameter in a template."""

    @property
    def last(self) -> str:
        """What follows the last slash."""
        return self.rpartition("/")[2]

    @property
    def bare(self) -> str:
        """The name without a leading slash."""
        return self.removeprefix("/")


def places(answers: Answers) -> Places:
    """Find the partitions and users that the answers tell of."""
    partitions: dict[str, str] = {}
    users: dict[tuple[str, str], str] = {}
    for one, response in answers.of("iam", "GetAccountAuthorizationDetails"):
        for section in ("UserDetailList", "GroupDetailList", "RoleDetailList"):
            for entity in response.get(section, ()):
                partitions[one.account] = entity["Arn"].split(":")[1]
        for user in response.get("UserDetailList", ()):
            users[one.account, user["UserName"]] = user["Arn"]
    for one, response in answers.of("sts", "GetCallerIdentity"):
        partitions[one.account] = str(response.get("Arn", "arn:aws")).split(":")[1]
    return Places(partitions, users)
