"""What the explorer shows, from the index alone, and what of it whom."""
