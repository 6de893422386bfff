"""Slow, obvious evaluators, written from the providers' documentation as plainly as it reads.

They share no code with the engine, and are what the engine is checked against.
"""
