"""Waiting for a moment and for descriptors at once, with the alarm and without."""

import os
import selectors
import time

import pytest

from linac_ctl.runtime.waiter import Waiter
from tests.runtime.clocks import FakeClock

MS = 1_000_000
FAR_NS = 3600 * 1000 * MS


class Naps:
    """The computer's clock, but one that comes without an alarm, as on systems that have none."""

    monotonic_ns = staticmethod(time.monotonic_ns)
    sleep = staticmethod(time.sleep)


@pytest.fixture(params=["alarm", "naps"])
def waiter(request):
    it = Waiter() if request.param == "alarm" else Waiter(Naps())
    yield it
    it.close()


@pytest.fixture
def pipe(waiter):
    out, into = os.pipe()
    waiter.register(out, selectors.EVENT_READ, "somebody's")
    waiter.watches = True
    yield out, into
    os.close(out)
    os.close(into)


def test_no_moment_is_met_early(waiter) -> None:
    for _ in range(10):
        due_ns = time.monotonic_ns() + 2 * MS
        assert waiter.until(due_ns) == []
        assert time.monotonic_ns() >= due_ns


def test_bytes_end_the_wait_and_the_moment_is_still_to_come(waiter, pipe) -> None:
    os.write(pipe[1], b"x")
    due_ns = time.monotonic_ns() + FAR_NS
    assert [key.fd for key, _ in waiter.until(due_ns)] == [pipe[0]]
    os.read(pipe[0], 1)
    assert waiter.until(time.monotonic_ns() + MS) == []


def test_a_moment_that_is_past_is_not_waited_for_although_bytes_are_there(waiter, pipe) -> None:
    os.write(pipe[1], b"x")
    assert waiter.until(time.monotonic_ns() - 1) == []


def test_the_alarm_itself_is_never_reported(waiter, pipe) -> None:
    assert waiter.until(time.monotonic_ns() + MS) == []
    assert waiter.look() == [] and waiter.look(0.001) == []


def test_what_woke_us_is_said() -> None:
    waiter, fake = Waiter(), Waiter(FakeClock())
    waiter.until(1)
    assert waiter.kind in ("timerfd", "sleep") and fake.kind == "sleep"
    waiter.close()
    fake.close()


def test_a_clock_of_a_tests_own_is_slept_on_and_never_waited_for() -> None:
    clock = FakeClock()
    waiter = Waiter(clock)
    assert waiter.until(clock.now_ns + FAR_NS) == []
    assert clock.slept == 1 and waiter.alarm is None
    waiter.close()
