"""The command `burnout-stats`: words and exit codes, nothing else. What a command needs loads when it runs."""

from .commands import app, main

__all__ = ["app", "main"]
