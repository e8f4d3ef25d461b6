"""The law of one axis, judged by plant truth."""

from typing import Any

import numpy as np
import pytest

from device_models.interface.image import DT_S, Couch, Node
from tests.device_models.bench import Bench
from tests.device_models.machines import plant_config


@pytest.fixture
def small() -> Bench:
    return Bench(plant_config("bench_small"))


def trace(bench: Bench, device: str, setpoints: Any, axis: int = 0) -> Any:
    """Follow (n,) setpoints; -> (n, 3): position, readback, second readback."""
    wires, drives = getattr(bench.image, device), getattr(bench.plant, device)
    out = np.zeros((len(setpoints), 3))
    for i, setpoint in enumerate(setpoints):
        wires["setpoint"][axis] = setpoint
        bench.run(1)
        out[i] = drives["position"][axis], wires["readback"][axis], wires["readback_2"][axis]
    return out


def ramp_up(start: float, speed: float, accel: float, cycles: int) -> Any:
    """Setpoints of a start with `accel` to `speed`, cycle by cycle."""
    velocity = np.minimum(np.arange(1, cycles + 1) * accel * DT_S, speed)
    return start + np.cumsum(velocity * DT_S)


def turning(bench: Bench, speed: float = 6.0, accel: float = 12.0, cycles: int = 300) -> Any:
    return trace(bench, "gantry", ramp_up(0.0, speed, accel, cycles))


def test_gantry_at_full_speed_coasts_one_degree_when_its_power_goes(small: Bench) -> None:
    turning(small)
    here = small.plant.gantry["position"][0]
    small.image.nodes["enable"] = 0.0
    cycles = 0
    while small.plant.gantry["velocity"][0] != 0.0:
        small.run(1)
        cycles += 1
    assert 0.85 <= small.plant.gantry["position"][0] - here <= 1.15
    assert 0.3 <= cycles * DT_S <= 0.45


@pytest.mark.parametrize("power", ["estop_ok", "mains_ok"])
def test_estop_and_mains_take_the_drive_power_without_the_controller(small: Bench, power: str) -> None:
    turning(small)
    small.plant.room[power] = 0.0
    small.run(60, lambda i: small.image.gantry["setpoint"].__iadd__(0.06))
    assert small.plant.gantry["velocity"][0] == 0.0
    assert small.image.nodes["powered"][Node.GANTRY] == 0.0


def test_gantry_lags_less_than_a_twentieth_of_a_degree_in_steady_motion(small: Bench) -> None:
    setpoints = ramp_up(0.0, 6.0, 12.0, 800)
    lag = setpoints - trace(small, "gantry", setpoints)[:, 1]
    assert 0.01 < lag[300:].mean() <= 0.05
    assert np.abs(lag).max() < 0.3  # the controller's catch_up


def test_leaves_follow_a_typical_modulated_delivery_as_real_ones_do(small: Bench) -> None:
    rng = np.random.default_rng(3)
    speeds = np.clip(rng.normal(0.0, 6.0, (60, 20)), -25.0, 25.0)  # mm/s, one segment every half second
    speeds[20:25] = 25.0 * np.sign(speeds[20:25])  # some at full speed for as long as there is room
    wanted = np.repeat(speeds, 50, axis=0)
    position = small.plant.mlc["position"].copy()
    velocity, off = np.zeros(20), []
    for row in wanted:
        velocity += np.clip(row - velocity, -5.0, 5.0)  # 500 mm/s2
        velocity[np.abs(position + velocity * 0.5) > 140.0] *= 0.9
        position += velocity * DT_S
        small.image.mlc["setpoint"] = position
        small.run(1)
        off.append(np.abs(position - small.image.mlc["readback"]))
    assert np.quantile(off, 0.95) < 0.07
    assert np.max(off) < 0.14


def test_jaws_stay_within_a_tenth_of_a_millimetre(small: Bench) -> None:
    setpoints = ramp_up(-50.0, 25.0, 50.0, 200)
    for axis in (0, 2):
        off = setpoints - trace(small, "jaws", setpoints, axis)[:, 1]
        assert np.abs(off).max() < 0.1


