"""Workflows of GitHub Actions, as a manifest declares them."""
