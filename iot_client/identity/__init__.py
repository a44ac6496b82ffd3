"""Who this device is: a chain key, an X.509 key, and how both are enrolled."""
