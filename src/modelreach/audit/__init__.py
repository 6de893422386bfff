"""One audit: what a deployment reaches today, against what was approved and against the last time.

`Auditor` evaluates and compares by the pipeline, tells what is new (`events`, `findings`, `turns`)
and keeps it in a state. Each change is told once, in the audit in which it can first be said; what
a gap hides is told as unknown, and once it shows again it is compared with the last audit in which
it was to be seen, so that nothing that happened meanwhile is lost. `outbox` delivers.
"""

from modelreach.audit.auditor import Auditor
from modelreach.audit.making import Outcome
from modelreach.audit.outbox import Delivered, NotDelivered, Notifier, deliver

__all__ = ["Auditor", "Delivered", "NotDelivered", "Notifier", "Outcome", "deliver"]
