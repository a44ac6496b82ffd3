"""The private chain: builds, starts, watches and describes a network of geth nodes."""