@pytest.mark.parametrize(("axis", "rms_mm"), [
    (Couch.LATERAL, 0.004), (Couch.LONGITUDINAL, 0.014), (Couch.VERTICAL, 0.006),
])
def test_a_still_couch_reads_as_quietly_as_a_real_one(small: Bench, axis: Couch, rms_mm: float) -> None:
    small.run(100)
    off = np.zeros(2000)
    for i in range(2000):
        small.run(1)
        off[i] = small.image.couch["readback"][axis] - small.image.couch["setpoint"][axis]
    assert np.sqrt(np.mean(off**2)) == pytest.approx(rms_mm, rel=0.25)


def quiet(name: str = "bench_small", **changes: Any) -> Bench:
    """A machine whose gantry encoders have no noise, so that play and steps can be seen."""
    gantry = plant_config(name).gantry[0].model_dump() | {"noise": 0.0, "noise_2": 0.0} | changes
    return Bench(plant_config(name, gantry=[gantry]))


def test_backlash_is_seen_by_the_primary_encoder_only() -> None:
    bench = quiet(backlash=0.2)
    there = trace(bench, "gantry", np.arange(1, 300) * 0.01)
    back = trace(bench, "gantry", 2.99 - np.arange(1, 100) * 0.01)
    assert np.abs(there[-50:, 0] - there[-50:, 1] - 0.2).max() < 0.001  # the load runs ahead of what the primary sees
    assert np.abs(np.concatenate([there, back])[:, 2] - np.concatenate([there, back])[:, 0]).max() < 0.0006
    turned = back[:, 0] < back[:, 0].max() - 0.05
    assert (back[turned, 1] == back[:, 1].max()).sum() > 5  # the load turns back, the primary stands
    assert back[-1, 1] - back[-1, 0] == pytest.approx(0.2, abs=0.001)


def test_readbacks_lie_on_the_encoder_grid(small: Bench) -> None:
    seen = trace(small, "gantry", ramp_up(0.0, 6.0, 12.0, 100))
    steps = seen[:, 1:] / 0.001
    assert np.abs(steps - np.rint(steps)).max() < 1e-6
    assert np.abs(seen[:, 1] - seen[:, 0]).max() < 0.05


@pytest.mark.parametrize("far", [500.0, -500.0])
def test_an_end_stop_holds_the_axis_and_takes_its_speed(far: float) -> None:
    bench = quiet(v_max=300.0, a_max=600.0, jerk=60000.0)
    trace(bench, "gantry", np.full(400, far))
    limit = bench.plant.gantry["high" if far > 0 else "low"][0]
    assert bench.plant.gantry["position"][0] == limit
    assert bench.plant.gantry["velocity"][0] == 0.0


@pytest.mark.parametrize("jump", [0.5, 10.0, 120.0])
def test_a_setpoint_jump_neither_swings_nor_shoots_over(small: Bench, jump: float) -> None:
    position = trace(small, "gantry", np.full(3000, jump))[:, 0]
    assert position.max() - jump < min(0.02 * jump, 0.5) + 0.02
    assert np.abs(position[-100:] - jump).max() < 0.03


def test_power_comes_back_without_a_jump(small: Bench) -> None:
    turning(small)
    small.image.nodes["enable"] = 0.0
    small.run(100, lambda i: small.image.gantry["setpoint"].__iadd__(0.06))  # the setpoint runs away meanwhile
    stands = float(small.plant.gantry["position"][0])
    small.image.gantry["setpoint"] = small.image.gantry["readback"]
    small.image.nodes["enable"] = 1.0
    after = np.array([trace(small, "gantry", [small.image.gantry["setpoint"][0]])[0, 0] for _ in range(100)])
    assert np.abs(after - stands).max() < 0.02


def test_power_that_comes_back_with_a_far_setpoint_starts_smoothly(small: Bench) -> None:
    small.image.nodes["enable"] = 0.0
    small.run(5)
    small.image.gantry["setpoint"] = 60.0
    small.image.nodes["enable"] = 1.0
    speeds = []
    for _ in range(50):
        small.run(1)
        speeds.append(float(small.plant.gantry["velocity"][0]))
    assert np.diff([0.0, *speeds]).max() <= 16.0 * DT_S + 1e-9


