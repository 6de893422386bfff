"""Importers of manifests: what teams have already, turned into the values of a draft.

Each module is one form of file, with a class that recognises it and reads it. None does I/O; none
copies the value of an environment variable, a header, or whatever else may be a secret.
"""
