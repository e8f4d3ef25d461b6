"""An asyncio loop whose idle time is the plant: when no callback is ready, machine time passes.

Time is counted in cycles. Cycle k covers (t[k-1], t[k]]; timers due at t[k] fire after cycle k; what they command acts
in cycle k+1. Equal deadlines fire in order of creation, tasks hash by number: nothing depends on addresses.
Speed None runs as fast as the computer can; speed 1.0 is real time, and every cycle is the same cycle.
"""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from device_models.interface.image import DT_S

from ..errors import LinacError
from .alarm import NS
from .pace import PERIOD_NS, Pace
from .waiter import Clock, Ready, Waiter

LONGEST_WAIT_CYCLES = round(24 * 3600 / DT_S)
NEVER = 2**62


class Deadlock(LinacError):
    """The session waits for something that cannot come."""


class Stepper(Protocol):
    """What the loop lets run while it idles."""

    def advance(self, cycles: int) -> int:
        """Run up to `cycles`; -> cycles done, fewer when something happened."""


class SimSelector(Waiter):
    """Hands every idle moment to the loop; real file descriptors are polled only when somebody registered one."""

    loop: "SimLoop"

    def select(self, timeout: float | None = None) -> Ready:
        """Called by the loop once per iteration; timeout <= 0 means callbacks are ready."""
        if timeout is not None and timeout <= 0:
            return self.look() if self.watches else []
        return self.loop.idle(timeout)


class SimTimer(asyncio.TimerHandle):
    """Equal deadlines fire in the order they were set (the stock heap compares only the deadline)."""

    __slots__ = ("seq",)
    seq: int

    def __lt__(self, other: Any) -> bool:
        return bool((self.when(), self.seq) < (other.when(), other.seq))


class SimTask(asyncio.Task[Any]):
    """Hash = creation number, so that sets of tasks iterate the same in every run."""

    def __init__(self, coro: Any, *, loop: Any, seq: int, **kw: Any) -> None:
        self.seq = seq
        super().__init__(coro, loop=loop, **kw)
        self._log_destroy_pending = False  # a session may be looked at and left: its machine is as gone as its tasks

    def __hash__(self) -> int:
        return self.seq


class SimFuture(asyncio.Future[Any]):
    """As SimTask."""

    def __init__(self, *, loop: Any, seq: int) -> None:
        self.seq = seq
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self.seq


@dataclass(slots=True)
class Observer:
    """Looks at the machine after every so many cycles; a read-only guest, so nobody waits for it and it has no task."""

    every: int
    due: int
    look: Callable[[], None]


