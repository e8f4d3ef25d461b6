"""Dose by itself: pulses, chambers, counters, one law at a time (tests/device_models has the machine around them)."""

from typing import Any

import numpy as np
import pytest

from device_models.beam import (
    RATE_WINDOW,
    allowed,
    clear_dose,
    give_dose,
    ionise,
    limit,
    misfires,
    new_beam,
    of_now,
    pulse,
    rest,
    show_dose,
    show_mode,
    split,
    step_beam,
    trigger,
    wanted_rate,
    warm,
)
from device_models.config import SourceConfig
from device_models.interface.image import BEAM, DT_S, NODE, records
from device_models.parts.carousel import new_carousel, new_modes
from device_models.parts.chamber import clear, collect, counter, new_chambers
from device_models.parts.live import NAMES, new_live
from device_models.parts.node import NODE_STATE
from device_models.parts.noise import new_noise
from tests.device_models.machines import plant_config

NAN = float("nan")
CONFIG: SourceConfig = plant_config("bench_one_axis").source.model_copy(update={"warm_up_s": 0.05, "beam_on_latency_s": 0.03})
MODES = plant_config("bench_one_axis").modes
SIZE, PULSES = 0.1, 300.0  # of the mode used here: MU per pulse, pulses per s


class Source:
    """The accelerator's records with its wires and steady noise (zero unless a test sets it)."""

    def __init__(self) -> None:
        self.modes = new_modes(MODES.values())
        self.modes["mu_per_pulse"][0], self.modes["pulses_per_s"][0] = SIZE, PULSES
        self.beams, self.chambers = new_beam(CONFIG, self.modes), new_chambers(CONFIG)
        self.beams["stream"], self.chambers["stream"] = 3, [10, 11, 12]
        self.carousels, self.live = new_carousel(CONFIG, self.modes), new_live(CONFIG)
        self.noise, self.slow = new_noise(1, [f"n{i}" for i in range(13)]), new_noise(1, [f"s{i}" for i in range(len(NAMES) + 3)])
        self.wires, self.nodes, self.node_wires = records(1, BEAM), records(1, NODE_STATE, local=1, healthy=1.0), records(1, NODE)
        self.beam, self.wire, self.mode, self.cycle = self.beams[0], self.wires[0], self.modes[0], 0

    def run(self, cycles: int = 1, chain: bool = True, supply: bool = True) -> None:
        for _ in range(cycles):
            self.cycle += 1
            step_beam(self.beam, self.modes, self.carousels[0], self.chambers, self.live, self.wire, self.nodes[0],
                      self.node_wires[0], chain, supply, self.noise, self.slow, self.cycle)

    def ask(self, **wires: Any) -> None:
        for name, value in wires.items():
            self.wires[name] = value

    def set(self, **fields: Any) -> None:
        for name, value in fields.items():
            self.beams[name] = value

    def hot(self) -> "Source":
        """Warm, chamber counters at zero, nothing asked."""
        self.ask(hv_request=1.0)
        self.run(6)
        return self

    def on(self, rate: float = 15.0) -> "Source":
        """Pulses flow from the next cycle on."""
        self.hot().ask(permit=1.0, rate_mu_per_s=rate)
        self.run(3)
        assert self.beam["on_cycles"] == 3 and self.beam["pulses"] == 0
        return self


@pytest.fixture
def source() -> Source:
    return Source()


# --- the chamber

def chamber(**fields: Any) -> Any:
    it = new_chambers(CONFIG)[1:2].copy()
    it["gain"], it["spread"], it["sigma"], it["stream"] = 1.0, 0.0, 0.0, 0
    for name, value in fields.items():
        it[name] = value
    return it


def test_a_machine_has_three_chambers_with_their_own_gains() -> None:
    it = new_chambers(CONFIG)
    assert len(it) == 3 and list(it["gain"]) == [CONFIG.chamber_1_gain, CONFIG.chamber_2_gain, CONFIG.chamber_3_gain]
    assert list(it["spread"]) == [0.0, CONFIG.chamber_2_spread, 0.0] and list(it["field_gain"]) == [1.0] * 3
    assert (it["hv_v"] * it["per_hv"] == 1.0).all() and (it["lsb_mu"] * it["per_lsb"] == 1.0).all()
    assert (it["sigma"] == CONFIG.chamber_noise).all() and (it["most_mu_per_pulse"] >= 1e6).all()
    assert not it["counter_mu"].any() and it["lsb_mu"][0] == CONFIG.chamber_lsb_mu


