"""What is done side by side."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def beside() -> Iterator[ThreadPoolExecutor]:
    """Threads that are waited for; not by who fails or is interrupted, for they may wait for a chain that stands."""
    pool = ThreadPoolExecutor()
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
