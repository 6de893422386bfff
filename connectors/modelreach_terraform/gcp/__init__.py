"""Resources of the providers `google` and `google-beta`."""
