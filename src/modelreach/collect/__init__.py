"""What collecting has in common, whatever the provider: one room for every connector.

- `answers`: what a call gave, or why it was refused; all of a run in one order
- `calling`: a bounded number of calls at once, and those that answers lead to
- `recording`: a run kept as files, the manifest last
- `sources`: what `--from` names, told apart by content and read back
- `extras`: which extra brings an SDK
- `facts`: facts under construction, documents kept once each

A connector says what is its provider's own: the calls, how files and places are called, what an
answer means. This room knows the vocabulary and the snapshot, as connectors do, and no provider.
"""