@pytest.mark.parametrize(("fields", "reads"), [
    ({}, 0.3), ({"gain": 0.5}, 0.15), ({"field_gain": 1.1}, 0.33), ({"hv_v": 150.0}, 0.15), ({"hv_v": 0.0}, 0.0),
    ({"gain": 2.0, "field_gain": 0.5, "hv_v": 150.0}, 0.15), ({"sigma": 0.1}, 0.3 * 1.2), ({"sigma": 0.1, "stream": 1}, 0.3 * 0.9),
    ({"most_mu_per_pulse": 0.05}, 0.15), ({"most_mu_per_pulse": 0.1}, 0.3),
])
def test_a_chamber_reads_dose_through_its_gains(fields: dict[str, float], reads: float) -> None:
    it = chamber(**fields)
    collect(it[0], 0.3, 3, np.array([2.0, -1.0]))
    assert it["reading_mu"][0] == pytest.approx(reads) and it["counter_mu"][0] == pytest.approx(reads)
    collect(it[0], 0.3, 3, np.array([2.0, -1.0]))
    assert it["reading_mu"][0] == pytest.approx(reads) and it["counter_mu"][0] == pytest.approx(2 * reads)


def test_a_cleared_chamber_counts_from_zero_with_a_gain_of_the_day() -> None:
    it = chamber(counter_mu=5.0, spread=0.01)
    clear(it[0], 2.0)
    assert it["counter_mu"][0] == 0.0 and it["field_gain"][0] == pytest.approx(1.02)


@pytest.mark.parametrize(("mu", "shows"), [(0.0, 0.0), (0.1249, 0.0), (0.126, 0.25), (0.374, 0.25), (0.376, 0.5), (10.1, 10.0)])
def test_a_counter_shows_whole_steps(mu: float, shows: float) -> None:
    assert counter(chamber(counter_mu=mu, lsb_mu=0.25, per_lsb=4.0)[0]) == shows


# --- heat and permission

def test_a_new_source_is_cold_and_has_given_nothing(source: Source) -> None:
    it = new_beam(CONFIG, source.modes)[0]
    assert it["last_rate_mu_per_s"] == SIZE * PULSES and it["warm_up_cycles"] == 5 and it["latency_cycles"] == 3
    assert list(it["quadrants"]) == [1.0] * 4 and it["pulse_factor"] == it["energy_factor"] == it["water_level_ok"] == 1.0
    assert it["pulse_sigma"] == CONFIG.pulse_noise and it["quadrant_sigma"] == CONFIG.quadrant_noise
    assert it["asymmetry_at_start"] == CONFIG.asymmetry_at_start
    assert it["asymmetry_decay"] == round(float(np.exp(-DT_S / CONFIG.asymmetry_decay_s)), 9)  # the same on every computer
    for name in ("true_mu", "true_total_mu", "pulses", "hv_on", "carry", "stuck_on", "chain_stuck"):
        assert it[name] == 0
    assert len(new_beam(CONFIG, source.modes)) == 1


def test_heat_takes_its_time_and_is_gone_at_once(source: Source) -> None:
    hot = []
    for _ in range(7):
        warm(source.beam, True, True)
        hot.append(float(source.beam["hv_on"]))
    assert hot == [0.0] * 5 + [1.0] * 2
    for wanted, supply in ((False, True), (True, False)):
        source.set(warm_cycles=50)
        warm(source.beam, wanted, supply)
        assert source.beam["hv_on"] == 0.0 and source.beam["warm_cycles"] == 0


