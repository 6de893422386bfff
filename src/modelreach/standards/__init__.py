"""Which entries of security standards a rule, a trigger or a demand answers to, with edition.

The edition is a part of every reference: `LLM06` is another risk in 2025 than in 2026. Ids and
titles are the publishers'; why an entry fits is said on the page `docs/reference/standards.md`,
which is made from the tables here.
"""

from modelreach.standards.frameworks import Framework, StandardRef
from modelreach.standards.mapping import QUOTED, Quoted, keys_of, mapped, of
from modelreach.standards.table import REFERENCES, reference

__all__ = [
    "QUOTED",
    "REFERENCES",
    "Framework",
    "Quoted",
    "StandardRef",
    "keys_of",
    "mapped",
    "of",
    "reference",
]
