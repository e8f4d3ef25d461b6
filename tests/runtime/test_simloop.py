"""Machine time (K3): what fires when, in which order, and what can never come."""

import asyncio
import os

import pytest

from linac_ctl.runtime.simloop import LONGEST_WAIT_CYCLES, Deadlock, SimLoop
from tests.runtime.clocks import FakeClock


class Counter:
    """A plant that does nothing; `wake_at` are cycles after which a block ends early and a callback is called."""

    def __init__(self, *wake_at: int) -> None:
        self.cycle, self.wake_at, self.blocks = 0, list(wake_at), []
        self.on_wake = lambda: None

    def advance(self, cycles: int) -> int:
        """As the engine does."""
        end = self.cycle + cycles
        stop = self.wake_at[0] if self.wake_at and self.wake_at[0] <= end else end
        done, self.cycle = stop - self.cycle, stop
        self.blocks.append(done)
        if self.wake_at and stop == self.wake_at[0]:
            self.wake_at.pop(0)
            self.on_wake()
        return done


def new(counter: Counter | None = None, **kw) -> SimLoop:
    return SimLoop(counter or Counter(), **kw)


def finish(loop: SimLoop, coro):
    try:
        return loop.run_until_complete(coro)
    finally:
        loop.close()


@pytest.mark.parametrize("speed", [None, 1.0, 50.0])
def test_a_timer_due_at_a_cycle_fires_after_that_cycle(speed) -> None:
    counter = Counter()
    loop = new(counter, speed=speed, clock=FakeClock())

    async def main() -> list[int]:
        seen = []
        for delay in (0.01, 0.02, 0.1, 1.0):
            await asyncio.sleep(delay)
            seen.append(counter.cycle)
        return seen

    assert finish(loop, main()) == [1, 3, 13, 113]


def test_a_timer_between_two_cycles_fires_between_them_and_time_never_runs_back() -> None:
    counter = Counter()
    loop = new(counter)

    async def main() -> list[tuple[int, float]]:
        seen = []
        for _ in range(4):
            await asyncio.sleep(0.004)
            seen.append((counter.cycle, round(loop.time(), 9)))
        return seen

    assert finish(loop, main()) == [(0, 0.004), (0, 0.008), (1, 0.012), (1, 0.016)]


def test_equal_deadlines_fire_in_order_of_creation() -> None:
    loop, order = new(), []

    async def main() -> None:
        when = loop.time() + 0.5
        for i in range(200):
            loop.call_at(when, order.append, i)
        await asyncio.sleep(0.5)
        await asyncio.sleep(0)

    finish(loop, main())
    assert order == list(range(200))


def test_tasks_and_futures_hash_by_number_so_sets_of_them_iterate_the_same_in_every_run() -> None:
    def run_once() -> list[int]:
        loop = new()

        async def main() -> list[int]:
            tasks = [loop.create_task(asyncio.sleep(0.01)) for _ in range(50)]
            numbers = [hash(t) for t in {*tasks}]
            await asyncio.wait(tasks)
            return numbers

        return finish(loop, main())

    assert run_once() == run_once() and len(run_once()) == 50


def test_what_wakes_inside_of_a_block_is_heard_at_that_cycle() -> None:
    counter = Counter(37)
    loop = new(counter)

    async def main() -> int:
        future = loop.create_future()
        counter.on_wake = lambda: future.set_result(counter.cycle)
        async with asyncio.timeout(10.0):
            return await future

    assert finish(loop, main()) == 37
    assert counter.cycle == 37


def test_a_wait_that_nothing_can_end_raises() -> None:
    loop = new()

    async def main() -> None:
        await loop.create_future()

    with pytest.raises(Deadlock, match="cannot come"):
        finish(loop, main())
    assert LONGEST_WAIT_CYCLES == 24 * 3600 * 100


def test_a_wait_that_ends_late_is_no_deadlock() -> None:
    loop = new()
    finish(loop, asyncio.sleep(1000.0))
    assert loop.cycle == 100_000


@pytest.mark.parametrize("speed", [None, 1.0])
def test_a_pause_stops_at_its_cycle_with_what_is_due_there_done(speed) -> None:
    counter, fired = Counter(), []
    loop = new(counter, speed=speed, clock=FakeClock())
    for k in (5, 10, 11):
        loop.call_at(k * 0.01, fired.append, k)
    loop.run_cycles(10)
    assert (counter.cycle, fired) == (10, [5, 10])
    loop.run_cycles(1)
    assert (counter.cycle, fired) == (11, [5, 10, 11])
    loop.close()


