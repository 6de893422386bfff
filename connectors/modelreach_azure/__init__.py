"""The Azure connector: answers of ARM, Resource Graph and Microsoft Graph in, facts out."""

from modelreach_azure.connector import AzureConnector

__all__ = ["AzureConnector"]
