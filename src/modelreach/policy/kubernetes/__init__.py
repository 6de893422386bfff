"""Kubernetes: how RBAC decides, and who becomes whom in a cluster."""
