"""May this principal do that, and because of which statements?

`expr` is what a verdict depends on, `decision` is an answer with its witness, `permissions` is
the set algebra. Each provider's semantics is a package of its own (`aws`).
"""
