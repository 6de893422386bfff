"""A slow, obvious evaluator of who becomes whom from one cloud to another by a token.

Written from the documentation alone; it shares no code with the engines that it checks. One side
shows a token, the other lets it in; only both together make a hop.
"""

from modelreach_reference.clouds.evaluation import hops

__all__ = ["hops"]
