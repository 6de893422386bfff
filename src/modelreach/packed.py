"""Unpacking what may have been packed by somebody else: no more than it can honestly be.

A few bytes of Zstandard can stand for any number. A frame says how many in its header, and a
reader takes that word for it, whatever limit it was given.
https://github.com/facebook/zstd/blob/dev/doc/zstd_compression_format.md#frame_content_size
"""

from __future__ import annotations

from typing import Final

import zstandard

#: Facts, decisions and reports are packed to a thirtieth at best.
_MOST_TIMES: Final = 300
_ALWAYS: Final = 1 << 26
_LARGEST: Final = 1 << 32


def unpack(data: bytes, unpacker: zstandard.ZstdDecompressor | None = None) -> bytes:
    """Give what was packed. Raises `zstandard.ZstdError` for what is damaged, and for what would
    be more than three hundred times as large."""
    most = min(max(_ALWAYS, _MOST_TIMES * len(data)), _LARGEST)
    said = zstandard.get_frame_parameters(data).content_size
    if said != zstandard.CONTENTSIZE_UNKNOWN and said > most:
        raise zstandard.ZstdError(f"{len(data)} bytes that say they are {said}")
    return (unpacker or zstandard.ZstdDecompressor()).decompress(data, max_output_size=most)
