"""A slow, obvious evaluator of Kubernetes' RBAC, written from the documentation alone.

It answers for one request after another and tries every way in which what is not known may turn
out. It shares no code with the engine that it checks.
"""

from modelreach_reference.kubernetes.evaluation import answers, count_completions

__all__ = ["answers", "count_completions"]
