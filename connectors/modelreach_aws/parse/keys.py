"""Which key a service means: services name keys by id, alias or ARN."""

from __future__ import annotations

from typing import Any

from modelreach_aws.answers import Answers
from modelreach_aws.parse.place import Places


class Keys:
    """The aliases of each account and region."""

    def __init__(self, answers: Answers, places: Places) -> None:
        self._places = places
        self._by_alias: dict[tuple[str, str, str], str] = {}
        self._by_key: dict[tuple[str, str, str], list[str]] = {}
        for one, response in answers.of("kms", "ListAliases"):
            for alias in response.get("Aliases", ()):
                self._add(one.account, one.region, alias)

    def _add(self, account: str, region: str, alias: dict[str, Any]) -> None:
        key = alias.get("TargetKeyId")
        if key:
            self._by_alias[account, region, alias["AliasName"]] = key
            self._by_key.setdefault((account, region, key), []).append(alias["AliasName"])

    def aliases(self, account: str, region: str, key: str) -> tuple[str, ...]:
        """Give the aliases of a key, sorted."""
        return tuple(sorted(self._by_key.get((account, region, key), ())))

    def arn(self, account: str, region: str, name: object) -> str:
        """Give the ARN of what a service calls the key, "" for none.

        An alias that nothing is known of stays an alias ARN: the key behind it is not known.
        """
        text = "" if name is None else str(name)
        if not text:
            return ""
        short = text.split(":", 5)[5] if text.startswith("arn:") else text
        if short.startswith("alias/"):
            short = self._by_alias.get((account, region, short), short)
        elif text.startswith("arn:"):
            return text
        resource = short if "/" in short else f"key/{short}"
        return f"arn:{self._places.partition(account)}:kms:{region}:{account}:{resource}"
