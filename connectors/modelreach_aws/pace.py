"""How fast one account's service is asked: as fast as it answers, and not much faster.

AWS keeps a bucket of tokens for each service and account, refuses what finds it empty, and tells
no rate. So the pause before each call grows with each refusal and shrinks with each answer: it
settles where the bucket is just about empty.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from modelreach_aws.refusals import is_throttled

_GROWS, _SHRINKS = 1.5, 0.9
_FIRST: Final = 0.05
_LONGEST: Final = 4.0
_LEAST: Final = 0.005


class Pace:
    """The pace of one account and service, for all regions and threads. `attempts` is how often a
    call is made before a refusal is believed."""

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._pause = 0.0
        self._lock = threading.Lock()

    def before_send(self, **_: Any) -> None:
        """Handle botocore's `before-send`: wait."""
        if self._pause:
            time.sleep(self._jittered())

    def needs_retry(self, response: Any = None, attempts: int = 1, **_: Any) -> float | None:
        """Handle botocore's `needs-retry`: give the pause after which to ask again."""
        if response is None:
            return None
        throttled = is_throttled(_code(response[1]))
        with self._lock:
            self._pause = self._after(throttled)
        return self._jittered() if throttled and attempts < self._attempts else None

    def _after(self, throttled: bool) -> float:
        if throttled:
            return min(max(self._pause * _GROWS, _FIRST), _LONGEST)
        pause = self._pause * _SHRINKS
        return pause if pause >= _LEAST else 0.0

    def _jittered(self) -> float:
        """Threads that were refused together must not come back together."""
        return self._pause * random.uniform(0.5, 1.5)  # noqa: S311 - no secret hangs on it


def _code(parsed: Mapping[str, Any]) -> str:
    error = parsed.get("Error")
    return str(error.get("Code", "")) if isinstance(error, dict) else ""
