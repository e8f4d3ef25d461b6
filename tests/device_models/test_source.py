"""The beam: pulses, dose, chambers, modes. Truth against what the wires say."""

import numpy as np
import pytest

from device_models.interface.image import DT_S, Node
from device_models.parts.live import NAMES
from tests.device_models.bench import Bench
from tests.device_models.machines import document, plant_config

MODES = ("6X", "10X", "15X", "6FFF", "10FFF")


@pytest.fixture
def bench() -> Bench:
    return Bench(plant_config("bench_one_axis"))


def pulses_per_20_ms(bench: Bench, rate_mu_per_s: float, seconds: float = 4.0) -> set[int]:
    bench.beam(20, rate_mu_per_s)  # latency over
    counts = []
    for _ in range(round(seconds / (2 * DT_S))):
        before = int(bench.plant.beam["pulses"][0])
        bench.beam(2, rate_mu_per_s)
        counts.append(int(bench.plant.beam["pulses"][0]) - before)
    return set(counts)


@pytest.mark.parametrize(("mu_per_min", "pulses"), [(600, {7, 8}), (400, {4, 5}), (300, {3, 4}), (100, {1, 2})])
def test_dose_rate_is_lowered_by_dropping_whole_pulses(bench: Bench, mu_per_min: float, pulses: set[int]) -> None:
    bench.ready()
    assert pulses_per_20_ms(bench, mu_per_min / 60.0) == pulses


def test_four_to_one_at_400_mu_per_min_as_in_real_logs(bench: Bench) -> None:
    bench.ready(1000.0)
    bench.beam(20, 400 / 60)
    before = bench.plant.beam["pulses"][0]
    bench.beam(1000, 400 / 60)
    assert (bench.plant.beam["pulses"][0] - before) / 500 == pytest.approx(4.8, abs=0.003)


@pytest.mark.parametrize("mode", range(len(MODES)))
def test_every_mode_gives_its_full_rate_and_not_a_pulse_more(bench: Bench, mode: int) -> None:
    bench.image.beam["mode"] = mode
    bench.ready(1000.0)
    bench.run(1000)  # carousel there
    asked = document("c_arm_m120")["controller"]["beam"]["modes"][MODES[mode]]["max_dose_rate_mu_per_min"] / 60.0
    bench.beam(20, 10 * asked)
    dose = bench.beam(500, 10 * asked)
    assert dose.sum() / 5.0 == pytest.approx(asked, rel=0.005)
    most = np.ceil(bench.plant.modes["pulses_per_s"][mode] * DT_S) * bench.plant.modes["mu_per_pulse"][mode]
    assert dose.max() < 1.05 * most


def test_counters_tell_the_true_dose_within_their_gains(bench: Bench) -> None:
    bench.ready(1000.0)
    bench.beam(3000)
    bench.beam_off(20)
    true = bench.plant.beam["true_mu"][0]
    assert true == pytest.approx(300.0, rel=0.01)
    assert bench.image.beam["mu_1"][0] == pytest.approx(true, rel=0.001)
    assert bench.image.beam["mu_2"][0] == pytest.approx(1.0021 * true, rel=0.008)
    assert bench.image.safety["mu_backup"][0] == pytest.approx(1.001 * true, rel=0.001)
    assert bench.plant.beam["true_total_mu"][0] == true


def test_chambers_differ_from_field_to_field_as_real_ones_do(bench: Bench) -> None:
    ratios = []
    for _ in range(40):
        bench.run(7)
        bench.ready()
        bench.beam(200)
        bench.beam_off(20)
        ratios.append(bench.image.beam["mu_1"][0] / bench.image.beam["mu_2"][0] - 1.0)
    assert np.mean(ratios) == pytest.approx(-0.0021, abs=0.001)
    assert 0.001 < np.std(ratios) < 0.0035