@pytest.mark.parametrize(("beam", "permit", "chain", "sensed", "yes"), [
    ({}, 1.0, True, 0, True), ({"hv_on": 0.0}, 1.0, True, 0, False), ({}, 0.0, True, 0, False), ({}, 0.5, True, 0, False),
    ({}, NAN, True, 0, False), ({}, 1.0, False, 0, False), ({}, 1.0, True, -1, False), ({}, 1.0, True, 3, True),
    ({"stuck_on": 1.0}, 0.0, True, 0, True), ({"chain_stuck": 1.0}, 1.0, False, 0, True), ({"stuck_on": 1.0}, 0.0, False, 0, False),
    ({"chain_stuck": 1.0}, 0.0, False, 0, False), ({"stuck_on": 0.5}, 0.0, True, 0, False),
    ({"chain_stuck": 0.5}, 1.0, False, 0, False),
])
def test_pulses_need_every_yes(source: Source, beam: dict[str, float], permit: float, chain: bool, sensed: int, yes: bool) -> None:
    source.set(**({"hv_on": 1.0} | beam))
    source.ask(permit=permit)
    assert bool(allowed(source.beam, source.wire, chain, sensed)) is yes


@pytest.mark.parametrize(("said", "stuck", "yes"), [
    (100, 0.0, True), (99, 0.0, True), (101, 0.0, True), (98, 0.0, False), (102, 0.0, False), (1, 0.0, False), (-100, 0.0, False),
    (0, 0.0, True),  # by a host without stamps
    (98, 1.0, True), (98, 0.5, False),
])
def test_a_permit_is_good_for_its_cycle_and_the_next_unless_the_trigger_sticks(source: Source, said: int, stuck: float,
                                                                              yes: bool) -> None:
    source.ask(said_cycle=said)
    source.set(stuck_on=stuck)
    assert bool(of_now(source.beam, source.wire, 100)) is yes


def test_a_permit_that_has_grown_old_gives_no_pulses(source: Source) -> None:
    source.on().run()
    assert source.beam["pulses_now"] > 0
    source.ask(said_cycle=source.cycle - 1)
    source.run()
    assert source.beam["pulses_now"] == 0


# --- pulses

@pytest.mark.parametrize(("rate", "gives"), [
    (15.0, 15.0), (30.0, 30.0), (31.0, 30.0), (0.5, 0.5), (1e-6, 1e-6), (0.0, 0.0), (-3.0, 0.0), (NAN, 0.0)])
def test_the_modulator_gives_what_it_can(source: Source, rate: float, gives: float) -> None:
    source.ask(permit=1.0, rate_mu_per_s=rate)
    source.set(last_rate_mu_per_s=7.0)
    assert wanted_rate(source.beam, source.mode, source.wire) == gives
    assert source.beam["last_rate_mu_per_s"] == (gives if gives > 0.0 else 7.0)


def test_a_trigger_that_sticks_goes_on_with_the_last_rate(source: Source) -> None:
    source.ask(permit=0.0, rate_mu_per_s=1.0)
    source.set(last_rate_mu_per_s=7.0)
    assert wanted_rate(source.beam, source.mode, source.wire) == 7.0 and source.beam["last_rate_mu_per_s"] == 7.0


def test_a_trigger_that_sticks_in_a_slower_mode_keeps_the_rate_that_it_had(source: Source) -> None:
    source.ask(permit=0.0)
    source.set(last_rate_mu_per_s=45.0)
    assert wanted_rate(source.beam, source.mode, source.wire) == 30.0 and source.beam["last_rate_mu_per_s"] == 45.0


def test_pulses_are_whole_and_what_is_left_over_is_owed(source: Source) -> None:
    given = [trigger(source.beam, source.mode, 17.0) for _ in range(10)]
    assert sum(given) == 17 and set(given) == {1, 2}
    assert source.beam["carry"] == pytest.approx(0.0, abs=1e-9)
    trigger(source.beam, source.mode, 14.0)
    assert source.beam["carry"] == pytest.approx(0.4)
    trigger(source.beam, source.mode, 2.0)
    assert source.beam["carry"] == pytest.approx(-0.4)


