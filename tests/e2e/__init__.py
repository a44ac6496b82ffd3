"""The whole system, every part started by its own command."""
