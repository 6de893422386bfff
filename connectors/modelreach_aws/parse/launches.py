"""What instances are launched from, and as whom: templates, configurations and their groups."""

from __future__ import annotations

from typing import Any

from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.compute import add
from modelreach_aws.parse.facts import Facts
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.roles import Roles
from modelreach_aws.parse.runtimes import identities, links

#: Of a template: its account, region, id and version, `$Default` and `$Latest` included.
_Version = tuple[str, str, str, str]


def parse_launches(answers: Answers, places: Places, facts: Facts) -> dict[_Version, Any]:
    """Turn launch templates and groups into runtimes; give the data of each version known."""
    roles = Roles(facts, places)
    versions = _versions(answers)
    _templates(answers, places, roles, versions, facts)
    _groups(answers, roles, versions, facts)
    return versions


def _versions(answers: Answers) -> dict[_Version, Any]:
    found: dict[_Version, Any] = {}
    for one, response in answers.of("ec2", "DescribeLaunchTemplateVersions"):
        newest = -1
        for entry in response.get("LaunchTemplateVersions", ()):
            place = one.account, one.region, str(entry.get("LaunchTemplateId", ""))
            number = int(entry.get("VersionNumber", 0))
            names = [str(number), *(["$Default"] if entry.get("DefaultVersion") else [])]
            if number > newest:
                newest = number
                names.append("$Latest")
            for name in names:
                found[(*place, name)] = entry.get("LaunchTemplateData") or {}
    return found


def _profile(data: dict[str, Any]) -> str:
    profile = data.get("IamInstanceProfile") or {}
    return str(profile.get("Arn") or profile.get("Name") or "")


def _templates(
    answers: Answers,
    places: Places,
    roles: Roles,
    versions: dict[_Version, Any],
    facts: Facts,
) -> None:
    for one, response in answers.of("ec2", "DescribeLaunchTemplates"):
        for entry in response.get("LaunchTemplates", ()):
            name = entry["LaunchTemplateId"]
            known = [
                versions.get((one.account, one.region, name, version), {})
                for version in ("$Default", "$Latest")
            ]
            add(
                facts,
                one,
                places.arn(one, "ec2", f"launch-template/{name}"),
                "ec2:launch-template",
                entry.get("LaunchTemplateName", name),
                runs_as=identities(
                    *(
                        role
                        for data in known
                        for role in roles.in_profile(one.account, _profile(data))
                    )
                ),
                wired=links(*(("pulls", data.get("ImageId")) for data in known)),
                tags=entry.get("Tags"),
                created=entry.get("CreateTime"),
                version=str(entry.get("DefaultVersionNumber", "")),
                **metadata_options(known[0]),
            )


def metadata_options(data: dict[str, Any]) -> dict[str, Any]:
    """Give what decides who gets at an instance's credentials: a pod is a hop further away.

    https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
    """
    options = data.get("MetadataOptions") or {}
    return {
        "imds_tokens": options.get("HttpTokens"),
        "imds_hop_limit": options.get("HttpPutResponseHopLimit"),
        "imds_endpoint": options.get("HttpEndpoint"),
    }


def _groups(answers: Answers, roles: Roles, versions: dict[_Version, Any], facts: Facts) -> None:
    configurations = {
        (one.account, one.region, entry["LaunchConfigurationName"]): entry
        for one, response in answers.of("autoscaling", "DescribeLaunchConfigurations")
        for entry in response.get("LaunchConfigurations", ())
    }
    for one, response in answers.of("autoscaling", "DescribeAutoScalingGroups"):
        for entry in response.get("AutoScalingGroups", ()):
            name = entry.get("LaunchConfigurationName", "")
            configuration = configurations.get((one.account, one.region, name), {})
            template, version = _template(entry)
            data = versions.get((one.account, one.region, template, version), {})
            profile = configuration.get("IamInstanceProfile") or _profile(data)
            add(
                facts,
                one,
                entry["AutoScalingGroupARN"],
                "autoscaling:group",
                entry["AutoScalingGroupName"],
                runs_as=identities(*roles.in_profile(one.account, profile)),
                wired=links(("uses", _template_arn(one, entry, template))),
                tags=entry.get("Tags"),
                created=entry.get("CreatedTime"),
                instance_profile=profile,
                launch_template=template,
                launch_template_version=version if template else None,
                launch_configuration=name,
                **metadata_options(configuration or data),
            )


def _template(entry: dict[str, Any]) -> tuple[str, str]:
    mixed = (entry.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    found = entry.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification") or {}
    return str(found.get("LaunchTemplateId", "")), str(found.get("Version", "$Default"))


def _template_arn(one: Answer, entry: dict[str, Any], template: str) -> str:
    partition = str(entry["AutoScalingGroupARN"]).split(":")[1]
    place = f"arn:{partition}:ec2:{one.region}:{one.account}:launch-template"
    return f"{place}/{template}" if template else ""
