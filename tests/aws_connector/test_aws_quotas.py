"""Quotas: what is throttled is asked again, and holds nobody else up."""

from __future__ import annotations

import threading
import time
from typing import Any

from modelreach.snapshot import encode
from modelreach_aws import AwsConnector


def _users(cloud: Any, count: int) -> None:
    iam = cloud("iam")
    for number in range(count):
        iam.create_user(UserName=f"user-{number:03}")
        iam.create_access_key(UserName=f"user-{number:03}")


def test_what_is_throttled_is_read_in_the_end(stranger: Any, wire: Any, options: Any) -> None:
    _users(stranger, 5)
    whole = AwsConnector().collect(options())
    quota = wire.limit("iam", rate=40, burst=5)
    assert encode(AwsConnector().collect(options())) == encode(whole)
    assert quota.refused > 0


def test_a_service_is_asked_a_few_things_at_once(stranger: Any, wire: Any, options: Any) -> None:
    """However many workers there are: the rest of them is for other services."""
    kms = stranger("kms")
    for _ in range(14):
        kms.create_key()
    lock, running, most = threading.Lock(), 0, 0

    def slow() -> tuple[int, dict[str, str], bytes]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.1)
        with lock:
            running -= 1
        return 200, {"Content-Type": "application/json", "x-amzn-RequestId": "0"}, b"{}"

    wire.answers["kms", "GetKeyPolicy"] = slow
    AwsConnector(attempts=1).collect(options(max_workers=12))
    assert 1 < most <= 5
