"""AWS: IAM policies, organisation policies, trust, and what they add up to."""