def test_misfires_are_drawn_pulse_by_pulse(source: Source) -> None:
    assert misfires(source.beam, 1000, source.noise, 5) == 0
    source.set(missed_share=1.0)
    assert misfires(source.beam, 7, source.noise, 5) == 7
    source.set(missed_share=0.25)
    drawn = [misfires(source.beam, 1000, source.noise, cycle) for cycle in range(5)]
    assert all(180 < n < 320 for n in drawn) and len(set(drawn)) > 1
    source.set(missed_share=NAN)
    assert misfires(source.beam, 5, source.noise, 5) == 0


def test_misfires_have_a_stream_of_their_own_after_the_quadrants(source: Source) -> None:
    source.set(missed_share=0.5)
    drawn = [misfires(source.beam, 500, source.noise, cycle) for cycle in range(4)]
    own = 3 + 5
    source.noise.key[:own] += 1
    source.noise.key[own + 1 :] += 1
    assert [misfires(source.beam, 500, source.noise, cycle) for cycle in range(4)] == drawn
    source.noise.key[own] += 1
    assert [misfires(source.beam, 500, source.noise, cycle) for cycle in range(4)] != drawn


@pytest.mark.parametrize(("factor", "gain", "most", "pulses", "given", "limited"), [
    (1.0, 1.0, 1e9, 4, 4, 0), (1.5, 1.0, 1e9, 4, 4, 0), (1.49, 1.0, 1e9, 4, 4, 0), (1.51, 1.0, 1e9, 4, 1, 1),
    (40.0, 1.0, 1e9, 4, 1, 1),
    (40.0, 1.0, 1e9, 0, 0, 0),
    (40.0, 1.0, 0.149, 4, 4, 0), (40.0, 1.0, 0.151, 4, 1, 1),  # a chamber that saturates sees no more than it can
    (1.0, 1.51, 1e9, 4, 1, 1), (1.51, 0.9, 1e9, 4, 4, 0), (NAN, 1.0, 1e9, 4, 1, 1), (1.0, NAN, 1e9, 4, 1, 1),
])
def test_the_first_pulse_that_is_far_too_large_is_the_last_one(source: Source, factor: float, gain: float, most: float, pulses: int,
                                                               given: int, limited: int) -> None:
    source.set(pulse_factor=factor, pulse_limit=1.5)
    source.chambers["gain"], source.chambers["most_mu_per_pulse"] = gain, most
    assert limit(source.beam, source.mode, source.chambers[0], pulses) == given and source.beam["limited"] == limited


def test_the_limiter_hears_the_first_chamber_alone(source: Source) -> None:
    source.set(pulse_limit=1.5)
    source.chambers["gain"] = [1.0, 9.0, 9.0]
    source.on().run(10)
    assert source.beam["limited"] == 0 and source.beam["pulses"] > 10
    source.chambers["gain"] = [9.0, 1.0, 1.0]
    source.run()
    assert source.beam["limited"] == 1


@pytest.mark.parametrize(("age", "hot"), [(10, 1.0), (11, 0.0), (-11, 0.0)])
def test_a_source_that_hears_nothing_new_for_100_ms_goes_cold(source: Source, age: int, hot: float) -> None:
    source.hot()
    source.node_wires["said_cycle"] = source.cycle + 1 - age
    source.run()
    assert source.beam["hv_on"] == hot and source.node_wires["powered"][0] == hot


def test_after_a_pulse_that_was_too_large_there_are_none_until_the_high_voltage_has_been_off(source: Source) -> None:
    source.on().run(10)
    before = int(source.beam["pulses"])
    source.set(pulse_factor=2.0)
    source.run()
    source.set(pulse_factor=1.0)
    source.run(50)
    assert int(source.beam["pulses"]) == before + 1 and source.beam["limited"] == 1 and source.beam["hv_on"] == 1.0
    source.ask(hv_request=0.0)
    source.run()
    assert source.beam["limited"] == 0
    source.ask(hv_request=1.0)
    source.run(20)
    assert int(source.beam["pulses"]) > before + 1


