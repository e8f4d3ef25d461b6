"""Carries out cases: prepare the session, let it run, judge it. Everything a worker does, and all that it remembers."""

import asyncio
import errno
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import FaultScheduleError, LinacError, RecordError
from .arming import nothing, schedule_of
from .branch import Branch, Trunk, branched
from .case import Case
from .ended import end
from .judge import blank, judge, refused
from .row import MOST_WORDS, Row

Place = tuple[str, str | None, str | None]
_orders: dict[Place, Any] = {}  # of this worker: reading the files and making a plan takes longer than some runs
_seeded: dict[tuple[str, str | None, str | None, int], tuple[Any, Any]] = {}  # and what each was made of
_trunks: dict[tuple[str, str | None, str | None, int], Trunk] = {}
_scratch: list[Any] = []
MOST_ORDERS = 16
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def run_batch(batch: tuple[Case, ...]) -> list[Row]:
    """What an engine calls: branches where the campaign wants them, all else from its beginning."""
    rows = [run_case(case) for case in batch if case.way == "whole"]
    forks = [case for case in batch if case.way == "fork"]
    for place in dict.fromkeys(case.place for case in forks):
        rows += run_branches([case for case in forks if case.place == place])
    return rows


def run_whole(batch: tuple[Case, ...]) -> list[Row]:
    """What an engine calls whose workers have threads: those cannot be copied."""
    return [run_case(case) for case in batch]


def run_case(case: Case) -> Row:
    """From power-up to verdict."""
    begin = time.perf_counter()
    row = kept(lambda: whole(case), case)
    return replace(row, way="whole", seconds=round(time.perf_counter() - begin, 4))


def whole(case: Case) -> Row:
    """A fault of the data may be noticed before there is a machine."""
    try:
        sim = prepare(case)
    except (FaultScheduleError, RecordError):
        raise
    except LinacError as error:
        return refused(case, error)
    try:
        sim.run()
        return judge(end(sim), case, sim.order)
    finally:
        forget(sim)


def forget(sim: Any) -> None:
    """A session that broke off has people in the middle of something: end that here, not when memory is swept."""
    for task in asyncio.all_tasks(sim.loop):
        with suppress(RuntimeError):  # they want to go on with it
            task.get_coro().close()


def kept(row: Callable[[], Row], case: Case) -> Row:
    """A session that breaks in a way that nobody meant is a finding, not the end of the campaign; a full disk is that end."""
    try:
        return row()
    except RecordError:
        raise
    except FaultScheduleError as error:
        return replace(blank(case), verdict="not_reachable", outcome="refused", reason=str(error))
    except Exception as error:  # a defect of ours: the campaign goes on, and the row says what it was
        if isinstance(error, OSError) and error.errno in FULL:
            raise no_room(error) from None
        return replace(blank(case), reason=f"{type(error).__name__}: {str(error)[:MOST_WORDS]}")


def no_room(error: OSError) -> RecordError:
    """Nothing that a run did: it is done again once there is room."""
    return RecordError(f"{error.filename or tempfile.gettempdir()}: {error.strerror}: no room for what a run writes for itself; "
                       "every finished run is in the ledger: free space, or set TMPDIR, then `linac-ctl campaign resume`")


def run_branches(cases: list[Case]) -> list[Row]:
    """Of one session and seed. Those that cannot branch are done whole."""
    trunk = trunk_of(cases[0])
    found = [(case, trunk.branch(case)) for case in cases]
    rows = [run_case(case) for case, branch in found if branch is None]
    branches: list[Branch] = [branch for _, branch in found if branch is not None]
    return rows + list(branched(trunk, branches, end, judge, kept))


def trunk_of(case: Case) -> Trunk:
    """Found once for all cases of this session and seed."""
    if case.place not in _trunks:
        if len(_trunks) >= MOST_ORDERS:
            _trunks.clear()
        from ..app import Simulation

        order = seeded(case)
        run_case(replace(case, way="whole"))  # whatever judging needs is loaded now, and copies share it
        _trunks[case.place] = Trunk.of(lambda: Simulation(order, faults=nothing()))
    return _trunks[case.place]


def prepare(case: Case) -> Any:
    """The session with its faults armed, before its first cycle."""
    from ..app import Simulation

    return Simulation(seeded(case), faults=schedule_of(case))


def seeded(case: Case) -> Any:
    """One order for all cases of a session and seed: what follows from an order is worked out once."""
    order = order_of(case)
    base, found = _seeded.get(case.place, (None, None))
    if base is not order:
        if len(_seeded) >= MOST_ORDERS:
            _seeded.clear()
        found = replace(order, seed=case.seed)
        _seeded[case.place] = order, found
    return found


def order_of(case: Case) -> Any:
    """Read once for all cases of the same session."""
    from ..order import resolve
    from ..patient_room import with_room

    place = case.place[:3]
    if place not in _orders:
        if not _scratch:
            _scratch.append(tempfile.TemporaryDirectory(prefix="linac-ctl-"))
        if len(_orders) >= MOST_ORDERS:
            _orders.clear()
        session, workflow, machine = place
        _orders[place] = with_room(resolve(session, workflow=workflow, machine=machine, scratch=Path(_scratch[0].name)))
    return _orders[place]


def adopt(case: Case, order: Any) -> None:
    """Cases of this session are of this order from now on."""
    from ..patient_room import with_room

    _orders[case.place[:3]] = with_room(order)
