"""Borrow torch without leaving a trace: its random numbers and its number of threads."""

from collections.abc import Generator
from contextlib import contextmanager

import torch


@contextmanager
def torch_setting(seed: int, threads: int = 1) -> Generator[None]:
    """Torch draws from ``seed`` and uses so many threads; both are as before afterwards.

    Args:
        seed: Root of what torch draws on the processor.
        threads: Networks this small gain nothing from more than one.
    """
    before = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
