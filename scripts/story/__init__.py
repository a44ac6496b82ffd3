"""The demo: an order's whole way, told in the terminal, over the processes that the commands start."""
