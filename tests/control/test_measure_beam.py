"""Doses, rates, pulses and quality of the beam, as signals."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linac_ctl.control.measure_beam import forget_bad_means, measure_dose, measure_quality, measure_rates
from linac_ctl.control.phases import Phase
from linac_ctl.control.signals import Signal
from linac_ctl.control.state import LIVE
from tests.control.bare import Bare

NAN, INF = float("nan"), float("inf")


def same(value: float, expected: float) -> bool:
    """Nearly equal, or both no number."""
    return bool(value == pytest.approx(expected, nan_ok=True))


# --- doses

def counted(mu_1: float, mu_2: float, backup_mu: float | None = None, **job: Any) -> Bare:
    """Counters of this cycle, in a field that ends at 50 MU, of a machine with at most 10 MU/s; they may differ by 1 MU or 5 %."""
    bare = Bare().set("param", split_floor_mu=1.0, split_ratio=0.05)
    bare.set("job", **{"mu_end": 50.0, "last_mu_1": mu_1, "last_mu_2": mu_2, "max_rate_mu_per_s": 10.0, **job})
    bare.set("beam", mu_1=mu_1, mu_2=mu_2)
    backup = float(bare.job["mu_offset"]) + mu_1 if backup_mu is None else backup_mu
    measure_dose(bare.job, bare.signals, bare.param, bare.beam, backup)
    return bare


def test_the_dose_of_a_field_is_what_was_given_before_and_what_the_counters_say() -> None:
    bare = counted(7.0, 7.5, mu_offset=3.0)
    assert [bare.signal(s) for s in (Signal.MU_1, Signal.MU_2, Signal.MU_LEFT, Signal.MU_OVER)] == [10.0, 10.5, 40.0, -40.0]


@pytest.mark.parametrize(("mu_1", "left"), [(49.5, 0.5), (50.0, 0.0), (50.5, -0.5), (NAN, NAN)])
def test_what_is_left_of_a_field_ends_at_its_end(mu_1: float, left: float) -> None:
    bare = counted(mu_1, 50.0)
    assert same(bare.signal(Signal.MU_LEFT), left) and same(bare.signal(Signal.MU_OVER), -left)


@pytest.mark.parametrize(("mu_1", "mu_2", "backup_mu", "split"), [
    (10.0, 10.0, 10.0, 0.0), (10.0, 10.5, 10.0, 0.5), (10.0, 9.25, 10.0, 0.75), (10.0, 10.0, 11.0, 1.0), (10.0, 10.0, 8.0, 2.0),
    (10.0, 10.5, 9.75, 0.5), (10.0, 10.25, 9.5, 0.5),
    (20.0, 19.0, 20.0, 1.0), (40.0, 39.0, 40.0, 0.5), (100.0, 110.0, 100.0, 2.0),  # 5 % is more than 1 MU from 20 MU on
    (NAN, 10.0, 10.0, NAN), (10.0, NAN, 10.0, NAN), (10.0, 10.0, NAN, NAN),
])
def test_three_chambers_may_differ_by_a_floor_or_by_a_share_of_the_dose(mu_1: float, mu_2: float, backup_mu: float,
                                                                        split: float) -> None:
    assert same(counted(mu_1, mu_2, backup_mu).signal(Signal.MU_SPLIT), split)


@pytest.mark.parametrize(("backup_mu", "split"), [(13.0, 0.0), (13.5, 0.5), (10.0, 3.0)])
def test_the_second_channel_counts_what_was_given_before_too(backup_mu: float, split: float) -> None:
    assert counted(10.0, 10.0, backup_mu, mu_offset=3.0).signal(Signal.MU_SPLIT) == split


@pytest.mark.parametrize(("before", "now", "fall"), [
    ((5.0, 5.0), (5.0, 5.0), 0.0), ((5.0, 5.0), (4.5, 5.0), 0.5), ((5.0, 5.0), (5.5, 4.75), 0.25), ((5.0, 5.0), (6.0, 7.0), -1.0),
    ((5.0, 5.0), (7.0, 6.0), -1.0), ((5.0, 5.0), (NAN, 6.0), NAN), ((5.0, 5.0), (6.0, NAN), NAN),
])
def test_the_fall_of_either_counter_is_seen(before: tuple[float, float], now: tuple[float, float], fall: float) -> None:
    bare = counted(*now, last_mu_1=before[0], last_mu_2=before[1])
    assert same(bare.signal(Signal.MU_BACKWARDS), fall)
    assert same(bare.job["last_mu_1"], now[0]) and same(bare.job["last_mu_2"], now[1])


@pytest.mark.parametrize(("mu_1", "mu_2", "means", "plaus"), [
    (5.0, 5.0, (0.0, 0.0), 0.0), (5.1, 5.0, (0.1, 0.0), 0.01), (5.0, 5.2, (0.0, 0.2), 0.02), (5.2, 5.1, (0.2, 0.1), 0.02),
    (4.9, 5.0, (-0.1, 0.0), 0.01), (NAN, 5.0, (NAN, 0.0), NAN), (5.0, NAN, (0.0, NAN), NAN),
])
def test_either_counter_is_held_against_the_pulses_over_a_second(mu_1: float, mu_2: float, means: tuple[float, float],
                                                                 plaus: float) -> None:
    """0.1 MU in a cycle are 10 MU/s; a hundredth of that goes into the mean; a machine with 10 MU/s at most."""
    bare = counted(mu_1, mu_2, last_mu_1=5.0, last_mu_2=5.0, phase=int(Phase.BEAM))
    assert same(bare.job["mu_rate_mean"][0], means[0]) and same(bare.job["mu_rate_mean"][1], means[1])
    assert same(bare.signal(Signal.RATE_PLAUS), plaus)


@pytest.mark.parametrize(("of_pulses", "means", "plaus"), [
    (5.0, (5.0, 5.0), 0.005), (6.0, (5.0, 5.0), 0.105), (5.0, (3.0, 5.0), 0.203), (5.0, (5.0, 8.0), 0.292), (NAN, (5.0, 5.0), NAN),
])
def test_the_mean_of_the_pulses_is_held_against_the_worse_of_both_counters(of_pulses: float, means: tuple[float, float],
                                                                           plaus: float) -> None:
    bare = counted(5.0, 5.0, pulse_rate_mean=of_pulses, mu_rate_mean=means, phase=int(Phase.BEAM))
    assert same(bare.signal(Signal.RATE_PLAUS), plaus)  # the means have fallen by a hundredth: nothing was counted in this cycle


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.READY, Phase.MOVE, Phase.STOPPED])
def test_between_fields_counters_may_be_cleared(phase: Phase) -> None:
    bare = counted(0.0, 0.0, last_mu_1=40.0, last_mu_2=41.0, phase=int(phase))
    assert bare.signal(Signal.RATE_PLAUS) == 0.0


def test_without_a_rate_that_could_be_allowed_every_difference_is_large() -> None:
    assert counted(5.0, 5.0, pulse_rate_mean=0.5, max_rate_mu_per_s=0.0).signal(Signal.RATE_PLAUS) == pytest.approx(5e8)


# --- means

def test_a_mean_that_swallowed_no_number_starts_again_and_the_others_go_on() -> None:
    names = [("pulse_rate_mean", None), *[(name, i) for name in ("symmetry_mean", "mu_rate_mean") for i in range(2)]]
    for spoilt in names:
        bare = Bare().set("job", pulse_rate_mean=3.0, symmetry_mean=3.0, mu_rate_mean=3.0)
        where = bare.control.job[spoilt[0]]
        where[0 if spoilt[1] is None else (0, spoilt[1])] = NAN
        forget_bad_means(bare.job)
        for name, i in names:
            found = bare.control.job[name][0 if i is None else (0, i)]
            assert found == (0.0 if (name, i) == spoilt else 3.0)


# --- rates and pulses

def pulsed(pulses: int = 0, missed: int = 0, *, size_mu: float = 0.0, rate: float = 0.0, heard: int = 0,
           **job: Any) -> Bare:
    """So many pulses in this cycle: of 0.02 MU, at 8 MU/s of at most 10, in the beam, flowing for long."""
    bare = Bare().set("job", **{"phase": int(Phase.BEAM), "permit": 1, "pulse_mu": 0.02, "max_rate_mu_per_s": 10.0,
                                "rate_mu_per_s": 8.0, "rate_mean_mu_per_s": 8.0, "flowing": 100, "last_pulses": 500,
                                "last_missed": 20, "high_cycles": 200, "cycle": 1, **job})
    bare.set("beam", heard_cycle=heard, pulses=500 + pulses, missed_pulses=20 + missed, pulse_mu=size_mu, rate_1_mu_per_s=rate)
    measure_rates(bare.job, bare.signals, bare.beam)
    return bare


def test_counters_of_pulses_are_remembered() -> None:
    bare = pulsed(5, 2)
    assert (bare.job["last_pulses"], bare.job["last_missed"]) == (505, 22)


@pytest.mark.parametrize(("before", "asked", "permit", "after"), [(8.0, 8.0, 1, 8.0), (8.0, 9.0, 1, 8.1), (8.0, 9.0, 0, 7.2),
                                                                 (0.0, 5.0, 1, 0.5)])
def test_the_rate_asked_for_is_a_mean_over_a_tenth_of_a_second(before: float, asked: float, permit: int, after: float) -> None:
    bare = pulsed(rate_mean_mu_per_s=before, rate_mu_per_s=asked, permit=permit)
    assert bare.job["rate_mean_mu_per_s"] == pytest.approx(after)


@pytest.mark.parametrize(("pulses", "missed", "phase", "before", "after"), [
    (5, 0, Phase.BEAM, 0.0, 0.1),  # 5 pulses of 0.02 MU in 10 ms are 10 MU/s; a hundredth of it
    (5, 2, Phase.BEAM, 0.0, 0.06), (0, 0, Phase.BEAM, 4.0, 3.96), (5, 0, Phase.BEAM, 4.0, 4.06), (5, 0, Phase.READY, 4.0, 3.96),
])
def test_the_dose_of_the_pulses_that_gave_some_is_a_mean_over_a_second(pulses: int, missed: int, phase: Phase, before: float,
                                                                       after: float) -> None:
    bare = pulsed(pulses, missed, phase=int(phase), pulse_rate_mean=before)
    assert bare.job["pulse_rate_mean"] == pytest.approx(after)


@pytest.mark.parametrize(("missed", "before", "after"), [(0, 0.0, 0.0), (3, 0.0, 3.0), (0, 4.0, 3.96), (2, 4.0, 5.96)])
def test_arcs_of_about_the_last_second_are_counted(missed: int, before: float, after: float) -> None:
    bare = pulsed(5, missed, missed_mean=before)
    assert bare.signal(Signal.MISSED_PULSES) == pytest.approx(after) and bare.job["missed_mean"] == pytest.approx(after)


@pytest.mark.parametrize(("rate", "ratio"), [(0.0, 0.0), (10.0, 1.0), (12.0, 1.2), (-12.0, 1.2), (NAN, NAN), (-INF, INF)])
def test_the_rate_is_a_share_of_the_highest(rate: float, ratio: float) -> None:
    assert same(pulsed(rate=rate).signal(Signal.RATE_RATIO), ratio)


@pytest.mark.parametrize(("size_mu", "ratio"), [(0.0, 0.0), (0.02, 1.0), (0.03, 1.5), (-0.03, 1.5), (NAN, NAN)])
def test_the_largest_pulse_is_a_share_of_a_nominal_one(size_mu: float, ratio: float) -> None:
    assert same(pulsed(5, size_mu=size_mu).signal(Signal.PULSE_RATIO), ratio)


def test_where_no_rate_and_no_pulse_is_known_any_is_too_much() -> None:
    bare = pulsed(1, size_mu=0.02, rate=0.5, pulse_mu=0.0, max_rate_mu_per_s=0.0)
    assert bare.signal(Signal.RATE_RATIO) == pytest.approx(5e8) and bare.signal(Signal.PULSE_RATIO) == pytest.approx(2e7)


@pytest.mark.parametrize(("pulses", "missed", "size_mu", "short"), [
    (3, 0, 0.02, 0.0), (3, 0, 0.015, 0.25), (3, 2, 0.015, 0.25), (3, 0, 0.025, -0.25), (3, 0, NAN, NAN),
    (0, 0, 0.0, 0.0), (2, 2, 0.0, 0.0), (2, 3, 0.0, 0.0), (0, 0, NAN, NAN),
])
def test_pulses_that_are_too_small_are_seen_where_there_are_any(pulses: int, missed: int, size_mu: float, short: float) -> None:
    assert same(pulsed(pulses, missed, size_mu=size_mu).signal(Signal.PULSE_SHORT), short)


@pytest.mark.parametrize(("rate", "flowing", "asked", "short"), [
    (8.0, 100, 8.0, 0.0), (6.0, 100, 8.0, 0.25), (10.0, 100, 8.0, -0.25), (NAN, 100, 8.0, NAN), (NAN, 0, 8.0, NAN),
    (6.0, 31, 8.0, 0.25), (6.0, 30, 8.0, 0.0),  # not steady yet
    (0.1, 100, 0.201, 1 - 0.1 / 0.201), (0.1, 100, 0.2, 0.0), (0.1, 100, 0.199, 0.0),  # hardly anything is asked for
])
def test_a_rate_that_is_too_low_is_seen_once_the_beam_is_steady(rate: float, flowing: int, asked: float, short: float) -> None:
    bare = pulsed(rate=rate, flowing=flowing, rate_mu_per_s=asked, rate_mean_mu_per_s=asked)
    assert same(bare.signal(Signal.RATE_SHORT), short)


def test_a_rate_that_nobody_asked_for_is_not_short_of_anything() -> None:
    assert pulsed(rate=0.0, rate_mu_per_s=0.0, rate_mean_mu_per_s=0.0).signal(Signal.RATE_SHORT) == 0.0


@pytest.mark.parametrize(("flowing", "pulses", "permit", "at_permit", "after"), [
    (0, 0, 1, 400, 0), (0, 1, 1, 400, 1), (0, 2, 1, 502, 0), (0, 1, 0, 400, 0), (1, 0, 1, 400, 2), (7, 0, 1, 400, 8),
    (3, 0, 0, 400, 4), (0, 0, 1, 500, 0),
])
def test_cycles_are_counted_from_the_first_pulse_under_this_permit(flowing: int, pulses: int, permit: int, at_permit: int,
                                                                  after: int) -> None:
    assert pulsed(pulses, flowing=flowing, permit=permit, pulses_at_permit=at_permit).job["flowing"] == after


@pytest.mark.parametrize(("pulses", "low", "heard", "off", "radiating"), [
    (1, 2, 0, 1.0, 10), (3, 4, 0, 3.0, 10), (1, 1, 0, 0.0, 4), (1, 0, 0, 0.0, 4), (0, 9, 0, 0.0, 4),
    (-1, 9, 0, 8.0, 10),  # a counter that has changed at all
    (1, 1, 100, 1.0, 10), (1, 2, 100, 2.0, 10), (0, 1, 100, 0.0, 4),  # a source that has heard of it has no cycle to spare
    (1, 1, 99, 0.0, 4),  # and one whose order was lost on its way has
])
def test_pulses_without_permit_count_and_keep_the_heartbeat_away(pulses: int, low: int, heard: int, off: float,
                                                                 radiating: int) -> None:
    bare = pulsed(pulses, heard=heard, permit=0, low_cycles=low, radiating=5, cycle=100)
    assert bare.signal(Signal.RADIATION_OFF) == off and bare.job["radiating"] == radiating


@pytest.mark.parametrize(("pulses", "high", "off", "radiating"), [
    (1, 1, 2.0, 10), (2, 2, 1.0, 10), (1, 3, 0.0, 4), (1, 500, 0.0, 4), (0, 1, 0.0, 4)])
def test_pulses_in_the_first_two_cycles_of_a_permit_are_none_of_its_own(pulses: int, high: int, off: float,
                                                                       radiating: int) -> None:
    bare = pulsed(pulses, permit=1, high_cycles=high, radiating=5, cycle=100)
    assert bare.signal(Signal.RADIATION_OFF) == off and bare.job["radiating"] == radiating


@pytest.mark.parametrize(("before", "after"), [(3, 2), (1, 0), (0, 0)])
def test_the_heartbeat_comes_back_when_the_time_is_over(before: int, after: int) -> None:
    assert pulsed(radiating=before).job["radiating"] == after


# --- quality

def beam(job: dict[str, Any] | None = None, **wires: Any) -> Bare:
    """A beam in which all is well but for these wires: 300 V on the chambers, live parameters in the middle of bands of +-2."""
    bare = Bare().set("param", chamber_hv_v=300.0, live_middle=[10.0 * (i + 1) for i in range(len(LIVE))], live_per_half=0.5)
    well = {"quadrants": 1.0, "chamber_hv_1_v": 300.0, "chamber_hv_2_v": 300.0, "energy_ratio": 1.0, "mode": 2, "mode_sensed": 2,
            "accessory": 4, "hv_on": 1.0, "water_level_ok": 1.0, **{name: 10.0 * (i + 1) for i, name in enumerate(LIVE)}}
    bare.set("beam", **{**well, **wires}).set("job", **{"accessory": 4, "flowing": 1, **(job or {})})
    measure_quality(bare.job, bare.signals, bare.param, bare.beam)
    return bare


def test_a_beam_in_which_all_is_well_says_so() -> None:
    bare = beam()
    zeros = (Signal.SYMMETRY, Signal.CHAMBER_HV, Signal.ENERGY, Signal.MODE_WRONG, Signal.MODE_UNASKED, Signal.ACCESSORY_WRONG,
             Signal.UTILITY_BAND)
    assert [bare.signal(s) for s in zeros] == [0.0] * 7
    assert bare.signal(Signal.HV_ON) == bare.signal(Signal.WATER_LEVEL) == 1.0


@pytest.mark.parametrize(("quadrants", "symmetry"), [
    ((1.2, 0.8, 1.0, 1.0), 0.05), ((0.8, 1.2, 1.0, 1.0), 0.05), ((1.0, 1.0, 1.4, 0.6), 0.1), ((1.0, 1.0, 0.6, 1.4), 0.1),
    ((1.2, 0.8, 1.4, 0.6), 0.1), ((1.4, 0.6, 1.2, 0.8), 0.1), ((2.4, 1.6, 1.0, 1.0), 0.05), ((0.006, 0.004, 0.5, 0.5), 0.05),
    ((NAN, 1.0, 1.0, 1.0), NAN), ((1.0, NAN, 1.0, 1.0), NAN), ((1.0, 1.0, NAN, 1.0), NAN), ((1.0, 1.0, 1.0, NAN), NAN),
    ((0.0, 0.0, 1.0, 1.0), NAN), ((1.0, 1.0, 0.0, 0.0), NAN), ((-1.0, -1.0, 1.0, 1.0), NAN), ((INF, 1.0, 1.0, 1.0), NAN),
    ((1.0, -1.0, 1.0, 1.0), NAN),
])
def test_a_quarter_of_the_worse_skew_goes_into_the_symmetry_of_this_cycle(quadrants: tuple[float, ...], symmetry: float) -> None:
    assert same(beam(quadrants=quadrants).signal(Signal.SYMMETRY), symmetry)


def test_symmetry_is_a_mean_that_goes_on_from_where_it_was() -> None:
    bare = beam({"symmetry_mean": (0.04, -0.08)})
    assert bare.signal(Signal.SYMMETRY) == pytest.approx(0.06)
    assert list(bare.job["symmetry_mean"]) == pytest.approx([0.03, -0.06])
    assert beam({"symmetry_mean": (-0.08, 0.04)}).signal(Signal.SYMMETRY) == pytest.approx(0.06)


@pytest.mark.parametrize(("quadrants", "symmetry"), [((1.4, 0.6, 1.0, 1.0), 0.0), ((NAN, 1.0, 1.0, 1.0), NAN)])
def test_without_beam_quadrants_say_nothing_but_that_they_are_there(quadrants: tuple[float, ...], symmetry: float) -> None:
    assert same(beam({"flowing": 0}, quadrants=quadrants).signal(Signal.SYMMETRY), symmetry)


@pytest.mark.parametrize(("first_v", "second_v", "off"), [
    (303.0, 300.0, 0.01), (297.0, 300.0, 0.01), (300.0, 306.0, 0.02), (300.0, 294.0, 0.02), (303.0, 294.0, 0.02), (0.0, 300.0, 1.0),
    (NAN, 300.0, NAN), (300.0, NAN, NAN), (-300.0, 300.0, 2.0),
])
def test_the_worse_of_both_chamber_voltages_counts(first_v: float, second_v: float, off: float) -> None:
    assert same(beam(chamber_hv_1_v=first_v, chamber_hv_2_v=second_v).signal(Signal.CHAMBER_HV), off)


@pytest.mark.parametrize(("ratio", "off"), [(1.03, 0.03), (0.97, 0.03), (0.0, 1.0), (NAN, NAN)])
def test_energy_off_its_nominal_value(ratio: float, off: float) -> None:
    assert same(beam(energy_ratio=ratio).signal(Signal.ENERGY), off)


@pytest.mark.parametrize(("sensed", "selecting", "wrong", "unasked", "after"), [
    (2, 0, 0.0, 0.0, 0), (2, 1, 0.0, 0.0, 0), (1, 0, 1.0, 1.0, 0), (-1, 0, 1.0, 1.0, 0), (1, 1, 1.0, 0.0, 1), (-1, 1, 1.0, 0.0, 1),
])
def test_another_mode_is_wrong_and_unasked_unless_it_is_being_selected(sensed: int, selecting: int, wrong: float, unasked: float,
                                                                       after: int) -> None:
    bare = beam({"selecting": selecting}, mode_sensed=sensed)
    assert bare.signal(Signal.MODE_WRONG) == wrong and bare.signal(Signal.MODE_UNASKED) == unasked
    assert bare.job["selecting"] == after


@pytest.mark.parametrize(("code", "wrong"), [(4, 0.0), (0, 1.0), (5, 1.0)])
def test_an_accessory_is_the_one_that_is_wanted(code: int, wrong: float) -> None:
    assert beam(accessory=code).signal(Signal.ACCESSORY_WRONG) == wrong


@pytest.mark.parametrize(("wire", "signal"), [("hv_on", Signal.HV_ON), ("water_level_ok", Signal.WATER_LEVEL)])
@pytest.mark.parametrize(("says", "seen"), [(0.0, 0.0), (0.5, 0.0), (NAN, NAN)])
def test_switches_of_the_beam_are_closed_or_not(wire: str, signal: Signal, says: float, seen: float) -> None:
    assert same(beam(**{wire: says}).signal(signal), seen)


@pytest.mark.parametrize("i", range(len(LIVE)))
@pytest.mark.parametrize(("off", "band"), [(1.0, 0.5), (2.0, 1.0), (-2.0, 1.0), (-3.0, 1.5), (NAN, NAN)])
def test_each_live_parameter_is_measured_in_halves_of_its_own_band(i: int, off: float, band: float) -> None:
    assert same(beam(**{LIVE[i]: 10.0 * (i + 1) + off}).signal(Signal.UTILITY_BAND), band)


@given(st.lists(st.floats(-4.0, 4.0), min_size=len(LIVE), max_size=len(LIVE)))
def test_of_all_live_parameters_the_worst_counts(off: list[float]) -> None:
    found = beam(**{name: 10.0 * (i + 1) + off[i] for i, name in enumerate(LIVE)}).signal(Signal.UTILITY_BAND)
    assert found == pytest.approx(max(map(abs, off)) / 2.0, abs=1e-9) and not math.isnan(found)
