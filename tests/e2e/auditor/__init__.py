"""An auditor: reads a run folder's books and its chain from outside, and finds what must not be.

It knows the contracts' ABI and file formats, and imports nothing of the machinery that it checks but the decoding of
events. `sources` reads, `books` is what was read, `rules` and `money` are pure.
"""