def test_counters_step_on_their_grid_and_never_fall(bench: Bench) -> None:
    bench.ready()
    mu = []
    for _ in range(200):
        bench.beam(1)
        mu.append(bench.image.beam["mu_1"][0])
    assert np.abs(np.rint(np.array(mu) * 1000) - np.array(mu) * 1000).max() < 1e-6
    assert np.diff(mu).min() >= 0.0


def test_rate_is_the_mean_of_a_tenth_of_a_second(bench: Bench) -> None:
    bench.ready()
    dose = bench.beam(50)
    assert bench.image.beam["rate_1_mu_per_s"][0] == pytest.approx(dose[-10:].sum() / 0.1, rel=0.01)
    bench.beam_off(9)
    assert bench.image.beam["rate_1_mu_per_s"][0] > 0.0
    bench.beam_off(1)
    assert bench.image.beam["rate_1_mu_per_s"][0] == 0.0


def test_pulse_size_is_seen_and_is_nothing_without_pulses(bench: Bench) -> None:
    bench.ready()
    bench.beam(50)
    assert bench.image.beam["pulse_mu"][0] == pytest.approx(1 / 36, rel=0.05)
    bench.beam_off()
    assert bench.image.beam["pulse_mu"][0] == 0.0


def test_the_first_pulse_comes_after_the_latency_and_the_last_with_the_permit(bench: Bench) -> None:
    bench.ready()
    dose = bench.beam(10)
    assert np.flatnonzero(dose)[0] == round(0.06 / DT_S)
    total = bench.plant.beam["true_mu"][0]
    bench.beam_off(10)
    assert bench.plant.beam["true_mu"][0] == total


@pytest.mark.parametrize("permit", [0.0, 0.999, 2.0, float("nan")])
def test_only_an_exact_permit_gives_pulses(bench: Bench, permit: float) -> None:
    bench.ready()
    bench.image.beam["rate_mu_per_s"] = 10.0
    bench.image.beam["permit"] = permit
    bench.run(50)
    assert bench.plant.beam["pulses"][0] == 0


@pytest.mark.parametrize("rate", [0.0, -5.0, float("nan")])
def test_a_rate_that_is_not_above_zero_gives_no_dose(bench: Bench, rate: float) -> None:
    bench.ready()
    bench.beam(50, rate)
    assert bench.plant.beam["pulses"][0] == 0
    assert np.isfinite(bench.plant.beam["carry"][0])


def test_no_pulses_while_gun_and_rf_warm_up(bench: Bench) -> None:
    bench.close_room()
    bench.image.beam["hv_request"] = 1.0
    bench.arm()
    assert bench.beam(1190).sum() == 0.0
    assert bench.image.beam["hv_on"][0] == 0.0
    assert bench.beam(30).sum() > 0.0
    bench.image.beam["hv_request"] = 0.0
    assert bench.beam(30).sum() == 0.0


@pytest.mark.parametrize("supply", ["estop_ok", "mains_ok"])
def test_without_supply_the_high_voltage_is_gone_at_once(bench: Bench, supply: str) -> None:
    bench.ready()
    bench.beam(50)
    bench.plant.room[supply] = 0.0
    assert bench.beam(1).sum() == 0.0
    assert bench.image.beam["hv_on"][0] == 0.0


def test_a_mode_change_turns_the_carousel_and_is_sensed_when_it_stands_there(bench: Bench) -> None:
    bench.ready()
    assert bench.image.beam["mode_sensed"][0] == 0
    bench.image.beam["mode"] = 2
    sensed = []
    for _ in range(350):
        sensed.append(bench.beam(1).sum() == 0.0 and int(bench.image.beam["mode_sensed"][0]))
    assert sensed[0] == -1  # no beam, no mode while it turns
    assert sensed.index(2) == pytest.approx(120.0 / 40.0 / DT_S, abs=2)
    assert bench.image.beam["carousel_deg"][0] == pytest.approx(120.0, abs=0.5)
    assert bench.image.beam["energy_ratio"][0] == pytest.approx(1.0, abs=0.005)


