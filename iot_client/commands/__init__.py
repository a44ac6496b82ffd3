"""The sub-commands of `lading-pi`, one module each."""
