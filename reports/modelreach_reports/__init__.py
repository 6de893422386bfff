"""Renderers: a report in, bytes out."""
