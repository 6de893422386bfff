"""The one table of calls: what is asked of Google Cloud, with which permission, and what it feeds.

The collection walks this table, `modelreach permissions gcp` prints its permissions and the
reference page is checked against it, so that the three cannot drift apart. It needs no client.

What Cloud Asset Inventory has is read in bulk; a service itself is asked for what the inventory
lacks, and for everything where the inventory may not be read.
"""

from __future__ import annotations

from typing import Final

from modelreach_gcp.call import Call as Call
from modelreach_gcp.call import Stage as Stage
from modelreach_gcp.calls_estate import ESTATE_CALLS
from modelreach_gcp.calls_models import MODEL_CALLS
from modelreach_gcp.calls_policies import POLICY_CALLS

CALLS: Final[tuple[Call, ...]] = (*ESTATE_CALLS, *POLICY_CALLS, *MODEL_CALLS)
_BY_KEY: Final = {call.key: call for call in CALLS}


def call_of(key: tuple[str, str]) -> Call | None:
    """Give the row of a call by service and method, None for one that is not in the table."""
    return _BY_KEY.get(key)


def further(key: tuple[str, str]) -> tuple[Call, ...]:
    """Give the calls to which answers of a call lead."""
    return tuple(call for call in CALLS if key in call.after)
