"""The sale contracts and the only way in for the rest of Lading."""

from contracts.recursion import keep_guard

__version__ = "0.1.0"

keep_guard()