@pytest.mark.parametrize("mode", [-1, 5, 2**40])
def test_a_mode_that_does_not_exist_gives_neither_beam_nor_energy(bench: Bench, mode: int) -> None:
    bench.ready()
    bench.image.beam["mode"] = mode
    assert bench.beam(50).sum() == 0.0
    assert np.isnan(bench.image.beam["energy_ratio"][0])


def test_a_filter_beside_its_place_is_not_sensed(bench: Bench) -> None:
    bench.plant.carousel["offset_deg"] = 3.0
    bench.ready()
    assert bench.image.beam["mode_sensed"][0] == -1
    assert bench.beam(50).sum() == 0.0


def test_dose_is_cleared_on_request_but_never_under_a_permit(bench: Bench) -> None:
    bench.ready()
    bench.beam(50)
    bench.image.beam["clear_dose"] = 1.0
    bench.beam(10)
    assert bench.image.beam["mu_1"][0] > 5.0
    bench.beam_off()
    assert bench.image.beam["mu_1"][0] == bench.image.beam["mu_2"][0] == bench.plant.beam["true_mu"][0] == 0.0
    assert bench.plant.beam["true_total_mu"][0] > 5.0


def test_symmetry_is_off_just_after_beam_on_and_settles(bench: Bench) -> None:
    bench.ready()
    bench.beam(8)
    first = bench.image.beam["quadrants"][0]
    assert 0.008 < (first[0] - first[1]) / (first[0] + first[1]) < 0.018
    late = []
    bench.beam(200)
    for _ in range(100):
        bench.beam(1)
        q = bench.image.beam["quadrants"][0]
        late.append(max(abs(q[0] - q[1]), abs(q[2] - q[3])) / 2)
        assert q.mean() == pytest.approx(1.0)
    assert np.quantile(late, 0.9) < 0.004


def test_live_parameters_stay_in_the_bands_of_real_machines(bench: Bench) -> None:
    bands = {"gun_hv_kv": (-15.99, -9.89), "gun_current_a": (0.12, 0.61), "pfn_kv": (17.3, 24.3),
             "magnet_a": (15.6, 36.7), "afc_error_v": (-0.1, 0.05), "rf_driver_v": (2.4, 4.8),
             "vacuum_ua": (0.0, 0.0006), "gas_psi": (30.9, 31.9), "water_c": (39.5, 40.5)}
    assert set(bands) == set(NAMES)
    bench.ready()
    seen: dict[str, set[float]] = {name: set() for name in bands}
    for _ in range(300):
        bench.run(3)
        for name, values in seen.items():
            values.add(float(bench.image.beam[name][0]))
    for name, (low, high) in bands.items():
        assert low <= min(seen[name]) <= max(seen[name]) <= high, name
        assert len(seen[name]) >= 20, name  # in steps that a wire carries


def test_a_stuck_trigger_goes_on_until_the_chain_opens(bench: Bench) -> None:
    bench.ready()
    bench.plant.beam["stuck_on"] = 1.0
    bench.beam(50)
    bench.beam_off(5)
    assert bench.on
    bench.plant.room["door_closed"] = 0.0
    bench.run(1)
    assert not bench.on


def test_a_welded_contactor_ignores_the_chain_but_not_the_permit(bench: Bench) -> None:
    bench.ready()
    bench.plant.beam["chain_stuck"] = 1.0
    bench.beam(50)
    bench.plant.room["door_closed"] = 0.0
    bench.beam(5)
    assert bench.on
    bench.beam_off()
    assert not bench.on


