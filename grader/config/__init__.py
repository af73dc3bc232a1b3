"""`grader.toml`, the environment and flags, read into one frozen `Settings` with each value's origin.

Precedence: flags > environment > file > defaults. The key of the endpoint comes from the environment only.
"""

from grader.config.load import FILE, find, load
from grader.config.settings import BY_KEY, SETTINGS, Engine, Judge, Report, Setting, Settings, Workspace
from grader.config.values import Price, Secret

__all__ = [
    "BY_KEY",
    "FILE",
    "SETTINGS",
    "Engine",
    "Judge",
    "Price",
    "Report",
    "Secret",
    "Setting",
    "Settings",
    "Workspace",
    "find",
    "load",
]
