"""The collision computer: sane where a person can check it in their head."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from device_models.collision import look, new_collision, new_envelope, new_sine_table, sine
from device_models.interface.image import AXIS, Couch, records
from tests.device_models.bench import Bench
from tests.device_models.machines import plant_config

PARKED_KV, IMAGING_KV = (1000.0, -900.0, 0.0, 800.0), (1000.0, -500.0, 0.0, 0.0)
PARKED_MV = (-850.0, 0.0, 0.0)


def wires(values: tuple[float, ...]) -> Any:
    rows = records(len(values), AXIS)
    rows["readback_2"] = values
    return rows


def clearance(gantry: float, *, kv: tuple[float, ...] = PARKED_KV, mv: tuple[float, ...] = PARKED_MV,
              patient: bool = True, **couch: float) -> float:
    bodies = plant_config("c_arm_m120").bodies
    axes = [0.0] * 6
    for name, value in couch.items():
        axes[Couch[name.upper()]] = value
    parts = new_collision(bodies)[0], new_envelope(bodies), new_sine_table()
    return float(look(*parts, wires((gantry,)), wires(tuple(axes)), wires(kv), wires(mv), patient))


def test_the_sine_table_is_as_good_as_it_says() -> None:
    table = new_sine_table()
    angles = np.linspace(-400.0, 400.0, 2003)
    assert max(abs(sine(table, float(a)) - math.sin(math.radians(a))) for a in angles) < 4e-7


def test_a_full_arc_at_couch_zero_is_clear_by_five_centimetres() -> None:
    assert min(clearance(float(g)) for g in range(-185, 186, 5)) > 50.0


def test_a_full_arc_with_the_kv_arms_out_is_clear_too() -> None:
    assert min(clearance(float(g), kv=IMAGING_KV) for g in range(-185, 186, 5)) > 50.0


@pytest.mark.parametrize("gantry", [90.0, -90.0])
def test_couch_90_with_the_gantry_beside_it_collides(gantry: float) -> None:
    assert clearance(gantry, rotation=90.0) < 0.0


def test_gantry_above_a_turned_couch_is_clear() -> None:
    for rotation in (-90.0, -45.0, 45.0, 90.0):
        assert clearance(0.0, rotation=rotation) > 50.0


def test_left_and_right_are_mirror_images() -> None:
    for gantry in (10.0, 45.0, 100.0, 135.0, 179.0):
        for shift in (0.0, 60.0):
            left = clearance(-gantry, lateral=-shift, kv=(1000.0, -1000.0, 0.0, 800.0), mv=PARKED_MV)
            right = clearance(gantry, lateral=shift, kv=(1000.0, -1000.0, 0.0, 800.0), mv=PARKED_MV)
            assert left == pytest.approx(right, abs=1e-3)


def test_couch_and_gantry_turned_the_other_way_are_mirror_images() -> None:
    far = (1000.0, -1000.0, 0.0, 900.0)
    for gantry, rotation in ((30.0, 20.0), (60.0, -40.0), (100.0, 10.0)):
        left, right = clearance(gantry, rotation=rotation, kv=far), clearance(-gantry, rotation=-rotation, kv=far)
        assert left == pytest.approx(right, abs=1e-3)


def test_raising_the_couch_under_the_head_brings_it_closer_millimetre_by_millimetre() -> None:
    heights = np.arange(0.0, 400.0, 10.0)
    gaps = np.array([clearance(0.0, vertical=float(h)) for h in heights])
    assert gaps[0] == pytest.approx(415.0 - 125.0, abs=1.0)
    assert np.diff(gaps) == pytest.approx(-10.0, abs=0.01)
    assert gaps[-1] < 0.0


def test_moving_a_detector_in_brings_it_closer() -> None:
    gaps = [clearance(180.0, kv=IMAGING_KV, mv=(float(v), 0.0, 0.0)) for v in (-500.0, -400.0, -300.0, -200.0, -100.0)]
    assert all(later < sooner + 1e-9 for sooner, later in pairwise(gaps))
    assert gaps[-1] < 0.0


def test_without_a_patient_there_is_more_room() -> None:
    assert clearance(0.0, patient=False) > clearance(0.0) + 100.0


@pytest.mark.parametrize("axis", ["lateral", "longitudinal", "vertical", "rotation", "pitch", "roll"])
def test_an_axis_that_says_nothing_makes_the_clearance_unknown(axis: str) -> None:
    assert math.isnan(clearance(0.0, **{axis: float("nan")}))


def test_a_gantry_or_an_arm_that_says_nothing_makes_the_clearance_unknown() -> None:
    assert math.isnan(clearance(float("nan")))
    assert math.isnan(clearance(0.0, kv=(1000.0, float("nan"), 0.0, 0.0)))
    assert math.isnan(clearance(0.0, mv=(float("inf"), 0.0, 0.0)))


def test_the_clearance_is_known_from_the_second_cycle_on_and_follows_within_a_tenth_of_a_second() -> None:
    bench = Bench(plant_config("c_arm_m120"))
    bench.run(2)
    assert bench.image.room["clearance_mm"][0] > 50.0
    bench.plant.collision["obstruction_mm"] = 12.0
    bench.run(10)
    assert bench.image.room["clearance_mm"][0] == 12.0


def test_a_bench_without_couch_has_nothing_to_collide_with() -> None:
    bench = Bench(plant_config("bench_one_axis"))
    bench.run(3)
    assert bench.image.room["clearance_mm"][0] == 10000.0


def test_every_machine_has_a_sine_table_of_its_own():
    one, other = new_sine_table(), new_sine_table()
    one[900] = 0.0
    assert other[900] == new_sine_table()[900] == 1.0
