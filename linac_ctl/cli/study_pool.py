"""Patients of a study in processes of one thread each. Which process works on whom changes no number."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..study.config import StudyConfig
    from ..study.rows import Worked

THREADS = "LINAC_CTL_THREADS"
_room: dict[str, Any] = {}  # of this worker process, filled once when it starts


def begin(study: "StudyConfig", seed: int) -> None:
    """In a new process. Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from ..study.room import furnish

    _room.update(room=furnish(study), seed=seed)


def one(patient: int) -> "Worked":
    """In a worker."""
    from ..study.rows import work

    return work(_room["room"], patient, _room["seed"])


def all_of(study: "StudyConfig", seed: int, processes: int, done: Callable[["Worked"], None]) -> list["Worked"]:
    """As far as Ctrl-C lets it: patients that have begun are finished, the rest are left out. A second Ctrl-C ends it at once."""
    found: list[Worked] = []
    with one_thread_each():
        pool = ProcessPoolExecutor(min(processes, study.patients), get_context("spawn"), begin, (study, seed))
        futures = [pool.submit(one, 0)]
        try:
            # the first alone: he leaves compiled kernels for all, who would only wait for them
            futures[0].exception()
            futures += [pool.submit(one, patient) for patient in range(1, study.patients)]
            for future in as_completed(futures):
                found.append(future.result())
                done(found[-1])
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            found = [future.result() for future in futures if future.done() and not future.cancelled()]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return found


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Workers inherit this; many threads in many processes only get in each other's way."""
    before = os.environ.get(THREADS)
    os.environ[THREADS] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[THREADS]
        else:
            os.environ[THREADS] = before
