"""What all tests share: generated examples are the same in every run, and slow machines count.

`make test` tries a few dozen examples of each law, always the same; `make soak` tries thousands,
others each time (`--hypothesis-profile long`).
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long",
    deadline=None,
    max_examples=1_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")
