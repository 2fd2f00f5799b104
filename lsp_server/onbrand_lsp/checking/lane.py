"""One thread for heavy work: the urgent first, for which what is under way makes room."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from onbrand.errors import Cancelled

T = TypeVar("T")
Work = Callable[[Callable[[], bool]], T]
"""Gets a function that says whether to give up, by raising `Cancelled`."""


@dataclass(order=True, slots=True)
class _Job(Generic[T]):
    urgency: int
    turn: int
    work: Work[T] = field(compare=False)
    done: asyncio.Future[T] = field(compare=False)
    yields: bool = field(default=False, compare=False)

    def gives_up(self) -> bool:
        return self.yields or self.done.done()


class Lane:
    """Does one job at a time. For the loop's thread."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, name)
        self._waiting: list[_Job[Any]] = []
        self._current: _Job[Any] | None = None
        self._turns = itertools.count()
        self._runner: asyncio.Task[None] | None = None

    async def run(self, urgency: int, work: Work[T]) -> T:
        """Return what ``work`` returns, done in the lane's thread.

        A job of lower urgency that is under way is interrupted, and begun again later. To cancel
        the waiting is to cancel the job.

        Args:
            urgency: 0 comes first.
            work: called in the lane's thread.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(_Job(urgency, next(self._turns), work, done))
        if self._current is not None and urgency < self._current.urgency:
            self._current.yields = True
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await done

    def close(self) -> None:
        """Do nothing more, and give up what is under way."""
        if self._current is not None:
            self._current.yields = True
        if self._runner is not None:
            self._runner.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _put(self, job: _Job[Any]) -> None:
        heapq.heappush(self._waiting, job)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            job = self._current = heapq.heappop(self._waiting)
            if not job.done.done():
                job.yields = False
                try:
                    result = await loop.run_in_executor(self._pool, job.work, job.gives_up)
                except Cancelled:
                    if not job.done.done():
                        self._put(job)
                except Exception as error:  # it is the caller's
                    if not job.done.done():
                        job.done.set_exception(error)
                else:
                    if not job.done.done():
                        job.done.set_result(result)
            self._current = None