@pytest.mark.parametrize(("pulses", "missed", "factor", "noise", "dose"), [
    (4, 0, 1.0, 0.0, 0.4), (4, 1, 1.0, 0.0, 0.3), (4, 0, 1.5, 0.0, 0.6), (4, 0, 1.0, 2.0, 0.4 * 1.01), (4, 4, 1.0, 2.0, 0.0),
    (1, 0, 1.0, 2.0, 0.1 * 1.02), (0, 0, 1.0, 1.0, 0.0),
])
def test_dose_is_good_pulses_each_with_its_own_error(source: Source, pulses: int, missed: int, factor: float, noise: float,
                                                     dose: float) -> None:
    source.set(pulse_factor=factor, pulse_sigma=0.01, true_mu=1.0, true_total_mu=2.0, pulses=10, missed_pulses=5)
    sample = np.zeros(13)
    sample[3] = noise
    give_dose(source.beam, source.mode, pulses, missed, sample)
    b = source.beam
    assert b["dose_mu"] == pytest.approx(dose) and b["true_mu"] == pytest.approx(1.0 + dose)
    assert b["true_total_mu"] == pytest.approx(2.0 + dose)
    assert (b["pulses_now"], b["pulses"], b["missed_pulses"]) == (pulses - missed, 10 + pulses, 5 + missed)


def test_at_rest_nothing_is_owed_and_the_latency_starts_again(source: Source) -> None:
    source.set(pulses_now=3, dose_mu=0.3, carry=0.4, on_cycles=9, asymmetry=0.0)
    rest(source.beam)
    b = source.beam
    assert (b["pulses_now"], b["dose_mu"], b["carry"], b["on_cycles"]) == (0, 0.0, 0.0, 0)
    assert b["asymmetry"] == CONFIG.asymmetry_at_start


def test_the_first_pulse_comes_after_the_latency(source: Source) -> None:
    source.on()
    source.run()
    assert source.beam["pulses"] in (1, 2) and source.beam["rate_mu_per_s"] == pytest.approx(source.beam["dose_mu"] / DT_S)
    source.run(9)
    assert source.beam["pulses"] == 15


def test_during_the_latency_there_is_neither_pulse_nor_dose_whatever_was_before(source: Source) -> None:
    source.hot().ask(permit=1.0, rate_mu_per_s=15.0)
    source.set(pulses_now=3, dose_mu=0.3)
    source.run()
    assert (source.beam["pulses_now"], source.beam["dose_mu"], source.beam["rate_mu_per_s"]) == (0, 0.0, 0.0)


@pytest.mark.parametrize("stop", ["permit", "chain", "mode", "heat"])
def test_any_no_stops_pulses_in_its_own_cycle(source: Source, stop: str) -> None:
    source.on().run(10)
    before = int(source.beam["pulses"])
    source.ask(**{"permit": 0.0} if stop == "permit" else {"hv_request": 0.0} if stop == "heat" else {})
    source.ask(mode=99 if stop == "mode" else 0)
    source.run(5, chain=stop != "chain")
    b = source.beam
    assert (int(b["pulses"]), b["pulses_now"], b["dose_mu"], b["rate_mu_per_s"], b["on_cycles"]) == (before, 0, 0.0, 0.0, 0)


@pytest.mark.parametrize("mode", [-1, 99])
def test_a_mode_that_does_not_exist_gives_nothing(source: Source, mode: int) -> None:
    source.hot().ask(permit=1.0, rate_mu_per_s=15.0, mode=mode)
    pulse(source.beam, source.modes, source.chambers[0], source.wire, True, 0, source.noise, 1)
    assert source.beam["on_cycles"] == 0 and source.beam["pulses"] == 0


# --- what is seen of it

def test_both_chambers_and_the_ring_see_the_dose(source: Source) -> None:
    source.chambers["gain"] = [1.0, 0.5, 1.0]
    source.set(dose_mu=0.2, pulses_now=2, window_at=RATE_WINDOW - 1)
    ionise(source.beam, source.chambers, np.zeros(13))
    assert list(source.chambers["counter_mu"]) == [pytest.approx(0.2), pytest.approx(0.1), 0.0]
    assert source.beam["window_mu"][RATE_WINDOW - 1] == pytest.approx(0.2) and source.beam["window_at"] == 0
    ionise(source.beam, source.chambers, np.zeros(13))
    assert source.beam["window_mu"][0] == pytest.approx(0.2) and source.beam["window_at"] == 1


