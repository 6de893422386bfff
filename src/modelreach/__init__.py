"""What an AI model can reach, and what its next release would reach on top."""

__version__ = "0.1.0"
