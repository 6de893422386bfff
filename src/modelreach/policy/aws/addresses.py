"""What runtimes name by an address, as ARNs: objects in buckets, and images in repositories.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelreach.snapshot import Link, Runtime

_IMAGE_HOST = ".dkr.ecr."
_OBJECTS = "s3"
#: Stands for an image of which it was not read where it comes from.
UNREAD_IMAGE: Final = "?"


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


def is_pinned(address: str) -> bool:
    """Is it an image by its digest? That stays what it is, whatever is pushed.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-pull-ecr-image.html
    """
    return _IMAGE_HOST in address.partition("/")[0] and "@sha256:" in address


def links_of(runtime: Runtime) -> Iterator[Link]:
    """Give the links of a runtime, those that it must have and that were not read among them.

    Which image a function is made from only GetFunction tells, which would hand out its code.
    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
    """
    yield from runtime.links
    if image_unread(runtime):
        yield Link(kind="pulls", target=UNREAD_IMAGE)


def image_unread(runtime: Runtime) -> bool:
    """Is it made from an image, and it was not read from which?"""
    of_image = runtime.attributes.get("package") == "Image"
    return of_image and not any(link.kind == "pulls" for link in runtime.links)


def source_of(arn: str) -> str:
    """Give what something is loaded from: of an object its bucket, else the thing itself."""
    return arn.split("/", 1)[0] if is_object(arn) else arn


def is_object(arn: str) -> bool:
    """Is it a bucket, or in one?"""
    return arn.split(":", 3)[2:3] == [_OBJECTS]
