"""Users, groups, roles, providers, their policies, trust, boundaries and credentials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from modelreach.collect.answers import Refusal
from modelreach.collect.facts import attributes
from modelreach.snapshot import Credential, ManagedPolicy, Principal
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.details import (
    Attached,
    Boundary,
    Details,
    GroupDetail,
    Inline,
    PolicyDetail,
    PolicyVersion,
    RoleDetail,
    UserDetail,
    details,
)
from modelreach_aws.parse.facts import PROVIDER, Facts, moment, tags_of
from modelreach_aws.parse.place import Places

_IAM: Final = "iam"
Entity = UserDetail | GroupDetail | RoleDetail


def checked(one: Answer) -> Answer:
    """Give an answer as it is, or as a refusal when it is of IAM's details and not of their form.

    An answer that cannot be understood must leave the same trace as one that did not come.
    """
    if one.operation != "GetAccountAuthorizationDetails" or one.response is None:
        return one
    try:
        details(one.response)
    except msgspec.ValidationError as error:
        refused = Refusal("malformed", message=str(error))
        return msgspec.structs.replace(one, response=None, error=refused)
    return one


def parse_iam(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what IAM answered into facts, account by account."""
    for one, response in answers.of(_IAM, "GetAccountAuthorizationDetails"):
        _Account(one, details(response), answers, facts).parse()
    _providers(answers, facts)
    _access_keys(answers, places, facts)
    _passwords(answers, places, facts)
    _service_credentials(answers, places, facts)


