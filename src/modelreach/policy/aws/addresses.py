"""What runtimes name by an address, as ARNs: objects in buckets, and images in repositories.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
"""

from __future__ import annotations

from modelreach.snapshot import Runtime

_IMAGE_HOST = ".dkr.ecr."
_OBJECTS = "s3"


def arn_of(address: str, runtime: Runtime | None) -> str:
    """Give the ARN of what a runtime names by address: an object in a bucket, an image's
    repository. An address that is neither comes back as it is."""
    partition = runtime.id.split(":")[1] if runtime and runtime.id.startswith("arn:") else "aws"
    if address.startswith("s3://"):
        return f"arn:{partition}:s3:::{address.removeprefix('s3://')}"
    host, slash, path = address.partition("/")
    if slash and _IMAGE_HOST in host:
        account, _, rest = host.partition(_IMAGE_HOST)
        name = path.partition("@")[0].partition(":")[0]
        return f"arn:{partition}:ecr:{rest.partition('.')[0]}:{account}:repository/{name}"
    return address


def source_of(arn: str) -> str:
    """Give what something is loaded from: of an object its bucket, else the thing itself."""
    return arn.split("/", 1)[0] if is_object(arn) else arn


def is_object(arn: str) -> bool:
    """Is it a bucket, or in one?"""
    return arn.split(":", 3)[2:3] == [_OBJECTS]
