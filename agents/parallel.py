"""Run independent tasks in worker processes, and hear how far they are."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

Result = TypeVar("Result")
Progress = Callable[[int, int], None]
Job = Callable[[Progress], Result]
"""A picklable callable that reports (done, total) of its own work and returns its result."""

POLL_SECONDS = 0.5


def run_jobs(jobs: Sequence[Job[Result]], workers: int, progress: Progress) -> list[Result]:
    """Run every job; results in the order of the jobs.

    With one worker, or one job, everything runs here. Otherwise processes are spawned, not forked:
    torch and threads do not survive a fork. The results do not depend on the number of workers.

    Args:
        jobs: What to run.
        workers: Processes at most.
        progress: Called with work done and in all, summed over the jobs, in the jobs' own units
            scaled to `SCALE` each.
    """
    total = SCALE * len(jobs)
    if workers == 1 or len(jobs) == 1:
        results: list[Result] = []
        for i, job in enumerate(jobs):
            with threadpool_limits(1):  # arrays this small gain nothing from threads
                results.append(job(_Part(i * SCALE, total, progress)))
            progress((i + 1) * SCALE, total)
        return results
    context = multiprocessing.get_context("spawn")
    shared = context.Array("q", len(jobs))
    with ProcessPoolExecutor(
        min(workers, len(jobs)), context, initializer=_keep_shared, initargs=(shared,)
    ) as pool:
        futures = [pool.submit(_run, job, i) for i, job in enumerate(jobs)]
        waiting = set(futures)
        while waiting:
            _, waiting = wait(waiting, POLL_SECONDS, FIRST_COMPLETED)
            progress(sum(shared[:]), total)
        return [future.result() for future in futures]


SCALE = 1000
"""Units of progress that a whole job counts."""


class _Part:
    """Maps a job's own progress to its part of the whole."""

    def __init__(self, offset: int, total: int, progress: Progress) -> None:
        self._offset, self._total, self._progress = offset, total, progress

    def __call__(self, done: int, total: int) -> None:
        self._progress(self._offset + SCALE * done // max(total, 1), self._total)


_shared: Any = None


def _keep_shared(shared: Any) -> None:
    """Runs once in each worker: shared memory can only be handed over at its start."""
    global _shared
    _shared = shared


def _run(job: Job[Result], index: int) -> Result:
    def report(done: int, total: int) -> None:
        _shared[index] = SCALE * done // max(total, 1)

    # There is a worker for each core already: threads within them would wait for each other.
    with threadpool_limits(1):
        result = job(report)
    _shared[index] = SCALE
    return result