@pytest.mark.parametrize(("x", "y", "transient", "quadrants"), [
    (0.0, 0.0, 0.0, (1.0, 1.0, 1.0, 1.0)), (0.02, 0.0, 0.0, (1.02, 0.98, 1.0, 1.0)), (0.0, 0.03, 0.0, (1.0, 1.0, 1.03, 0.97)),
    (0.0, 0.0, 0.04, (1.04, 0.96, 0.98, 1.02)),
])
def test_quadrants_show_asymmetry_and_it_decays(source: Source, x: float, y: float, transient: float,
                                                quadrants: tuple[float, ...]) -> None:
    source.set(pulses_now=1, asymmetry_x=x, asymmetry_y=y, asymmetry=transient, quadrant_sigma=0.0, asymmetry_decay=0.5)
    split(source.beam, np.zeros(13))
    assert list(source.beam["quadrants"]) == [pytest.approx(q) for q in quadrants]
    assert source.beam["asymmetry"] == pytest.approx(0.5 * transient)


@pytest.mark.parametrize("i", range(4))
def test_each_quadrant_has_noise_of_its_own_and_their_mean_is_one(source: Source, i: int) -> None:
    sample = np.zeros(13)
    sample[3 + 1 + i] = 1.0
    source.set(pulses_now=1, quadrant_sigma=0.08, asymmetry=0.0)
    split(source.beam, sample)
    assert source.beam["quadrants"].mean() == pytest.approx(1.0) and int(np.argmax(source.beam["quadrants"])) == i
    assert source.beam["quadrants"][i] == pytest.approx(1.08 * 4 / 4.08)


def test_quadrants_are_held_while_there_is_nothing_to_measure(source: Source) -> None:
    source.set(pulses_now=0, asymmetry_x=0.5, asymmetry=0.1)
    split(source.beam, np.zeros(13))
    assert list(source.beam["quadrants"]) == [1.0] * 4 and source.beam["asymmetry"] == 0.1


@pytest.mark.parametrize(("clear_wire", "permit", "cleared"), [
    (1.0, 0.0, True), (1.0, 1.0, False), (0.0, 0.0, False), (0.5, 0.0, False)])
def test_counters_are_cleared_on_request_and_never_under_a_permit(source: Source, clear_wire: float, permit: float,
                                                                  cleared: bool) -> None:
    source.set(true_mu=5.0, true_total_mu=5.0)
    source.chambers["counter_mu"], source.chambers["spread"] = 5.0, 0.01
    source.ask(clear_dose=clear_wire, permit=permit)
    slow = np.zeros(len(NAMES) + 3)
    slow[len(NAMES)], slow[len(NAMES) + 1] = 1.0, -1.0
    clear_dose(source.beam, source.chambers, source.wire, slow)
    left = 0.0 if cleared else 5.0
    assert source.beam["true_mu"] == left and source.beam["true_total_mu"] == 5.0
    assert list(source.chambers["counter_mu"]) == [left, left, 5.0]
    assert list(source.chambers["field_gain"]) == ([pytest.approx(1.01), pytest.approx(0.99), 1.0] if cleared else [1.0] * 3)


def test_the_wires_show_what_the_chambers_make_of_it(source: Source) -> None:
    source.chambers["counter_mu"], source.chambers["hv_v"] = [1.0, 2.0, 3.0], [290.0, 310.0, 300.0]
    source.chambers["reading_mu"] = [0.22, 0.5, 0.5]
    source.set(pulses=17, missed_pulses=2, pulses_now=2, window_mu=0.15, quadrants=[1.0, 2.0, 3.0, 4.0])
    show_dose(source.beam, source.chambers, source.wire)
    w = source.wire
    assert (w["mu_1"], w["mu_2"], w["pulses"], w["missed_pulses"]) == (1.0, 2.0, 17, 2)
    assert w["rate_1_mu_per_s"] == pytest.approx(RATE_WINDOW * 0.15 / 0.1) and w["pulse_mu"] == pytest.approx(0.11)
    assert list(w["quadrants"]) == [1.0, 2.0, 3.0, 4.0] and (w["chamber_hv_1_v"], w["chamber_hv_2_v"]) == (290.0, 310.0)
    source.set(pulses_now=0, cross_talk=1.0)
    show_dose(source.beam, source.chambers, source.wire)
    assert w["pulse_mu"] == 0.0 and w["mu_2"] == 1.0
    source.set(pulses_now=1, cross_talk=0.5)
    show_dose(source.beam, source.chambers, source.wire)
    assert w["pulse_mu"] == pytest.approx(0.22) and w["mu_2"] == 2.0


