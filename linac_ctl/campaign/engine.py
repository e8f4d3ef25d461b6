"""Where the runs are done. An engine maps batches of cases to rows, in any order; usually by processes of this computer."""

import ctypes
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from multiprocessing import get_context
from typing import Protocol

from .case import Case
from .row import Row, crashed

Batch = tuple[Case, ...]
Work = Callable[[Batch], list[Row]]  # a function of a module: workers import it
MOST_LOST = 3  # a run that has been lost with its worker so often is the cause
PR_SET_PDEATHSIG = 1


class Engine(Protocol):
    """All that a campaign asks of it."""

    def map(self, batches: Iterator[Batch]) -> Iterator[list[Row]]:
        """A row for every case, as they come; batches are taken when there is somebody free to do them."""


def begin() -> None:
    """In a new worker, before anything heavy is imported: one thread, Ctrl-C is the parent's business, no life without it."""
    os.environ |= {"NUMBA_NUM_THREADS": "1", "LINAC_CTL_THREADS": "1", "OMP_NUM_THREADS": "1"}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError, AttributeError):  # Linux only; elsewhere an orphan waits for ever, but does nothing
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class PoolEngine:
    """Processes of this computer. A worker that dies is replaced; what it had is done again, one by one, to find the cause."""

    def __init__(self, work: Work, processes: int, code_version: str) -> None:
        self.work, self.processes, self.code_version = work, processes, code_version
        self.flying: dict[Future[list[Row]], Batch] = {}
        self.again: deque[Batch] = deque()  # lost without being under suspicion
        self.suspects: deque[Case] = deque()  # one of these took a worker with it: each is tried alone
        self.lost: dict[str, int] = {}

    def map(self, batches: Iterator[Batch]) -> Iterator[list[Row]]:
        """See `Engine`."""
        self.pool = self._new_pool()
        try:
            first = next(batches, None)
            if first is not None:
                yield from self._alone(first)  # leaves compiled code for all
            while self._fill(batches):
                finished, _ = wait(self.flying, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield from self._collect(future)
        finally:
            self.pool.shutdown(wait=True, cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self.processes, get_context("spawn"), begin)

    def _alone(self, batch: Batch) -> Iterator[list[Row]]:
        self._submit(batch)
        yield from self._collect(next(iter(self.flying)))

    def _fill(self, batches: Iterator[Batch]) -> bool:
        """Give the workers something to do; -> is anything on its way?"""
        if self.suspects:
            if not self.flying:
                self._submit((self.suspects.popleft(),))
            return True
        while len(self.flying) < 2 * self.processes:
            batch = self.again.popleft() if self.again else next(batches, None)
            if batch is None:
                break
            self._submit(batch)
        return bool(self.flying)

    def _submit(self, batch: Batch) -> None:
        try:
            self.flying[self.pool.submit(self.work, batch)] = batch
        except BrokenProcessPool:  # found out only now
            self.flying[_failed()] = batch

    def _collect(self, future: Future[list[Row]]) -> Iterator[list[Row]]:
        if (batch := self.flying.pop(future, None)) is None:
            return  # of a pool that broke meanwhile
        try:
            yield [replace(row, retries=self.lost.get(row.case_id, 0)) for row in future.result()]
        except BrokenProcessPool:
            yield from self._after_death(batch)

    def _after_death(self, batch: Batch) -> Iterator[list[Row]]:
        """A new pool. What was with a worker is under suspicion; alone, a case is guilty the third time."""
        lost = [batch, *self.flying.values()]
        self.flying.clear()
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.pool = self._new_pool()
        if len(lost) == 1 and len(batch) == 1:
            yield from self._guilty(batch[0])
            return
        for case in (case for one in lost for case in one):
            self.lost[case.id] = self.lost.get(case.id, 0) + 1
            self.suspects.append(case)

    def _guilty(self, case: Case) -> Iterator[list[Row]]:
        self.lost[case.id] = count = self.lost.get(case.id, 0) + 1
        self.again.extend((suspect,) for suspect in self.suspects)  # all others are cleared
        self.suspects.clear()
        if count < MOST_LOST:
            self.suspects.append(case)
        else:
            yield [crashed(case, count, f"its worker died {count} times; run it alone to see why", self.code_version)]


def _failed() -> "Future[list[Row]]":
    future: Future[list[Row]] = Future()
    future.set_exception(BrokenProcessPool("a worker died"))
    return future


class HereEngine:
    """In this very process: for tests, debuggers and `-j 0`."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def map(self, batches: Iterator[Batch]) -> Iterator[list[Row]]:
        """See `Engine`."""
        for batch in batches:
            yield self.work(batch)


class Pace:
    """How long runs take; says how many make a batch of about a second."""

    def __init__(self, target_s: float = 1.0, most: int = 512, least: int = 1) -> None:
        """`least`: branches of one session share its beginning, which may take longer than all of them."""
        self.target_s, self.most, self.least, self.case_s = target_s, most, least, 0.0

    def heard(self, rows: Sequence[Row]) -> None:
        """Rows carry what they took. The first of a session is slow and soon forgotten."""
        for row in rows:
            self.case_s = row.seconds if self.case_s == 0.0 else 0.9 * self.case_s + 0.1 * row.seconds

    def size(self) -> int:
        """One until something is known."""
        return 1 if self.case_s <= 0.0 else max(self.least, min(self.most, round(self.target_s / self.case_s)))


def batched(cases: Iterator[Case], pace: Pace) -> Iterator[Batch]:
    """Cases in a row of the same session, as many as the pace says; those that branch, of the same seed too."""
    batch: list[Case] = []
    for case in cases:
        if batch and (len(batch) >= pace.size() or batch[0].place[:3] != case.place[:3]):
            yield tuple(batch)
            batch = []
        batch.append(case)
    if batch:
        yield tuple(batch)
