"""The file that `aws iam get-account-authorization-details` prints, as an answer.

The command decodes policy documents; what other programs save may still have them URL-encoded,
as they are on the wire. Both are taken.
https://docs.aws.amazon.com/cli/latest/reference/iam/get-account-authorization-details.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from modelreach.collect.answers import Refusal
from modelreach.model import InputError
from modelreach_aws.answers import Answer, answer
from modelreach_aws.calls import CALLS
from modelreach_aws.details import Details, details

_OPERATION: Final = "GetAccountAuthorizationDetails"
_PARAMETERS: Final = next(call.fixed for call in CALLS if call.operation == _OPERATION)
_SECTIONS: Final = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_HINT: Final = "save the whole output of `aws iam get-account-authorization-details`"


def recognised(content: object) -> bool:
    """Is this such an export? It is when it has a section that nothing else has."""
    return isinstance(content, dict) and any(name in content for name in _SECTIONS[:3])


def read(content: dict[str, Any], *, place: str) -> Answer:
    """Give the export as the answer that it is. A section that is not there leaves a gap.

    Raises `InputError`, with file and place, for a policy document that is not JSON, an entity
    of another shape, or entities of several accounts.
    """
    response = {name: content.get(name) or [] for name in _SECTIONS}
    try:
        account = _account(details(response), place)
        _decode_documents(response, place)
    except msgspec.ValidationError as error:
        raise InputError(
            f"these account details are broken ({error})", place=place, hint=_HINT
        ) from None
    return answer(account, "", "iam", _OPERATION, _PARAMETERS, response, _lack(content))


def _account(found: Details, place: str) -> str:
    owned = [
        *(user.arn for user in found.user_detail_list),
        *(group.arn for group in found.group_detail_list),
        *(role.arn for role in found.role_detail_list),
        *(policy.arn for policy in found.policies),
    ]
    accounts = sorted({arn.split(":")[4] for arn in owned if arn.count(":") >= 5} - {"aws", ""})
    if len(accounts) == 1:
        return accounts[0]
    what = f"of {len(accounts)} accounts" if accounts else "without an ARN that names the account"
    raise InputError(
        f"these are details {what}, not of one", place=place, hint="give one file an account"
    )


def _lack(content: dict[str, Any]) -> Refusal | None:
    """Say what the file does not hold: the command was told to leave it out, or to stop early."""
    if content.get("IsTruncated") or content.get("NextToken") or content.get("Marker"):
        return Refusal("not-collected", message="the export ends before the last page")
    lacking = [name for name in _SECTIONS if not isinstance(content.get(name), list)]
    if lacking:
        return Refusal("not-collected", message=f"the export has no {', '.join(lacking)}")
    return None


def _decode_documents(response: dict[str, Any], place: str) -> None:
    for holder, field, where in _documents(response):
        holder[field] = _decoded(holder[field], f"{place}: {where}")


def _documents(response: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Give each place that holds a document, and its name for people."""
    for kind in ("User", "Group", "Role"):
        for entity in response[f"{kind}DetailList"]:
            owner = f"{kind.lower()} `{entity[f'{kind}Name']}`"
            for policy in entity.get(f"{kind}PolicyList") or ():
                yield policy, "PolicyDocument", f"{owner}, policy `{policy['PolicyName']}`"
            if entity.get("AssumeRolePolicyDocument") is not None:
                yield entity, "AssumeRolePolicyDocument", f"{owner}, trust policy"
    for policy in response["Policies"]:
        for version in policy.get("PolicyVersionList") or ():
            if version.get("Document") is not None:
                where = f"policy `{policy['Arn']}`, version `{version['VersionId']}`"
                yield version, "Document", where


def _decoded(document: object, place: str) -> dict[str, Any]:
    found = document
    if isinstance(document, str):
        found = _loaded(document) or _loaded(unquote(document))
    if not isinstance(found, dict):
        raise InputError("this policy document is not JSON", place=place, hint=_HINT)
    return found


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
