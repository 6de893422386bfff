"""Which types of resource decide over access, as far as their names tell: of those that no table
has, these leave a gap, and the others are passed over."""

from __future__ import annotations

import re
from typing import Final

from modelreach_terraform.plan import Instance

_NAMED: Final = {
    "aws": re.compile(
        r"aws_(iam|organizations|ssoadmin|identitystore|rolesanywhere|ram|lakeformation"
        r"|verifiedaccess|bedrockagentcore)_\w+"
        r"|aws_\w*(polic(y|ies)|permissions?|grant|role|access_(key|entry|point|control)\w*"
        r"|trust|credential|identity|principal_association|resource_share)(_\w*(attachment|association|assignment))?"
        r"|awscc_\w*(role|policy|permission|grant|access)\w*"
    ),
    "gcp": re.compile(
        r"google_\w+_iam_(member|binding|policy|audit_config)"
        r"|google_(iam|access_context_manager|iap|org_policy)_\w+"
        r"|google_\w*(access|deny_policy|permission|role|service_account\w*|identity_pool\w*"
        r"|_acl|access_control|credential)\w*"
    ),
    "azure": re.compile(
        r"azurerm_\w*(role_(assignment|definition|management\w*)|access_policy|federated_identity"
        r"\w*|identity|pim_\w+|principal\w*|permission\w*|lighthouse_\w+|management_lock)"
        r"|azuread_(?!named_location|conditional_access)\w+|azapi_resource\w*"
    ),
    "kubernetes": re.compile(
        r"kubernetes_\w*(role|role_binding|service_account|token|manifest|certificate_signing\w*)"
        r"(_v\d+)?|kubectl_manifest|helm_release"
    ),
}
#: Whose names say so and who do not: they are about something else than who may do what.
_NOT: Final = re.compile(
    r"aws_(appautoscaling|autoscaling|dlm_lifecycle|ecr_lifecycle|lb|load_balancer|elb|route53"
    r"|cloudfront|wafv?2?\w*|backup|datasync|networkfirewall|fms|shield|ses|config|route)_\w*policy\w*"
    r"|aws_s3_bucket_(lifecycle|replication)\w*"
    r"|aws_iam_(account_(password_policy|alias)|server_certificate|virtual_mfa_device"
    r"|security_token_service_preferences|service_linked_role)"
    r"|aws_\w*(lifecycle|redrive(_allow)?|data_protection|stickiness|resiliency|backup)_policy"
    r"|aws_cloudwatch_log_(account|index)_policy|aws_proxy_protocol_policy"
    r"|aws_(ses|sesv2)_\w*identity(_policy)?|aws_cloudfront_origin_access_\w+"
    r"|aws_securityhub_configuration_policy\w*|aws_networkmanager_core_network_policy\w*"
    r"|aws_(codebuild_source_credential|directory_service_trust|grafana_role_association"
    r"|licensemanager_grant|redshift_snapshot_copy_grant)"
    r"|google_compute_(resource_policy\w*|security_policy|region_security_policy|firewall_policy\w*"
    r"|ssl_policy|network_firewall_policy\w*|region_ssl_policy|access_config)"
    r"|google_(monitoring_alert_policy|dns_\w*policy|logging_\w+)"
    r"|azurerm_(policy_\w+|\w+_policy|firewall_policy\w*)"
)


def matters(instance: Instance) -> bool:
    """May a resource of this type decide over access?"""
    pattern = _NAMED.get(instance.provider)
    if pattern is None or not pattern.fullmatch(instance.type):
        return False
    return not _NOT.fullmatch(instance.type)
