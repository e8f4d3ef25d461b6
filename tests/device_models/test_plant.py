"""The whole plant: all machines, ports, and equal bits compiled and plain."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from device_models.interface.image import AXIS_DEVICES, Node
from device_models.plant import new_plant, sizes
from tests.device_models.bench import Bench
from tests.device_models.machines import NAMES, document, plant_config
from tests.device_models.plain import session

OF_A_MONITOR = ("surface_mm", "breath_mm")  # cameras of sessions that have a patient
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", NAMES)
def test_every_machine_runs_and_every_wire_has_a_number_after_two_cycles(name: str) -> None:
    bench = Bench(plant_config(name))
    bench.run(2)
    for part, wires in bench.image._asdict().items():
        for field in wires.dtype.names:
            assert field in OF_A_MONITOR or np.isfinite(wires[field]).all(), f"{part}.{field}"
    assert np.isnan(bench.image.room["surface_mm"]).all() and bench.image.room["surface_cycle"][0] == -1  # nobody looks
    assert (bench.image.nodes["sampled_cycle"] == 1).all()


@pytest.mark.parametrize("name", NAMES)
def test_controller_and_plant_of_a_machine_have_the_same_axes(name: str) -> None:
    controller, plant = document(name)["controller"], sizes(plant_config(name))
    for device in AXIS_DEVICES:
        if device != "mlc":
            assert len(controller[device]) == plant[device], device
    pairs = len(controller["mlc"]["boundaries_mm"]) - 1 if "mlc" in controller else 0
    assert plant["mlc"] == 2 * pairs


@pytest.mark.parametrize("name", NAMES)
def test_the_plant_can_do_a_little_more_than_it_is_asked_for(name: str) -> None:
    controller, plant = document(name)["controller"], plant_config(name)
    pairs = [(axis, drive) for device in AXIS_DEVICES if device != "mlc"
             for axis, drive in zip(controller[device], getattr(plant, device), strict=True)]
    pairs += [(controller["mlc"]["leaf"], plant.leaf)] if "mlc" in controller else []
    for axis, drive in pairs:
        assert drive.v_max > max(axis["speed"], axis["beam_speed"]), axis["name"]
        assert drive.a_max > axis["accel"], axis["name"]
        assert drive.low < axis["low"] and axis["high"] < drive.high, axis["name"]
        assert axis["low"] <= drive.start <= axis["high"], axis["name"]
    assert list(controller["beam"]["modes"]) == list(plant.modes)
    for mode, true in zip(controller["beam"]["modes"].values(), plant.modes.values(), strict=True):
        assert mode["mu_per_pulse"] == true.mu_per_pulse
        assert mode["max_dose_rate_mu_per_min"] == pytest.approx(60 * true.mu_per_pulse * true.pulses_per_s, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_every_axis_rests_soon_enough_from_its_top_speed_when_its_power_goes(name: str) -> None:
    plant = plant_config(name)
    drives = [(device, drive) for device in AXIS_DEVICES if device != "mlc" for drive in getattr(plant, device)]
    drives += [("mlc", plant.leaf)] if plant.leaf_pairs else []
    for device, drive in drives:
        turns = device in ("gantry", "collimator") or drive.v_max < 5.0  # the couch turns and tilts slowly
        longest_s, farthest = (0.4 if device == "gantry" else 0.3, 2.0) if turns else (0.2, 3.0)  # SI-17
        assert drive.v_max / drive.brake <= longest_s, (device, drive)
        assert drive.v_max**2 / (2.0 * drive.brake) <= farthest, (device, drive)


@pytest.mark.parametrize("name", NAMES)
def test_a_machine_stands_where_it_started(name: str) -> None:
    bench = Bench(plant_config(name))
    before = {device: getattr(bench.plant, device)["position"].copy() for device in AXIS_DEVICES}
    bench.run(200)
    for device, was in before.items():
        assert np.abs(getattr(bench.plant, device)["position"] - was).max(initial=0.0) < 0.25, device


@pytest.mark.parametrize("device", AXIS_DEVICES)
def test_a_device_behind_a_port_is_left_alone(device: str) -> None:
    bench = Bench(plant_config("c_arm_m120"), behind_ports=(device,))
    wires = getattr(bench.image, device)
    wires["readback"] = wires["readback_2"] = 1.25
    bench.run(5)
    assert getattr(bench.plant, device).size == 0
    assert (wires["readback"] == 1.25).all()
    assert bench.image.nodes["sampled_cycle"][Node[device.upper()]] == -1
    assert bench.image.nodes["sampled_cycle"].max() == 4


def test_only_devices_of_axes_go_behind_ports() -> None:
    with pytest.raises(ValueError, match=r"safety cannot be behind a port; possible: gantry, .*mv_arm"):
        new_plant(plant_config("bench_small"), 1, ("safety",))


def test_a_live_parameter_that_is_not_configured_is_refused() -> None:
    config = plant_config("bench_small")
    live = {name: pair for name, pair in config.source.live.items() if name != "water_c"}
    broken = config.model_copy(update={"source": config.source.model_copy(update={"live": live})})
    with pytest.raises(ValueError, match="water_c"):
        new_plant(broken, 1)


def test_two_runs_of_one_seed_have_the_same_bits_and_another_seed_has_others() -> None:
    assert session(5) == session(5)
    assert session(5) != session(6)


def test_plain_python_and_machine_code_have_the_same_bits() -> None:
    plain = subprocess.run([sys.executable, "-m", "tests.device_models.plain"], cwd=ROOT, capture_output=True, text=True,
                           check=True, env=os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)})
    assert plain.stdout.strip() == session()
