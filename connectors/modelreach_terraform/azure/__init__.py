"""Resources of the providers `azurerm` and `azuread`."""
