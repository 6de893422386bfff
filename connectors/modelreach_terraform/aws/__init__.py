"""Resources of the providers `aws` and `awscc`."""