@pytest.mark.parametrize("nothing", [float("nan"), float("inf")])
def test_a_setpoint_that_is_no_number_brakes_and_leaves_the_truth_a_number(small: Bench, nothing: float) -> None:
    turning(small)
    here = float(small.plant.gantry["position"][0])
    trace(small, "gantry", np.full(100, nothing))
    assert small.plant.gantry["velocity"][0] == 0.0
    assert 0.85 <= small.plant.gantry["position"][0] - here <= 1.15
    assert np.isfinite(small.image.gantry["readback"][0])
    back = trace(small, "gantry", np.full(200, small.image.gantry["readback"][0]))
    assert np.ptp(back[:, 0]) < 0.02


def test_a_reading_that_is_no_number_brakes_too(small: Bench) -> None:
    turning(small)
    small.plant.gantry["bias"] = float("nan")
    small.run(60, lambda i: small.image.gantry["setpoint"].__iadd__(0.06))
    assert np.isnan(small.image.gantry["readback"][0])
    assert small.plant.gantry["velocity"][0] == 0.0
    assert np.isfinite(small.plant.gantry["position"][0])


@pytest.mark.parametrize("enable", [0.0, 0.5, 2.0, float("nan")])
def test_only_an_exact_yes_on_the_enable_wire_gives_power(small: Bench, enable: float) -> None:
    small.image.nodes["enable"] = enable
    trace(small, "gantry", ramp_up(0.0, 6.0, 12.0, 50))
    assert small.plant.gantry["position"][0] == 0.0
    assert not small.image.nodes["powered"][:Node.BEAM].any()


@pytest.mark.parametrize(("age", "moves"), [(0, True), (10, True), (11, False), (-10, True), (-11, False), (10**6, False)])
def test_a_drive_that_hears_old_orders_only_takes_its_own_power_away(small: Bench, age: int, moves: bool) -> None:
    small.run(20)
    for place in ramp_up(0.0, 6.0, 12.0, 50):
        small.image.nodes["said_cycle"] = small.cycle - age
        small.image.gantry["setpoint"] = place
        small.run(1)
    assert bool(small.plant.gantry["position"][0] > 0.5) is moves
    assert bool(small.image.nodes["powered"][Node.GANTRY]) is moves


def test_whoever_gives_no_stamps_is_heard(small: Bench) -> None:
    small.image.nodes["said_cycle"] = 0
    trace(small, "gantry", ramp_up(0.0, 6.0, 12.0, 50))
    assert small.plant.gantry["position"][0] > 0.5


def test_faults_of_a_drive_are_writes_to_its_record(small: Bench) -> None:
    drives = small.plant.mlc
    drives["moves"][3], drives["bias"][4], drives["drift_per_cycle"][5], drives["freeze"][6] = 0.0, 1.0, 0.01, 1.0
    drives["bias_2"][7], drives["freeze_2"][8], drives["scale"][9] = 2.0, 1.0, 0.98
    start = drives["position"].copy()
    small.image.mlc["setpoint"][:10] = start[:10] - 5.0
    small.run(100)
    moved, seen, second = drives["position"] - start, small.image.mlc["readback"], small.image.mlc["readback_2"]
    assert moved[3] == 0.0 and abs(seen[3] - start[3]) < 0.1  # dead, and its encoder says so
    assert moved[4] == pytest.approx(-6.0, abs=0.2)  # the servo believes its encoder
    assert moved[5] == pytest.approx(-6.0, abs=0.3)
    assert seen[6] == start[6] and abs(second[6] - start[6]) > 0.5
    assert moved[7] == pytest.approx(-5.0, abs=0.2) and second[7] == pytest.approx(start[7] - 3.0, abs=0.2)
    assert moved[8] == pytest.approx(-5.0, abs=0.2) and np.isnan(second[8])  # never spoke
    assert seen[9] == pytest.approx(start[9] - 5.0, abs=0.2) and drives["position"][9] > start[9] - 4.5
    assert moved[0] == pytest.approx(-5.0, abs=0.1)


def test_a_load_that_creeps_moves_with_the_brakes_on(small: Bench) -> None:
    small.image.nodes["enable"] = 0.0
    small.plant.couch["creep"][Couch.VERTICAL] = -100.0
    start = small.plant.couch["position"][Couch.VERTICAL]
    small.run(50)
    assert small.plant.couch["position"][Couch.VERTICAL] == pytest.approx(start - 50.0)


