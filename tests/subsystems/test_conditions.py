"""Awaited conditions: the cycle tests, the engine resolves, every wait ends."""

import asyncio
from collections.abc import Iterator

import pytest

from linac_ctl.control.signals import Signal
from linac_ctl.errors import DeviceError
from tests.subsystems.suite import Suite

CLEARANCE = Signal.CLEARANCE_MM


@pytest.fixture
def suite() -> Iterator[Suite]:
    it = Suite()
    yield it
    it.close()


def clearance(suite: Suite, value: float) -> None:
    suite.rig.spoil("room", "clearance_mm", value)


def test_a_wait_ends_in_the_cycle_in_which_its_condition_has_held_long_enough(suite: Suite) -> None:
    suite.at(100, lambda: clearance(suite, 90.0))
    begin = suite.cycle
    suite.run(suite.linac.conditions.until(CLEARANCE, "<=", 90.0, settle_s=0.05))
    assert suite.cycle - begin == 104  # the hundredth cycle is the first of five


def test_a_condition_the_other_way_round(suite: Suite) -> None:
    suite.at(10, lambda: clearance(suite, 600.0))
    begin = suite.cycle
    suite.run(suite.linac.conditions.until(CLEARANCE, ">=", 600.0))
    assert suite.cycle - begin == 10


def test_a_condition_that_does_not_come_times_out_in_machine_time(suite: Suite) -> None:
    with pytest.raises(TimeoutError):
        suite.run(suite.linac.conditions.until(CLEARANCE, "<=", 90.0, timeout_s=2.0))
    assert suite.loop.time() == pytest.approx(2.0, abs=0.02)
    assert suite.linac.conditions.waiting == {} and not suite.rig.control.watches["armed"].any()


def test_no_number_is_no_condition(suite: Suite) -> None:
    clearance(suite, float("nan"))
    for sense in ("<=", ">="):
        with pytest.raises(TimeoutError):
            suite.run(suite.linac.conditions.until(CLEARANCE, sense, 90.0, timeout_s=0.5))


def test_several_waits_have_rows_of_their_own(suite: Suite) -> None:
    done: list[str] = []

    async def wait(name: str, limit: float) -> None:
        await suite.linac.conditions.until(CLEARANCE, "<=", limit)
        done.append(name)

    async def both() -> None:
        await asyncio.gather(wait("deep", 30.0), wait("shallow", 300.0))

    suite.at(10, lambda: clearance(suite, 299.0))
    suite.at(20, lambda: clearance(suite, 29.0))
    suite.run(both())
    assert done == ["shallow", "deep"] and not suite.rig.control.watches["armed"].any()


def test_a_cancelled_wait_gives_its_row_back(suite: Suite) -> None:
    async def cancelled() -> None:
        tasks = [asyncio.ensure_future(suite.linac.conditions.until(CLEARANCE, "<=", 1.0)) for _ in range(16)]
        await asyncio.sleep(0.1)
        with pytest.raises(RuntimeError, match="watch table: all 16 rows are in use"):
            await suite.linac.conditions.until(CLEARANCE, "<=", 1.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert suite.linac.conditions.waiting == {}

    suite.run(cancelled())
    suite.at(5, lambda: clearance(suite, 0.5))
    suite.run(suite.linac.conditions.until(CLEARANCE, "<=", 1.0))


def test_a_failure_reaches_everybody_who_waits(suite: Suite) -> None:
    seen: list[str] = []

    async def wait() -> None:
        try:
            await suite.linac.conditions.until(CLEARANCE, "<=", 1.0)
        except DeviceError as error:
            seen.append(str(error))

    async def all_of_them() -> None:
        tasks = [asyncio.ensure_future(wait()) for _ in range(3)]
        await asyncio.sleep(0.05)
        suite.linac.conditions.fail(DeviceError("no"))
        await asyncio.gather(*tasks)

    suite.run(all_of_them())
    assert seen == ["no"] * 3


def test_a_failure_beats_a_condition_of_the_same_cycle_and_not_one_that_was_resolved(suite: Suite) -> None:
    async def failed_first() -> None:
        task = asyncio.ensure_future(suite.linac.conditions.until(CLEARANCE, "<=", 1e9))
        await asyncio.sleep(0)
        suite.rig.control.watches["good_cycles"][0] = 5
        suite.linac.conditions.fail(DeviceError("no"))
        suite.linac.conditions.resolve()
        with pytest.raises(DeviceError):
            await task

    async def resolved_first() -> None:
        task = asyncio.ensure_future(suite.linac.conditions.until(CLEARANCE, "<=", 1e9))
        await asyncio.sleep(0)
        suite.rig.control.watches["good_cycles"][0] = 5
        suite.linac.conditions.resolve()
        suite.linac.conditions.fail(DeviceError("no"))
        await task

    suite.run(failed_first())
    suite.run(resolved_first())
