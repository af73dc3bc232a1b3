"""Grader measures what an AI support agent really did: was the problem solved, with what quality, at what cost."""

__version__ = "0.1.0"