@dataclass(frozen=True, slots=True)
class _Account:
    """The authorization details of one account, and what was fetched beside them."""

    answer: Answer
    found: Details
    answers: Answers
    facts: Facts

    @property
    def scope(self) -> str:
        return self.answer.account

    def parse(self) -> None:
        policies = self._policies()
        groups = {group.group_name: group.arn for group in self.found.group_detail_list}
        for policy in policies.values():
            self._managed(policy)
        for user in self.found.user_detail_list:
            self._user(user, groups)
            self._attach(user, user.user_policy_list, policies)
            self._bound(user, policies)
        for group in self.found.group_detail_list:
            self._group(group)
            self._attach(group, group.group_policy_list, policies)
        for role in self.found.role_detail_list:
            self._role(role)
            self._attach(role, role.role_policy_list, policies)
            self._bound(role, policies)

    def _policies(self) -> dict[str, PolicyDetail]:
        """Give all policies by ARN, those fetched one by one included."""
        found = {policy.arn: policy for policy in self.found.policies}
        for one, response in self.answers.of(_IAM, "GetPolicyVersion"):
            arn = str(one.parameters["PolicyArn"])
            if one.account == self.scope and arn not in found:
                found[arn] = self._fetched(arn, one, response)
        return found

    def _fetched(self, arn: str, one: Answer, response: dict[str, Any]) -> PolicyDetail:
        about = self.answers.response(one, "GetPolicy", {"PolicyArn": arn}).get("Policy", {})
        version = response.get("PolicyVersion", {})
        name = str(one.parameters["VersionId"])
        return PolicyDetail(
            arn=arn,
            policy_name=about.get("PolicyName", ""),
            default_version_id=name,
            create_date=about.get("CreateDate", ""),
            policy_version_list=(PolicyVersion(name, version.get("Document"), True),),
        )

    def _managed(self, policy: PolicyDetail) -> None:
        owner = policy.arn.split(":")[4]
        self.facts.policies.append(
            ManagedPolicy(
                id=policy.arn,
                provider=PROVIDER,
                scope=owner,
                name=policy.name,
                default_version=policy.default_version_id,
                versions={
                    version.version_id: self.facts.document(version.document)
                    for version in policy.policy_version_list
                    if version.document is not None
                },
                created=moment(policy.create_date),
            )
        )

    def _user(self, user: UserDetail, groups: dict[str, str]) -> None:
        self.facts.principals.append(
            Principal(
                id=user.arn,
                provider=PROVIDER,
                kind="user",
                scope=self.scope,
                name=user.user_name,
                unique_id=user.user_id,
                tags={tag.key: tag.value for tag in user.tags},
                groups=tuple(sorted(groups[name] for name in user.group_list if name in groups)),
                created=moment(user.create_date),
                attributes=attributes(path=user.path),
            )
        )
        for name in sorted(set(user.group_list) - groups.keys()):
            message = f"the details have no group `{name}`"
            self._gap("identity-policy", user.arn, "not-collected", message=message)

    def _group(self, group: GroupDetail) -> None:
        self.facts.principals.append(
            Principal(
                id=group.arn,
                provider=PROVIDER,
                kind="group",
                scope=self.scope,
                name=group.group_name,
                unique_id=group.group_id,
                created=moment(group.create_date),
                attributes=attributes(path=group.path),
            )
        )

    def _role(self, role: RoleDetail) -> None:
        used = role.role_last_used
        self.facts.principals.append(
            Principal(
                id=role.arn,
                provider=PROVIDER,
                kind="role",
                scope=self.scope,
                name=role.role_name,
                unique_id=role.role_id,
                tags={tag.key: tag.value for tag in role.tags},
                created=moment(role.create_date),
                # Given without a date: not used in the tracking period of 400 days.
                # https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html
                last_used="" if used is None else moment(used.last_used_date) or "never",
                attributes=attributes(
                    path=role.path,
                    service_linked=role.path.startswith("/aws-service-role/") or None,
                    instance_profiles=[profile.arn for profile in role.instance_profile_list],
                ),
            )
        )
        if role.assume_role_policy_document is None:
            self._gap("trust", role.arn, "not-collected", message="the details have no trust")
            return
        trust = role.assume_role_policy_document
        self.facts.apply(self.scope, role.arn, "trust", trust, name="trust policy")

    def _attach(
        self, entity: Entity, inline: tuple[Inline, ...], policies: dict[str, PolicyDetail]
    ) -> None:
        for policy in inline:
            self.facts.apply(
                self.scope, entity.arn, "identity", policy.policy_document, name=policy.policy_name
            )
        for attached in entity.attached_managed_policies:
            self._attach_managed(entity.arn, attached, policies)

    def _attach_managed(
        self, target: str, attached: Attached, policies: dict[str, PolicyDetail]
    ) -> None:
        arn = attached.policy_arn
        document = _default_document(policies.get(arn))
        if document is None:
            self._unread("identity-policy", target, arn)
            return
        name = attached.policy_name or policies[arn].name
        self.facts.apply(self.scope, target, "identity", document, name=name, policy=arn)

    def _bound(self, entity: UserDetail | RoleDetail, policies: dict[str, PolicyDetail]) -> None:
        for arn in _boundary(entity.permissions_boundary):
            document = _default_document(policies.get(arn))
            if document is None:
                self._unread("boundary", entity.arn, arn)
                continue
            name = policies[arn].name
            self.facts.apply(self.scope, entity.arn, "boundary", document, name=name, policy=arn)

    def _unread(self, facet: str, subject: str, arn: str) -> None:
        """Say why the document of a managed policy is not there."""
        one = self._refused(arn)
        if one is None or one.error is None:
            operation, reason = "GetPolicyVersion", "not-collected"
            message = f"the details have no document of `{arn}`"
        else:
            operation = one.operation
            reason = one.refused.reason if one.refused else "not-collected"
            message = f"`{arn}`: {one.error.message}"
        self._gap(facet, subject, reason, operation=operation, message=message)

    def _asked(self, operation: str) -> bool:
        return bool(self.answers.asked(_IAM, operation))

    def _refused(self, arn: str) -> Answer | None:
        """Give the call for a policy, or for its version, that was refused."""
        asked = {"PolicyArn": arn}
        policy = self.answers.same_place(self.answer, "GetPolicy", asked)
        if policy is None or policy.response is None:
            return policy
        version = policy.response.get("Policy", {}).get("DefaultVersionId")
        return self.answers.same_place(
            self.answer, "GetPolicyVersion", {**asked, "VersionId": version}
        )

    def _gap(
        self, facet: str, subject: str, reason: str, *, message: str, operation: str = ""
    ) -> None:
        asked = f"iam:{operation or self.answer.operation}"
        # Nothing else is closed by a permission: a refusal, or never having asked.
        closable = reason == "denied" or (bool(operation) and not self._asked(operation))
        permission = asked if closable else ""
        self.facts.gap(
            self.scope,
            facet,
            reason,
            subject=subject,
            operation=asked,
            permission=permission,
            message=message,
        )


def _boundary(boundary: Boundary | None) -> Iterator[str]:
    if boundary is not None and boundary.permissions_boundary_arn:
        yield boundary.permissions_boundary_arn