class SimLoop(asyncio.SelectorEventLoop):
    """See the module's first lines."""

    def __init__(self, stepper: Stepper, *, speed: float | None = None, clock: Clock | None = None,
                 on_overrun: Callable[[int], None] = lambda streak: None) -> None:
        """`on_overrun` hears, before the next cycle, how many in a row came late; speed None is as fast as it goes."""
        self.waiter = SimSelector(clock)
        self.waiter.loop = self
        self.stepper, self.on_overrun = stepper, on_overrun
        self.pace = Pace(speed, self.waiter.clock)
        self.served = False  # real descriptors, the last time the loop idled
        self.pause_at: int | None = None  # cycle after which the loop stops and can be run again
        self.resting: list[Callable[[], None]] = []
        self.observers: list[Observer] = []
        self.next_look = NEVER
        self.now_ns = self.cycle = self.seq = 0
        super().__init__(self.waiter)
        self._own_fd = self._ssock.fileno()  # type: ignore[attr-defined]
        self._clock_resolution = 1e-9
        self.set_task_factory(self._new_task)

    def time(self) -> float:
        """Machine time, s."""
        return self.now_ns / NS

    def call_at(  # type: ignore[override]
            self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        """As asyncio's, but first in, first out among equals."""
        self._check_closed()  # type: ignore[attr-defined]
        timer = SimTimer(when, callback, args, self, context)
        self.seq += 1
        timer.seq = self.seq
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    def call_later(  # type: ignore[override]
            self, delay: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        """As asyncio's."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        """A future with a number."""
        self.seq += 1
        return SimFuture(loop=self, seq=self.seq)

    def _new_task(self, loop: Any, coro: Any, **kw: Any) -> asyncio.Task[Any]:
        self.seq += 1
        return SimTask(coro, loop=loop, seq=self.seq, **kw)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """A thread would race with machine time: run the function here and now."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def _add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:
        self._watch(fd)
        return super()._add_reader(fd, callback, *args)  # type: ignore[misc]

    def _add_writer(self, fd: Any, callback: Any, *args: Any) -> Any:
        self._watch(fd)
        return super()._add_writer(fd, callback, *args)  # type: ignore[misc]

    def _watch(self, fd: Any) -> None:
        """From the first descriptor that is not asyncio's own on, there is something to look at."""
        self.waiter.watches = self.waiter.watches or (hasattr(self, "_own_fd") and fd != self._own_fd)

    def idle(self, timeout_s: float | None) -> Ready:
        """Nothing is ready: let machine time pass up to the next timer, or to something worth waking for."""
        if self.resting:
            waiting, self.resting = self.resting, []
            for do in waiting:
                do()
            return []
        if self.pause_at is not None and self.cycle >= self.pause_at:
            self.stop()
            return []
        target_ns = self.now_ns + round(timeout_s * NS) if timeout_s is not None else None
        cycles = LONGEST_WAIT_CYCLES if target_ns is None else target_ns // PERIOD_NS - self.cycle
        if self.pause_at is not None:
            cycles = min(cycles, self.pause_at - self.cycle)
        if ready := self._run_paced(cycles) if self.pace.speed is not None else self._run_unpaced(cycles):
            return ready
        if target_ns is not None and not self._woken() and self.cycle * PERIOD_NS + PERIOD_NS > target_ns:
            self.now_ns = max(self.now_ns, target_ns)  # a timer between two cycles
        return ready

    def inside(self, cycles: int) -> None:
        """So many cycles of the block under way are done: timers that are set from here on count from there."""
        self.now_ns = (self.cycle + cycles) * PERIOD_NS

    def run_cycles(self, cycles: int) -> None:
        """Let this much machine time pass, then stop with everything due by then done; run again to go on."""
        self.pause_at = self.cycle + cycles
        self.pace.rest()
        try:
            self.run_forever()
        finally:
            self.pause_at = None

    def _woken(self) -> bool:
        return bool(self._ready)  # type: ignore[attr-defined]

    def observe(self, every: int, look: Callable[[], None]) -> None:
        """Call `look` after every so many cycles. What it starts or sets takes effect from the next cycle on."""
        self.observers.append(Observer(every, self.cycle + every, look))
        self.next_look = min(self.next_look, self.cycle + every)

    def forget(self, look: Callable[[], None]) -> None:
        """An observer has seen enough."""
        self.observers = [observer for observer in self.observers if observer.look != look]
        self.next_look = min((observer.due for observer in self.observers), default=NEVER)

    def pause(self) -> None:
        """Stop after this cycle with everything due by then done, where `run_cycles` would have gone on; for observers."""
        self.pause_at = self.cycle
        self.call_soon(lambda: None)  # something to do: the block of cycles ends here

    def at_rest(self, do: Callable[[], None]) -> None:
        """Before the next cycle, once everything due by then is done: the state in which `run_cycles` pauses."""
        self.resting.append(do)

    def _look(self) -> None:
        for observer in self.observers:
            if observer.due <= self.cycle:
                observer.due += observer.every
                observer.look()
        self.next_look = min((observer.due for observer in self.observers), default=NEVER)

    def _run(self, cycles: int) -> bool:
        """One block; -> True if somebody has something to do now, or sooner than was known before."""
        timers = len(self._scheduled)  # type: ignore[attr-defined]
        self.cycle += self.stepper.advance(min(cycles, self.next_look - self.cycle))
        self.now_ns = self.cycle * PERIOD_NS
        if self.cycle >= self.next_look:
            self._look()
        return bool(self._ready) or len(self._scheduled) != timers  # type: ignore[attr-defined]

    def _run_unpaced(self, cycles: int) -> Ready:
        """Real descriptors and machine time in turns, so that a peer who never stops talking does not stop time."""
        ready = self.waiter.look() if self.waiter.watches and not self.served else []
        self.served = bool(ready)
        if not ready:
            self._run_through(cycles)
        return ready

    def _run_through(self, cycles: int) -> None:
        end, speed = self.cycle + cycles, self.pace.speed
        while self.cycle < end:
            if self._run(end - self.cycle) or self.pace.speed != speed:
                return
        if cycles == LONGEST_WAIT_CYCLES:
            raise Deadlock("nothing happened for a day of machine time: the session waits for something that cannot come")

    def _run_paced(self, cycles: int) -> Ready:
        """Each cycle when it is due. Until then real descriptors are served; a cycle that is due does not wait for them."""
        pace = self.pace
        for _ in range(cycles):
            streak = pace.streak
            pace.arrive(self.cycle + 1)
            if streak or pace.streak:
                self.on_overrun(pace.streak)
            if ready := self.waiter.until(pace.due_ns(self.cycle + 1)):
                return ready
            pace.begin(self.cycle + 1)
            speed = pace.speed
            if self._run(1) or pace.speed != speed:
                break
        return []
