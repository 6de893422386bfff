"""Ways to become more: one mechanism, and rules as data.

`mechanism` tries a provider's rules. `rules` is the form of rules for providers whose permissions
come as roles over scopes (Google Cloud, Azure, Kubernetes), `prober` evaluates them, `pages`
writes them down. AWS, whose policies name resources by pattern, has a form of its own.
"""