def _default_document(policy: PolicyDetail | None) -> object:
    for version in policy.policy_version_list if policy else ():
        if version.is_default_version or (
            policy is not None and version.version_id == policy.default_version_id
        ):
            return version.document
    return None


def _providers(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of(_IAM, "ListOpenIDConnectProviders"):
        for entry in response.get("OpenIDConnectProviderList", ()):
            arn = entry["Arn"]
            asked = {"OpenIDConnectProviderArn": arn}
            about = answers.response(one, "GetOpenIDConnectProvider", asked)
            _provider(one, arn, "oidc-provider", about, facts)
    for one, response in answers.of(_IAM, "ListSAMLProviders"):
        for entry in response.get("SAMLProviderList", ()):
            asked = {"SAMLProviderArn": entry["Arn"]}
            about = answers.response(one, "GetSAMLProvider", asked)
            told = {**entry, "Tags": about.get("Tags")}
            _provider(one, entry["Arn"], "saml-provider", told, facts)


def _provider(one: Answer, arn: str, kind: str, about: dict[str, Any], facts: Facts) -> None:
    facts.principals.append(
        Principal(
            id=arn,
            provider=PROVIDER,
            kind=kind,
            scope=one.account,
            name=arn.partition("/")[2],
            tags=tags_of(about.get("Tags")),
            created=moment(about.get("CreateDate")),
            attributes=attributes(
                url=about.get("Url"), client_ids=about.get("ClientIDList") or None
            ),
        )
    )


def _access_keys(answers: Answers, places: Places, facts: Facts) -> None:
    for one, response in answers.of(_IAM, "ListAccessKeys"):
        for key in response.get("AccessKeyMetadata", ()):
            asked = {"AccessKeyId": key["AccessKeyId"]}
            used = answers.response(one, "GetAccessKeyLastUsed", asked).get("AccessKeyLastUsed")
            facts.credentials.append(
                Credential(
                    id=key["AccessKeyId"],
                    provider=PROVIDER,
                    kind="access-key",
                    principal=places.user(one.account, key["UserName"]),
                    scope=one.account,
                    status=str(key.get("Status", "")).lower(),
                    created=moment(key.get("CreateDate")),
                    last_used=_key_last_used(used),
                    expires="never",
                    attributes=_key_use(used),
                )
            )


def _key_last_used(used: dict[str, Any] | None) -> str:
    """Give when; a key that was never used has no date, and "N/A" for its service.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html
    """
    if used is None:
        return ""
    return moment(used.get("LastUsedDate")) or "never"


def _key_use(used: dict[str, Any] | None) -> dict[str, Any]:
    known = {name: value for name, value in (used or {}).items() if value != "N/A"}
    return attributes(
        last_used_service=known.get("ServiceName"), last_used_region=known.get("Region")
    )


def _passwords(answers: Answers, places: Places, facts: Facts) -> None:
    for one, response in answers.of(_IAM, "GetLoginProfile"):
        profile = response.get("LoginProfile", {})
        name = str(one.parameters["UserName"])
        principal = places.user(one.account, name)
        facts.credentials.append(
            Credential(
                id=f"{principal}#password",
                provider=PROVIDER,
                kind="password",
                principal=principal,
                scope=one.account,
                status="active",
                created=moment(profile.get("CreateDate")),
                last_used=_password_last_used(answers.same_place(one, "GetUser", one.parameters)),
            )
        )


def _password_last_used(one: Answer | None) -> str:
    if one is None or one.response is None:
        return ""
    return moment(one.response.get("User", {}).get("PasswordLastUsed")) or "never"


def _service_credentials(answers: Answers, places: Places, facts: Facts) -> None:
    for one, response in answers.of(_IAM, "ListServiceSpecificCredentials"):
        for entry in response.get("ServiceSpecificCredentials", ()):
            facts.credentials.append(
                Credential(
                    id=entry["ServiceSpecificCredentialId"],
                    provider=PROVIDER,
                    kind="service-specific",
                    principal=places.user(one.account, entry["UserName"]),
                    scope=one.account,
                    status=str(entry.get("Status", "")).lower(),
                    created=moment(entry.get("CreateDate")),
                    expires=moment(entry.get("ExpirationDate")) or "never",
                    attributes=attributes(
                        service=entry.get("ServiceName"),
                        alias=entry.get("ServiceCredentialAlias"),
                    ),
                )
            )
