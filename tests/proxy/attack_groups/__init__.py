"""The groups of the attack corpus."""