def test_dose_faults_act_on_truth_and_reading_where_they_should(bench: Bench) -> None:
    bench.ready(1000.0)
    bench.beam(50)
    bench.plant.beam["pulse_factor"], bench.plant.beam["pulse_limit"] = 3.0, 9.0
    assert bench.beam(100).sum() == pytest.approx(30.0, rel=0.02)
    assert bench.image.beam["pulse_mu"][0] == pytest.approx(3 / 36, rel=0.05)
    bench.plant.beam["pulse_factor"] = 1.0
    before = bench.image.beam[0].copy()
    bench.plant.chambers["gain"][0] = 0.0
    bench.plant.chambers["hv_v"][1] = 0.0
    bench.beam(20)
    assert bench.image.beam["mu_1"][0] == before["mu_1"] and bench.image.beam["mu_2"][0] == before["mu_2"]
    assert bench.image.beam["chamber_hv_2_v"][0] == 0.0
    assert bench.on


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_missed_pulses_are_counted_and_give_no_dose(bench: Bench, share: float) -> None:
    bench.ready(1000.0)
    bench.beam(6)
    bench.plant.beam["missed_share"] = share
    dose = bench.beam(2000)
    wire = bench.image.beam[0]
    assert wire["missed_pulses"] / wire["pulses"] == pytest.approx(share, abs=0.03)
    assert dose.sum() == pytest.approx((wire["pulses"] - wire["missed_pulses"]) / 36, rel=0.01)


def test_a_silent_beam_node_keeps_its_wires_while_truth_goes_on(bench: Bench) -> None:
    bench.ready()
    bench.beam(50)
    bench.plant.nodes["silent"][Node.BEAM] = 1.0
    said, true = bench.image.beam["mu_1"][0], bench.plant.beam["true_mu"][0]
    bench.beam(50)
    assert bench.image.beam["mu_1"][0] == said
    assert bench.plant.beam["true_mu"][0] > true + 4.0


def test_saturation_and_cross_talk_deceive_a_counter(bench: Bench) -> None:
    bench.ready(1000.0)
    bench.beam(10)
    bench.plant.chambers["most_mu_per_pulse"][0] = 0.01
    bench.plant.beam["cross_talk"] = 1.0
    before = bench.image.beam["mu_1"][0]
    true = bench.beam(100).sum()
    assert bench.image.beam["mu_1"][0] - before == pytest.approx(true * 0.36, rel=0.02)
    assert bench.image.beam["mu_2"][0] == bench.image.beam["mu_1"][0]


@pytest.mark.parametrize(("late", "pulses"), [(0, True), (1, True), (2, False), (-2, False)])
def test_a_permit_is_good_for_the_cycle_it_was_given_in_and_the_next(bench: Bench, late: int, pulses: bool) -> None:
    bench.ready(1000.0)
    bench.beam(20)
    bench.image.beam["permit"], bench.image.beam["rate_mu_per_s"] = 1.0, 10.0
    for _ in range(3):
        bench.image.beam["said_cycle"] = bench.cycle - late
        bench.run(1)
        assert bool(bench.plant.beam["pulses_now"][0] > 0) is pulses


def test_a_trigger_that_sticks_asks_for_no_stamp_and_a_host_without_a_clock_gives_none(bench: Bench) -> None:
    bench.ready(1000.0)
    bench.image.beam["said_cycle"] = 1
    assert bench.beam(20).sum() == 0.0
    bench.plant.beam["stuck_on"] = 1.0
    assert bench.beam(20).sum() > 0.0
    bench.plant.beam["stuck_on"], bench.image.beam["said_cycle"] = 0.0, 0
    assert bench.beam(20).sum() > 0.0


@pytest.mark.parametrize(("age", "hot"), [(10, True), (11, False)])
def test_a_source_that_hears_old_orders_only_goes_cold(bench: Bench, age: int, hot: bool) -> None:
    bench.ready(1000.0)
    assert bench.image.beam["hv_on"][0] == 1.0
    bench.image.nodes["said_cycle"][Node.BEAM] = bench.cycle - age
    bench.run(1)
    assert bool(bench.plant.beam["hv_on"][0] == 1.0) is hot
    assert bool(bench.image.nodes["powered"][Node.BEAM] == 1.0) is hot
