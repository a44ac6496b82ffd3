"""Tests; each folder mirrors one of the product's."""
