"""What the second channel says of itself, as signals."""

import math

import pytest

from device_models.interface.image import ALL_TESTED, SafetyOpen
from linac_ctl.control.measure_channel import bits, measure_safety
from linac_ctl.control.signals import Signal
from tests.control.bare import Bare

NAN = float("nan")
OPENED = (Signal.OPEN_DOSE, Signal.OPEN_TIMER, Signal.OPEN_HEARTBEAT, Signal.OPEN_DOOR, Signal.OPEN_ESTOP, Signal.OPEN_LIMITS)


def heard(bare: Bare | None = None, **safety: float) -> Bare:
    """After one cycle in which the channel said this."""
    it = (bare or Bare()).set("safety", **safety)
    measure_safety(it.job, it.signals, it.safety)
    return it


@pytest.mark.parametrize(("word", "n"), [(0, 0), (1, 1), (2, 1), (32, 1), (5, 2), (48, 2), (63, 6), (64, 0), (127, 6)])
def test_the_bits_of_six_checks_are_counted(word: int, n: int) -> None:
    assert bits(word) == n


@pytest.mark.parametrize(("says", "permit"), [(1.0, 1.0), (0.0, 0.0), (0.5, 0.0), (2.0, 0.0)])
def test_the_channels_permit_is_one_or_none(says: float, permit: float) -> None:
    assert heard(permit=says).signal(Signal.CHANNEL_PERMIT) == permit


def test_a_permit_that_is_no_number_is_unknown() -> None:
    assert math.isnan(heard(permit=NAN).signal(Signal.CHANNEL_PERMIT))


@pytest.mark.parametrize(("permit", "opened", "testing", "welded"), [
    (1.0, 0, 0.0, 0.0), (0.0, 0, 0.0, 0.0), (0.0, 32, 0.0, 0.0), (0.0, 32, 1.0, 0.0),
    (1.0, 1, 0.0, 1.0), (1.0, 32, 0.0, 1.0), (1.0, 0, 1.0, 1.0), (1.0, 2, 1.0, 1.0), (1.0, 0, 0.5, 0.0), (1.0, 0, 0.51, 1.0),
    (0.25, 1, 0.0, 1.0), (NAN, 1, 0.0, 1.0),
])
def test_a_permit_beside_an_open_chain_or_a_test_is_welded(permit: float, opened: int, testing: float, welded: float) -> None:
    assert heard(permit=permit, open=opened, testing=testing).signal(Signal.PERMIT_WELDED) == welded


@pytest.mark.parametrize("says", [0.0, 0.5, 2.0, NAN])
def test_every_cycle_in_which_we_permit_and_the_channel_does_not_is_counted(says: float) -> None:
    bare = Bare().set("job", permit=1)
    bare.signals[Signal.CHANNEL_REFUSED] = 3.0
    assert heard(bare, permit=says).signal(Signal.CHANNEL_REFUSED) == 4.0
    assert heard(bare, permit=says).signal(Signal.CHANNEL_REFUSED) == 5.0


@pytest.mark.parametrize(("ours", "theirs"), [(1, 1.0), (0, 0.0), (0, 1.0), (0, NAN)])
def test_no_refusal_where_both_permit_or_we_do_not(ours: int, theirs: float) -> None:
    bare = Bare().set("job", permit=ours)
    bare.signals[Signal.CHANNEL_REFUSED] = 3.0
    assert heard(bare, permit=theirs).signal(Signal.CHANNEL_REFUSED) == 0.0


@pytest.mark.parametrize("bit", list(SafetyOpen))
def test_each_bit_of_the_open_chain_has_its_signal(bit: SafetyOpen) -> None:
    alone, others = heard(open=int(bit)), heard(open=ALL_TESTED & ~int(bit))
    for other, signal in zip(SafetyOpen, OPENED, strict=True):
        assert alone.signal(signal) == (1.0 if other is bit else 0.0)
        assert others.signal(signal) == (0.0 if other is bit else 1.0)