def test_the_wires_show_the_mode_that_is_sensed(source: Source) -> None:
    source.set(hv_on=1.0, accessory=5, water_level_ok=0.25)
    source.carousels["sensed"], source.carousels["angle_deg"], source.carousels["resolver_bias_deg"] = 3, 100.0, 0.5
    show_mode(source.beam, source.carousels[0], source.wire)
    w = source.wire
    assert (w["hv_on"], w["mode_sensed"], w["carousel_deg"], w["accessory"], w["water_level_ok"]) == (1.0, 3, 100.5, 5, 0.25)


# --- the whole step

def test_a_second_of_beam_is_what_was_asked_on_truth_and_both_counters(source: Source) -> None:
    source.on(20.0).run(100)
    assert source.beam["true_mu"] == pytest.approx(20.0, abs=0.2) and source.beam["true_total_mu"] == source.beam["true_mu"]
    assert source.wire["mu_1"] == pytest.approx(20.0, abs=0.3) and source.wire["mu_2"] == pytest.approx(20.0, abs=0.4)
    assert source.wire["rate_1_mu_per_s"] == pytest.approx(20.0, abs=1.0)
    assert source.wire["pulse_mu"] == pytest.approx(SIZE, rel=0.1)
    assert source.wire["hv_on"] == 1.0 and source.wire["energy_ratio"] == pytest.approx(1.0, abs=0.01)
    assert source.wire["quadrants"][0] != 1.0 and source.wire["quadrants"].mean() == pytest.approx(1.0)
    assert source.wire["gun_hv_kv"] < 0.0 and source.node_wires["powered"][0] == 1.0


@pytest.mark.parametrize(("supply", "healthy", "request_"), [
    (False, 1.0, 1.0), (True, 0.0, 1.0), (True, 1.0, 0.0), (True, 1.0, 0.5)])
def test_without_supply_health_or_request_the_source_is_cold(source: Source, supply: bool, healthy: float, request_: float) -> None:
    source.on().run(5)
    source.nodes["healthy"] = healthy
    source.ask(hv_request=request_)
    before = int(source.beam["pulses"])
    source.run(5, supply=supply)
    assert source.beam["pulses"] == before and source.wire["hv_on"] == 0.0
    assert source.node_wires["powered"][0] == (1.0 if supply and healthy else 0.0)


def test_a_carousel_between_places_gives_no_pulses(source: Source) -> None:
    source.on().run(5)
    source.ask(mode=1)
    source.run(2)
    assert source.wire["mode_sensed"] == -1 and source.beam["pulses_now"] == 0 and source.beam["on_cycles"] == 0


def test_the_beam_clears_before_it_counts(source: Source) -> None:
    source.on().run(10)
    source.ask(permit=0.0, clear_dose=1.0)
    source.run()
    assert source.wire["mu_1"] == 0.0 and source.beam["true_mu"] == 0.0 < source.beam["true_total_mu"]


def test_a_silent_node_shows_nothing_and_gives_dose_all_the_same(source: Source) -> None:
    source.on().run(5)
    before, mu = source.wires.copy(), float(source.beam["true_mu"])
    source.nodes["silent"] = 1.0
    source.run(10)
    assert source.wires.tobytes() == before.tobytes() and source.beam["true_mu"] > mu + 1.0


def test_live_parameters_change_on_the_slow_grid_only(source: Source) -> None:
    source.hot()
    source.live["value"] = 0.0
    source.slow.sample[:] = 1.0
    source.cycle = 10
    source.run(9)
    assert not source.live["value"].any()
    source.run()
    assert source.live["value"].all()
