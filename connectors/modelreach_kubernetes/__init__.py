"""The Kubernetes connector: objects of an API server, or of files, in; facts out."""

from modelreach_kubernetes.connector import KubernetesConnector

__all__ = ["KubernetesConnector"]