@pytest.mark.parametrize(("testing", "seen"), [(0.0, 1.0), (0.5, 1.0), (NAN, 1.0), (0.51, 0.0), (1.0, 0.0)])
def test_what_a_self_test_opens_is_not_news(testing: float, seen: float) -> None:
    bare = heard(open=ALL_TESTED, testing=testing)
    assert {bare.signal(signal) for signal in OPENED} == {seen}


@pytest.mark.parametrize(("preset_mu", "limit_s", "off"), [
    (100.0, 60.0, 0.0), (100.25, 60.0, 0.25), (99.5, 60.0, 0.5), (100.0, 61.0, 1.0), (100.0, 57.0, 3.0), (102.0, 61.0, 2.0),
    (98.0, 57.0, 3.0),
])
def test_limits_in_force_are_compared_with_those_sent_and_the_worse_counts(preset_mu: float, limit_s: float, off: float) -> None:
    bare = Bare().set("job", preset_mu=100.0, time_limit_s=60.0)
    assert heard(bare, preset_echo_mu=preset_mu, time_limit_echo_s=limit_s).signal(Signal.ECHO_OFF) == off


@pytest.mark.parametrize("echo", [{"preset_echo_mu": NAN}, {"time_limit_echo_s": NAN}])
def test_an_echo_that_is_no_number_agrees_with_nothing(echo: dict[str, float]) -> None:
    assert math.isnan(heard(**echo).signal(Signal.ECHO_OFF))


@pytest.mark.parametrize(("theirs_s", "apart_s"), [(12.0, 0.0), (12.5, 0.5), (11.0, 1.0)])
def test_the_two_timers_are_compared(theirs_s: float, apart_s: float) -> None:
    assert heard(Bare().set("job", beam_s=12.0), beam_s=theirs_s).signal(Signal.TIMER_SPLIT_S) == apart_s


@pytest.mark.parametrize(("theirs_s", "slow_s"), [(12.5, 0.0), (12.75, 0.25), (12.0, 0.5), (11.5, 1.0)])
def test_under_a_permit_the_timers_have_to_go_alike_whatever_they_were_apart_before(theirs_s: float, slow_s: float) -> None:
    bare = heard(Bare().set("job", beam_s=12.0, timer_ahead_s=0.5, permit=1), beam_s=theirs_s)
    assert bare.signal(Signal.TIMER_SLOW_S) == slow_s
    assert bare.job["timer_ahead_s"] == 0.5


@pytest.mark.parametrize("theirs_s", [14.0, 11.0])
def test_without_permit_the_distance_of_the_timers_is_taken_anew(theirs_s: float) -> None:
    bare = heard(Bare().set("job", beam_s=12.0, timer_ahead_s=0.5), beam_s=theirs_s)
    assert bare.signal(Signal.TIMER_SLOW_S) == 0.0 and bare.job["timer_ahead_s"] == theirs_s - 12.0


@pytest.mark.parametrize("permit", [0, 1])
def test_a_timer_that_is_no_number_agrees_with_nothing(permit: int) -> None:
    bare = heard(Bare().set("job", permit=permit), beam_s=NAN)
    assert math.isnan(bare.signal(Signal.TIMER_SLOW_S)) and math.isnan(bare.signal(Signal.TIMER_SPLIT_S))


def test_beam_time_over_what_the_field_may_have() -> None:
    assert heard(Bare().set("job", flowing_s=9.0, longest_s=10.5)).signal(Signal.BEAM_TIME_OVER_S) == -1.5
    assert heard(Bare().set("job", flowing_s=11.0, longest_s=10.5)).signal(Signal.BEAM_TIME_OVER_S) == 0.5


@pytest.mark.parametrize(("passed", "missing", "of_dose"), [
    (0, 6, 2), (63, 0, 0), (62, 1, 1), (61, 1, 1), (59, 1, 0), (55, 1, 0), (47, 1, 0), (31, 1, 0), (60, 2, 2), (3, 4, 0),
])
def test_checks_that_have_not_passed_are_missing(passed: int, missing: int, of_dose: int) -> None:
    bare = heard(passed=passed)
    assert bare.signal(Signal.SELFTEST_MISSING) == missing and bare.signal(Signal.SELFTEST_DOSE_MISSING) == of_dose
