"""Jobs of GitLab CI, as a manifest declares them."""
