"""The kernel's timer as a descriptor: never early, absolute, set anew at any time. Skipped where there is none."""

import select
import time

import pytest

from linac_ctl.runtime.alarm import LibcAlarm, OsAlarm, new_alarm

LONG_S = 30.0  # a limit, not an expectation
MS = 1_000_000


@pytest.fixture(params=[OsAlarm, LibcAlarm])
def alarm(request):
    try:
        it = request.param()
    except (AttributeError, OSError):
        pytest.skip(f"{request.param.__name__}: not on this system or in this Python")
    yield it
    it.close()


def rings(alarm, timeout_s: float) -> bool:
    return bool(select.select([alarm], [], [], timeout_s)[0])


def test_it_rings_and_never_before_its_time(alarm) -> None:
    for _ in range(20):
        due_ns = time.monotonic_ns() + 2 * MS
        alarm.set(due_ns)
        assert rings(alarm, LONG_S)
        assert time.monotonic_ns() >= due_ns


@pytest.mark.parametrize("past_ns", [0, -5, 1])
def test_a_moment_that_is_past_rings_at_once(alarm, past_ns) -> None:
    alarm.set(past_ns)
    assert rings(alarm, LONG_S)


def test_it_goes_on_ringing_until_it_is_set_again(alarm) -> None:
    alarm.set(1)
    assert rings(alarm, LONG_S) and rings(alarm, LONG_S)
    alarm.set(time.monotonic_ns() + 3_600_000 * MS)
    assert not rings(alarm, 0.0)


def test_closing_twice_closes_nobody_elses_descriptor(alarm, tmp_path) -> None:
    number = alarm.fileno()
    alarm.close()
    with (tmp_path / "file").open("w") as other:
        assert other.fileno() == number
        alarm.close()
        other.write("still open")


def test_there_is_an_alarm_on_linux() -> None:
    if not hasattr(select, "epoll"):
        pytest.skip("no Linux")
    it = new_alarm()
    assert it is not None
    it.close()
