"""The Google Cloud connector: answers of its APIs in, facts out."""

from modelreach_gcp.connector import GcpConnector

__all__ = ["GcpConnector"]
