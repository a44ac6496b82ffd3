"""Runs the benchmark module of each folder, tells their figures as a table, keeps a run, compares two."""