def test_a_load_that_slides_goes_under_power_whatever_it_is_told_and_the_brake_holds_it_without(small: Bench) -> None:
    vertical = int(Couch.VERTICAL)
    small.run(10)
    start = float(small.plant.couch["position"][vertical])
    small.plant.couch["slides"][vertical] = -40.0
    small.run(10)
    assert small.plant.couch["position"][vertical] == pytest.approx(start - 4.0)
    assert abs(small.image.couch["readback"][vertical] - (start - 4.0)) < 0.5  # its encoders say so
    small.image.nodes["enable"][Node.COUCH] = 0.0
    small.run(30)
    assert small.plant.couch["velocity"][vertical] == 0.0
    assert small.plant.couch["position"][vertical] == pytest.approx(start - 4.0, abs=0.1)


@pytest.mark.parametrize("speed_mm_per_s", [20.0, 60.0, 200.0])
def test_a_couch_that_falls_is_held_by_its_brake_within_three_millimetres(small: Bench, speed_mm_per_s: float) -> None:
    vertical = int(Couch.VERTICAL)
    small.plant.couch["slides"][vertical] = -speed_mm_per_s
    small.run(5)
    here = float(small.plant.couch["position"][vertical])
    assert small.plant.couch["velocity"][vertical] == -speed_mm_per_s
    small.image.nodes["enable"][Node.COUCH] = 0.0
    small.run(20)  # 200 ms: SI-17
    assert small.plant.couch["velocity"][vertical] == 0.0
    assert here - small.plant.couch["position"][vertical] <= 3.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_gantry_that_runs_away_faster_than_it_may_rests_within_400_ms_and_2_deg(small: Bench, sign: float) -> None:
    small.plant.gantry["slides"] = sign * 8.0
    small.run(5)
    here = float(small.plant.gantry["position"][0])
    small.image.nodes["enable"] = 0.0
    small.run(40)
    assert small.plant.gantry["velocity"][0] == 0.0
    assert abs(small.plant.gantry["position"][0] - here) <= 2.0


def test_a_drive_goes_no_faster_than_its_top_speed_whatever_it_is_told(small: Bench) -> None:
    rng = np.random.default_rng(5)
    fastest = {"couch": 0.0, "mlc": 0.0}
    for _ in range(400):
        for device in fastest:
            small.image[small.image._fields.index(device)]["setpoint"] = rng.uniform(-1e6, 1e6, len(getattr(small.image, device)))
        small.run(1)
        for device in fastest:
            drives = getattr(small.plant, device)
            fastest[device] = max(fastest[device], float((np.abs(drives["velocity"]) / drives["v_max"]).max()))
    assert fastest == {"couch": 1.0, "mlc": 1.0}


def test_a_silent_node_keeps_its_last_readings_and_an_old_stamp(small: Bench) -> None:
    turning(small, cycles=50)
    small.plant.nodes["silent"][Node.GANTRY] = 1.0
    said, stamp = small.image.gantry["readback"][0], small.image.nodes["sampled_cycle"][Node.GANTRY]
    small.run(20, lambda i: small.image.gantry["setpoint"].__iadd__(0.06))
    assert small.image.gantry["readback"][0] == said
    assert small.image.nodes["sampled_cycle"][Node.GANTRY] == stamp == small.cycle - 21
    assert small.image.nodes["sampled_cycle"][Node.COUCH] == small.cycle - 1
    assert small.plant.gantry["velocity"][0] > 1.0


def test_a_stale_node_repeats_old_readings_under_a_fresh_stamp(small: Bench) -> None:
    turning(small, cycles=50)
    small.plant.nodes["stale"][Node.GANTRY] = 1.0
    said = small.image.gantry["readback"][0]
    small.run(20, lambda i: small.image.gantry["setpoint"].__iadd__(0.06))
    assert small.image.gantry["readback"][0] == said
    assert small.image.nodes["sampled_cycle"][Node.GANTRY] == small.cycle - 1


def test_axes_are_calibrated_after_their_reference_run() -> None:
    bench = Bench(plant_config("bench_small", initialise_s=0.5))
    bench.run(49)
    assert not bench.image.nodes["calibrated"].any()
    bench.run(1)
    assert bench.image.nodes["calibrated"].all()
