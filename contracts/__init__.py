"""The sale contracts and the only way in for the rest of Lading."""

__version__ = "0.1.0"
