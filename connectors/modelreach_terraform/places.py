"""Where a resource is: which account, project, tenant or cluster its provider is configured for.

A plan does not say so itself. It is told by what is there already, by what the provider is
configured with, and by the base, in this order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from modelreach.model import InputError
from modelreach_terraform.configuration import Configuration
from modelreach_terraform.plan import Instance, Plan
from modelreach_terraform.values import Json, at, text, texts
from modelreach_terraform.world import World

_ARN: Final = re.compile(r"arn:(aws[\w-]*):[\w-]+:([\w-]*):(\d{12}):.+")
_ROLE: Final = re.compile(r"arn:(aws[\w-]*):iam::(\d{12}):role/.+")


class Places:
    """The places of a plan's providers, found once each."""

    def __init__(
        self, plan: Plan, configuration: Configuration, world: World, account: str
    ) -> None:
        self._plan, self._configuration = plan, configuration
        self._world, self._account = world, account
        self._aws: dict[str, dict[str, str]] = {}
        self._one: dict[str, str] = {}

    def of(self, instance: Instance, values: Mapping[str, Json]) -> Mapping[str, str]:
        """Give the place of an instance; `scope` is the id of the scope that holds it.

        Raises `InputError` when nothing tells the account of a resource of AWS.
        """
        match instance.provider:
            case "aws":
                return self._of_aws(instance, values)
            case "gcp":
                return self._of_gcp(instance, values)
            case "azure":
                return self._of_azure(instance, values)
            case "kubernetes":
                cluster = self._cluster()
                return {"cluster": cluster, "scope": cluster}
            case _:
                return {}

    # --- AWS --------------------------------------------------------------------------------

    def _of_aws(self, instance: Instance, values: Mapping[str, Json]) -> Mapping[str, str]:
        key = self._configuration.provider_key(instance) or instance.provider
        if key not in self._aws:
            self._aws[key] = self._account_of(key)
        found = self._aws[key]
        # Since version 6 of the provider every resource says its region.
        own = text(values.get("region")) or _region_in(values)
        return {**found, "region": own} if own else found

    def _account_of(self, key: str) -> dict[str, str]:
        told = Counter(self._arns(key))
        configured = self._configured(key)
        partition, region, account = next(
            (found for found, _ in told.most_common()), ("aws", "", "")
        )
        account = self._account or configured or account or self._only("account")
        account = account or self._named(key) or self._anywhere()
        if not account:
            raise InputError(
                "nothing tells which AWS account this plan is for",
                place=self._plan.place,
                hint="give it with `--account ID`, or the estate with `--onto BASE`",
            )
        region = text(self._configuration.of_provider(key, "region")) or region or self._region()
        return {
            "account": account,
            "partition": partition,
            "region": region,
            "scope": account,
        }

    def _anywhere(self) -> str:
        return next((found[2] for found, _ in Counter(self._arns("")).most_common()), "")

    def _named(self, key: str) -> str:
        """Give the one account in which the base has somebody of a name that the plan uses."""
        accounts: dict[tuple[str, str], set[str]] = {}
        for one in self._world.principals.values():
            accounts.setdefault((one.kind, one.name), set()).add(one.scope)
        told = {
            account
            for instance, values in self._there()
            if self._configuration.provider_key(instance) in ("", key)
            for kind in ("role", "user", "group")
            if len(found := accounts.get((kind, text(values.get(kind))), set())) == 1
            for account in found
        }
        return told.pop() if len(told) == 1 else ""

    def _configured(self, key: str) -> str:
        """Give the account that a provider is configured for, "" where it does not say."""
        role = text(self._configuration.of_provider(key, "assume_role.role_arn"))
        if found := _ROLE.fullmatch(role):
            return found[2]
        allowed = texts(self._configuration.of_provider(key, "allowed_account_ids"))
        return allowed[0] if len(allowed) == 1 else ""

    def _arns(self, key: str) -> Iterator[tuple[str, str, str]]:
        """Give partition, region and account of what is there already; "" for any provider.

        What a data source tells may be of another account, but for who is asking.
        """
        for instance, values in self._there():
            if instance.provider != "aws":
                continue
            if key and (self._configuration.provider_key(instance) or instance.provider) != key:
                continue
            if instance.data and instance.type != "aws_caller_identity":
                continue
            if found := _ARN.fullmatch(text(values.get("arn"))):
                yield found[1], found[2], found[3]

    def _there(self) -> Iterator[tuple[Instance, Mapping[str, Json]]]:
        yield from self._plan.prior
        for change in self._plan.changes:
            for values in (change.before, change.after):
                if values is not None:
                    yield change.instance, values

    def _region(self) -> str:
        counted = Counter(one.region for one in self._world.resources.values() if one.region)
        return counted.most_common(1)[0][0] if counted else ""

    def _only(self, kind: str) -> str:
        """Give the only scope of a kind that the base has; of several accounts, the one read."""
        if kind not in self._one:
            named = sorted(one.id for one in self._world.scopes.values() if one.kind == kind)
            read = sorted({one.scope for one in self._world.principals.values()} & set(named))
            found = named if len(named) == 1 else read if len(read) == 1 else []
            self._one[kind] = found[0] if found else ""
        return self._one[kind]

    # --- the others -------------------------------------------------------------------------

    def _of_gcp(self, instance: Instance, values: Mapping[str, Json]) -> Mapping[str, str]:
        key = self._configuration.provider_key(instance) or "google"
        project = (
            text(values.get("project"))
            or text(self._configuration.of_provider(key, "project"))
            or self._only("project").removeprefix("projects/")
        ).removeprefix("projects/")
        project, number = self._project(project)
        region = text(values.get("location")) or text(values.get("region"))
        region = region or text(self._configuration.of_provider(key, "region"))
        scope = f"projects/{project}" if project else next(iter(sorted(self._world.scopes)), "")
        return {"project": project, "number": number, "region": region, "scope": scope}

    def _project(self, named: str) -> tuple[str, str]:
        """Give id and number of a project, by either."""
        for one in self._world.scopes.values():
            number = one.attributes.get("number", "")
            if one.kind == "project" and named and named in (one.id[len("projects/") :], number):
                return one.id[len("projects/") :], str(number)
        return named, named if named.isdecimal() else ""

    def _of_azure(self, instance: Instance, values: Mapping[str, Json]) -> Mapping[str, str]:
        key = self._configuration.provider_key(instance) or "azurerm"
        subscription = text(self._configuration.of_provider(key, "subscription_id")).lower()
        if not subscription:
            subscription = self._only("subscription").removeprefix("/subscriptions/")
        if not subscription:
            found = (_subscription(values.get("id")) for _, values in self._there())
            subscription = next((one for one in found if one), "")
        tenant = self._only("tenant")
        tenant = tenant or text(self._configuration.of_provider(key, "tenant_id")).lower()
        group = text(values.get("resource_group_name")).lower()
        under = f"/subscriptions/{subscription}" if subscription else ""
        scope = f"{under}/resourcegroups/{group}" if group and under else under
        if instance.type.startswith("azuread_"):
            scope = tenant
        return {"subscription": subscription, "tenant": tenant, "scope": scope}

    def _cluster(self) -> str:
        return self._only("cluster") or f"k8s/{self._account or 'cluster'}"


def _region_in(values: Mapping[str, Json]) -> str:
    found = _ARN.fullmatch(text(at(values, "arn")))
    return found[2] if found else ""


def _subscription(value: Json) -> str:
    found = re.match(r"/subscriptions/([^/]+)", text(value))
    return found[1].lower() if found else ""
