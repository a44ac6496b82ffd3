"""Measures the gateway on this machine: python -m proxy.bench prints one JSON line a figure."""
