"""How long a collection takes beside the least that the slowest quota allows. Run by `make bench`.

A look-alike of AWS over HTTP on 127.0.0.1 throttles IAM as AWS does, by a bucket of tokens. The
bound is that of the calls it granted: no client can be faster.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from modelreach_aws import AwsConnector


@pytest.mark.parametrize(("users", "rate"), [(40, 8.0), (80, 16.0)])
def bench_quota(users: int, rate: float, stranger: Any, wire: Any, options: Any) -> None:
    iam = stranger("iam")
    for number in range(users):
        iam.create_user(UserName=f"user-{number:03}")
    AwsConnector().collect(options())  # the look-alike takes its time over its first answers
    quota = wire.limit("iam", rate=rate, burst=10)
    started = time.monotonic()
    AwsConnector().collect(options())
    taken = time.monotonic() - started
    print(
        f"\n{users} users at {rate:g} calls a second: {quota.granted} calls granted,"
        f" {quota.refused} refused; {taken:.1f} s, bound {quota.bound:.1f} s,"
        f" ratio {taken / quota.bound:.2f}"
    )
