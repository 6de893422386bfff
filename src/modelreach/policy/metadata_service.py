"""Whom the metadata service of a machine answers: pods are one hop further away than the machine.

The hop limit of EC2 is that of the answer to a PUT, by which version 2 hands out its tokens.
Version 1 asks for none, so that a limit of one holds pods back only where tokens are required.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsRequest.html
https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
"""

from __future__ import annotations

from modelreach.snapshot import Attributes


def is_silent(machine: Attributes) -> bool:
    """Does it answer nobody?"""
    return machine.get("imds_endpoint") == "disabled"


def keeps_pods_out(machine: Attributes) -> bool:
    """Does it answer none but who is on the network of the machine?"""
    return machine.get("imds_hop_limit") == 1 and machine.get("imds_tokens") == "required"
