"""The chain as the Pi reaches it: through the gateway, with its certificate, and with a key of its own."""
