"""Snapshots kept small: any number of them in one SQLite file, each account's facts apart.

Every section of every account is one compressed blob under the digest of its bytes, so that what
is the same in two accounts, or on two days, is kept once. A manifest says which blobs make up a
snapshot. What is derived from blobs and nothing else is kept beside them, under their digest and
the version of what derived it: it can be thrown away at any time.

`modelreach.snapshot/1` (JSON) stays the form in which snapshots are passed on; both forms of the
same facts have the same digest, which is that of the canonical JSON.
"""

from modelreach.store.facts import StoredSnapshot, beside, whole_of, write
from modelreach.store.file import SUFFIX, Kept, Store

__all__ = ["SUFFIX", "Kept", "Store", "StoredSnapshot", "beside", "whole_of", "write"]
