"""Resources of the providers `kubernetes` and `kubectl`."""
