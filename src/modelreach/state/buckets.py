"""Blobs in an object store. A put there is whole or not at all, as every one of them promises.

S3 is spoken to by boto3, with the credentials that collecting has, too (what speaks to it through
fsspec holds botocore back at an older release); the others through fsspec.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from modelreach.model import MissingExtra
from modelreach.state.blobs import PlaceError

#: What brings each kind of place.
_EXTRAS = {"gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}


@contextmanager
def _told(url: str) -> Generator[None]:
    """Turn what an object store raises into an error that names the place."""
    try:
        yield
    except PlaceError:
        raise
    except Exception as error:  # each client has kinds of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PlaceError(f"{url}: does not answer as it should ({reason})") from None


class Filesystem:
    """A prefix of a file system that fsspec knows."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        scheme = url.partition("://")[0]
        try:
            core: Any = import_module("fsspec.core")
            opened: tuple[Any, str] = core.url_to_fs(self.url)
        except ImportError as error:
            raise MissingExtra(_EXTRAS.get(scheme, "gs"), f"blobs in `{url}`") from error
        self._files, self._root = opened

    def _at(self, name: str) -> str:
        return f"{self._root}/{name[:2]}/{name}"

    def put(self, name: str, content: bytes) -> None:
        with _told(self.url):
            self._files.pipe_file(self._at(name), content)

    def get(self, name: str) -> bytes | None:
        with _told(self.url):
            try:
                return bytes(self._files.cat_file(self._at(name)))
            except FileNotFoundError:
                return None

    def has(self, name: str) -> bool:
        with _told(self.url):
            self._files.invalidate_cache()
            return bool(self._files.exists(self._at(name)))

    def drop(self, name: str) -> None:
        with _told(self.url):
            if self.has(name):
                self._files.rm_file(self._at(name))

    def names(self) -> Iterator[tuple[str, int]]:
        with _told(self.url):
            self._files.invalidate_cache()
            found: dict[str, Any] = self._files.find(self._root, detail=True)
        for path, about in sorted(found.items()):
            yield path.rsplit("/", 1)[-1], int(about.get("size") or 0)


class S3:
    """A prefix of a bucket. `AWS_ENDPOINT_URL` and the rest of the AWS configuration hold."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._bucket, _, prefix = self.url.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix}/" if prefix else ""
        try:
            import boto3
        except ImportError as error:
            raise MissingExtra("aws", f"blobs in `{url}`") from error
        session: Any = boto3.Session()
        with _told(self.url):
            self._client: Any = session.client("s3")

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{name[:2]}/{name}"}

    def put(self, name: str, content: bytes) -> None:
        with _told(self.url):
            self._client.put_object(**self._at(name), Body=content)

    def get(self, name: str) -> bytes | None:
        with _told(self.url):
            try:
                return bytes(self._client.get_object(**self._at(name))["Body"].read())
            except self._client.exceptions.NoSuchKey:
                return None

    def has(self, name: str) -> bool:
        key = self._at(name)["Key"]
        with _told(self.url):
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        return bool(found.get("KeyCount"))

    def drop(self, name: str) -> None:
        with _told(self.url):
            self._client.delete_object(**self._at(name))

    def names(self) -> Iterator[tuple[str, int]]:
        with _told(self.url):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for one in page.get("Contents", ()):
                    yield str(one["Key"]).rsplit("/", 1)[-1], int(one["Size"])
