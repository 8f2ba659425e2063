"""The command line: parses, calls, prints."""

from quickgaze.cli.app import main

__all__ = ["main"]
