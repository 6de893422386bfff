"""The few names that generated cases are written with, so that they meet often."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

HOME = "111111111111"
AWAY = "222222222222"
UNIQUE_ID = "AIDAEXAMPLE1"
OIDC = f"arn:aws:iam::{HOME}:oidc-provider/oidc.example.com"

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Topic:
    """What requests are about: actions with the resource they act on, and patterns near them."""

    name: str
    weight: int
    requests: tuple[tuple[str, str], ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    rcp: bool = True


S3 = Topic(
    "s3",
    10,
    (
        ("s3:GetObject", "arn:aws:s3:::data/u/x"),
        ("s3:PutObject", "arn:aws:s3:::data/none/x"),
        ("s3:GetObject", "arn:aws:s3:::data/axb"),
        ("s3:ListBucket", "arn:aws:s3:::data"),
        ("s3:ListAllMyBuckets", "*"),
    ),
    (
        *("*", "s3:*", "S3:GET*", "s3:*Object", "s3:GetObjec?", "s3:getobject", "s3:PutObject"),
        *("s3:Get*ct", "s3:List*", "s3:???Object", "ec2:*", "s3:GetObject", "*:*"),
    ),
    (
        *("*", "arn:aws:s3:::data/*", "arn:aws:s3:::data", "arn:aws:s3:::d*", "arn:aws:s3:::*"),
        *("arn:aws:s3:::data/u/x", "arn:aws:s3:::DATA/*", "arn:aws:s3:::data/?/x", "arn:*"),
        *("arn:aws:s3:::data/${aws:username}/*", "arn:aws:s3:::data/${*}*", "arn:aws:s3:::*/x"),
        *("arn:aws:s3:::data/${aws:username, 'none'}/x", "arn:aws:s3:::data/a?b"),
        *("arn:aws:s3:::data/${aws:PrincipalTag/team}/x", "arn:aws:s3:::other/*"),
    ),
)
KMS = Topic(
    "kms",
    4,
    (
        ("kms:Decrypt", f"arn:aws:kms:us-east-1:{HOME}:key/k"),
        ("kms:RetireGrant", f"arn:aws:kms:us-east-1:{HOME}:key/k"),
        ("kms:UpdateAlias", f"arn:aws:kms:us-east-1:{HOME}:alias/a"),
    ),
    ("*", "kms:*", "kms:Decrypt", "KMS:De*", "kms:Encrypt", "kms:*Grant", "kms:Update*"),
    (
        *("*", f"arn:aws:kms:*:{HOME}:key/*", f"arn:aws:kms:us-east-1:{HOME}:key/k"),
        *(f"arn:aws:kms:us-east-1:{HOME}:alias/*", f"arn:aws:kms:eu-west-1:{HOME}:key/k"),
    ),
)
TRUST = Topic(
    "sts",
    5,
    (
        ("sts:AssumeRole", f"arn:aws:iam::{HOME}:role/target"),
        ("sts:AssumeRole", f"arn:aws:iam::{HOME}:role/r"),
        ("sts:AssumeRoleWithWebIdentity", f"arn:aws:iam::{HOME}:role/target"),
        ("sts:TagSession", f"arn:aws:iam::{HOME}:role/target"),
        ("sts:SetSourceIdentity", f"arn:aws:iam::{HOME}:role/target"),
        ("sts:GetCallerIdentity", "*"),
    ),
    ("*", "sts:*", "sts:AssumeRole", "sts:AssumeRole*", "STS:assumerole", "sts:TagSession"),
    (
        *("*", f"arn:aws:iam::{HOME}:role/*", f"arn:aws:iam::{HOME}:role/target"),
        *(f"arn:aws:iam::{AWAY}:role/*", "arn:aws:iam::*:role/t?rget"),
    ),
)
EC2 = Topic(
    "ec2",
    2,
    (
        ("ec2:StopInstances", f"arn:aws:ec2:us-east-1:{HOME}:instance/i-1"),
        ("ec2:DescribeInstances", "*"),
    ),
    ("*", "ec2:*", "ec2:Stop*", "ec2:*Instances", "s3:*", "ec2:DescribeInstances"),
    ("*", f"arn:aws:ec2:*:{HOME}:instance/*", f"arn:aws:ec2:us-east-1:{HOME}:instance/i-2"),
    rcp=False,
)
SQS = Topic(
    "sqs",
    3,
    (("sqs:SendMessage", f"arn:aws:sqs:us-east-1:{HOME}:q-u"),),
    ("*", "sqs:*", "sqs:SendMessage", "SQS:Send*", "sqs:ReceiveMessage"),
    (
        *("*", f"arn:aws:sqs:us-east-1:{HOME}:q-u", f"arn:aws:sqs:*:{HOME}:q-*"),
        *(f"arn:aws:sqs:us-east-1:{HOME}:q-${{aws:username}}", f"arn:aws:sqs:*:{AWAY}:*"),
    ),
)
TOPICS = (S3, KMS, TRUST, EC2, SQS)

REQUESTERS: tuple[tuple[str, int], ...] = (
    (f"arn:aws:iam::{HOME}:user/u", 6),
    (f"arn:aws:iam::{HOME}:user/p/v", 2),
    (f"arn:aws:sts::{HOME}:assumed-role/r/s", 7),
    (f"arn:aws:iam::{HOME}:role/r", 2),
    (f"arn:aws:iam::{HOME}:role/p/r", 1),
    (f"arn:aws:sts::{HOME}:federated-user/f", 2),
    (f"arn:aws:iam::{HOME}:root", 2),
    (f"arn:aws:sts::{HOME}:assumed-role/AWSServiceRoleForX/s", 1),
    (f"arn:aws:iam::{AWAY}:user/u", 3),
    (f"arn:aws:sts::{AWAY}:assumed-role/r/s", 4),
    (f"arn:aws:iam::{AWAY}:root", 1),
    ("lambda.amazonaws.com", 2),
    (OIDC, 2),
    ("accounts.google.com", 1),
    ("anonymous", 2),
)
"""Who may ask, and how often; resources are all in `HOME`."""

NAMES = (
    *(f"arn:aws:iam::{HOME}:user/u", f"arn:aws:iam::{HOME}:user/p/v"),
    *(f"arn:aws:iam::{HOME}:role/r", f"arn:aws:iam::{HOME}:role/p/r"),
    *(f"arn:aws:sts::{HOME}:assumed-role/r/s", f"arn:aws:sts::{HOME}:assumed-role/r/t"),
    *(f"arn:aws:sts::{HOME}:federated-user/f", f"arn:aws:iam::{HOME}:root", HOME, AWAY),
    *(f"arn:aws:iam::{AWAY}:user/u", f"arn:aws:iam::{AWAY}:role/r"),
    *(f"arn:aws:sts::{AWAY}:assumed-role/r/s", f"arn:aws:iam::{AWAY}:root"),
    *(f"arn:aws:iam::{HOME}:role/AWSServiceRoleForX", "AROA1111111111111EXAMPLE"),
)
"""What an entry of type AWS may say."""


def near(requester: str) -> list[str]:
    """Give the entries of type AWS that name a requester, closely or not."""
    if not requester.startswith("arn:") or "-provider/" in requester:
        return list(NAMES)
    account = requester.split(":")[4]
    found = [requester, account, f"arn:aws:iam::{account}:root"]
    if ":assumed-role/" in requester:
        found += [f"arn:aws:iam::{account}:role/{requester.split('/')[1]}"] * 2
    return found


def some(rng: random.Random, items: Sequence[_Item], most: int) -> list[_Item]:
    """Pick one to `most` items, mostly one."""
    count = 1
    while count < most and rng.random() < 0.3:
        count += 1
    return rng.sample(items, min(count, len(items)))


def one_or_list(rng: random.Random, items: Sequence[_Item]) -> _Item | list[_Item]:
    """Write one item with or without its brackets."""
    return items[0] if len(items) == 1 and rng.random() < 0.6 else list(items)