def test_pausing_changes_nothing_of_what_happens() -> None:
    def events(pauses: list[int]) -> list[tuple[int, str]]:
        counter = Counter(13, 40)
        loop, seen = new(counter), []

        async def walker(name: str, every: float) -> None:
            for _ in range(12):
                await asyncio.sleep(every)
                seen.append((counter.cycle, name))

        async def both() -> None:
            await asyncio.gather(walker("a", 0.03), walker("b", 0.015), walker("c", 0.03))

        task = loop.create_task(both())
        for n in pauses:
            loop.run_cycles(n)
        loop.run_until_complete(task)
        loop.close()
        return seen

    assert events([]) == events([1] * 30) == events([7, 7, 1, 20])


def test_overruns_are_heard_before_the_next_cycle() -> None:
    clock, heard = FakeClock(), []
    counter = Counter()
    loop = new(counter, speed=1.0, clock=clock, on_overrun=lambda streak: heard.append((counter.cycle, streak)))

    async def main() -> None:
        for k in range(1, 11):
            await asyncio.sleep(0.01)
            if 3 <= k <= 6:
                clock.work(0.012)

    finish(loop, main())
    assert heard == [(3, 1), (4, 2), (5, 3), (6, 4), (7, 0)]
    assert loop.pace.overruns == 4


@pytest.mark.parametrize("speed", [None, 1.0])
def test_real_descriptors_are_heard_while_machine_time_passes(speed) -> None:
    counter = Counter()
    loop = new(counter, speed=speed, clock=FakeClock())
    out, into = os.pipe()

    async def main() -> bytes:
        future = loop.create_future()
        loop.add_reader(out, lambda: future.set_result(os.read(out, 10)))
        os.write(into, b"hello")
        async with asyncio.timeout(5.0):
            return await future

    try:
        assert finish(loop, main()) == b"hello"
    finally:
        os.close(out)
        os.close(into)
    assert counter.cycle < 500


@pytest.mark.parametrize("speed", [None, 1.0])
def test_a_peer_who_never_stops_talking_does_not_stop_time(speed) -> None:
    counter, heard, clock = Counter(), [], FakeClock()
    loop = new(counter, speed=speed, clock=clock)
    out, into = os.pipe()
    os.write(into, b"and another thing")

    def listen() -> None:  # leaves the bytes where they are: ready for ever
        heard.append(counter.cycle)
        clock.work(0.0011)

    loop.add_reader(out, listen)
    try:
        finish(loop, asyncio.sleep(0.05))
    finally:
        os.close(out)
        os.close(into)
    assert counter.cycle == 5 and heard
    assert loop.pace.overruns == 0


def test_with_the_alarm_of_the_kernel_cycles_timers_and_bytes_are_those_of_a_clock_of_ones_own() -> None:
    counter = Counter(37)
    loop = new(counter, speed=100.0)
    out, into = os.pipe()

    async def main() -> tuple[list[int], bytes]:
        seen, future = [], loop.create_future()
        loop.add_reader(out, lambda: future.set_result(os.read(out, 10)) if not future.done() else None)
        for delay in (0.01, 0.02, 0.1, 1.0):
            await asyncio.sleep(delay)
            seen.append(counter.cycle)
        os.write(into, b"hello")
        async with asyncio.timeout(5.0):
            return seen, await future

    try:
        assert finish(loop, main()) == ([1, 3, 13, 113], b"hello")
    finally:
        os.close(out)
        os.close(into)


def test_no_thread_is_started_for_an_executor() -> None:
    loop = new()

    async def main() -> int:
        return await loop.run_in_executor(None, lambda: 7)

    assert finish(loop, main()) == 7


@pytest.mark.parametrize("speed", [None, 1.0])
def test_observers_look_after_every_so_many_cycles_and_block_nobody(speed) -> None:
    counter, seen = Counter(), []
    loop = new(counter, speed=speed, clock=FakeClock())
    loop.observe(10, lambda: seen.append(("ten", counter.cycle)))
    loop.observe(25, lambda: seen.append(("twenty-five", counter.cycle)))
    finish(loop, asyncio.sleep(0.5))
    assert seen == [("ten", 10), ("ten", 20), ("twenty-five", 25), ("ten", 30), ("ten", 40), ("ten", 50), ("twenty-five", 50)]


@pytest.mark.parametrize("speed", [None, 1.0])
def test_what_an_observer_sets_off_happens_in_time(speed) -> None:
    counter, fired = Counter(), []
    loop = new(counter, speed=speed, clock=FakeClock())
    loop.observe(10, lambda: loop.call_later(0.03, lambda: fired.append(counter.cycle)))
    finish(loop, asyncio.sleep(0.25))
    assert fired == [13, 23]


def test_a_wait_that_nothing_can_end_raises_although_somebody_looks() -> None:
    loop = new()
    loop.observe(1_000_000, lambda: None)

    async def main() -> None:
        await loop.create_future()

    with pytest.raises(Deadlock, match="cannot come"):
        finish(loop, main())
