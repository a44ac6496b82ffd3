"""The Nginx gateway in front of the chain's nodes: the only door from outside."""
