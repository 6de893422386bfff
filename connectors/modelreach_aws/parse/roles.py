"""Which roles a service means that names a role, or an instance profile, without its ARN."""

from __future__ import annotations

from modelreach_aws.parse.facts import Facts
from modelreach_aws.parse.place import Places


class Roles:
    """The roles of each account by name, and those in each instance profile."""

    def __init__(self, facts: Facts, places: Places) -> None:
        self._places = places
        self._by_name: dict[tuple[str, str], str] = {}
        self._in_profile: dict[tuple[str, str], list[str]] = {}
        for principal in facts.principals:
            if principal.kind != "role":
                continue
            self._by_name[principal.scope, principal.name] = principal.id
            profiles = principal.attributes.get("instance_profiles", ())
            for profile in profiles if isinstance(profiles, tuple) else ():
                for name in (profile, profile.rpartition("/")[2]):
                    self._in_profile.setdefault((principal.scope, name), []).append(principal.id)

    def arn(self, account: str, name: object) -> str:
        """Give the ARN of what a service calls the role, "" for none.

        Services that take a name take it without its path.
        """
        text = "" if name is None else str(name)
        if not text or text.startswith("arn:"):
            return text
        short = text.rpartition("/")[2]
        partition = self._places.partition(account)
        return self._by_name.get((account, short), f"arn:{partition}:iam::{account}:role/{text}")

    def in_profile(self, account: str, profile: object) -> tuple[str, ...]:
        """Give the roles in an instance profile, by its ARN or name."""
        return tuple(self._in_profile.get((account, str(profile or "")), ()))
