"""Noise is a function of (seed, stream, cycle): what else a machine has changes nobody's (K9)."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from linac_ctl.config.loader import Machine
from tests.support import Run, order_for, quick


def without(machine: Machine, *devices: str) -> Machine:
    """The machine with some devices not fitted."""
    none: dict[str, Any] = dict.fromkeys(devices, ())
    return replace(machine, controller=machine.controller.model_copy(update=none), plant=machine.plant.model_copy(update=none))


def standing(machine: Machine, seed: int = 3, couch_bias_mm: float = 0.0) -> dict[str, Any]:
    """(100,) readbacks of a machine that was just powered up and stands, by axis."""
    sim = Run(order_for(machine, seed=seed))
    sim.engine.power_up()
    if couch_bias_mm:
        sim.plant.couch["bias"][0] = couch_bias_mm
    seen: dict[str, list[float]] = {}
    for _ in range(100):
        sim.engine.advance(1)
        for device in ("gantry", "collimator", "jaws", "mlc", "carriages", "couch"):
            for i, value in enumerate(getattr(sim.image, device)["readback"].tolist()):
                seen.setdefault(f"{device} {i}", []).append(value)
    return {name: np.array(values) for name, values in seen.items()}


@pytest.mark.parametrize("devices", [("couch",), ("carriages",), ("collimator", "couch", "carriages")])
def test_a_device_less_changes_nobody_elses_noise(devices: tuple[str, ...]) -> None:
    whole, part = standing(quick()), standing(without(quick(), *devices))
    assert len(part) < len(whole) and np.ptp(whole["gantry 0"]) > 0.0
    for axis, values in part.items():
        assert np.array_equal(values, whole[axis]), axis


def test_a_longer_machine_keeps_the_samples_of_the_streams_it_shares() -> None:
    small, large = (Run(order_for(name)).plant.noise for name in ("bench_small", "c_arm_hd120"))
    shared = set(small.key.tolist()) & set(large.key.tolist())
    assert len(shared) == len(small.key)  # every stream of the bench is one of the large machine
    assert len(set(large.key.tolist())) == len(large.key)


def test_a_fault_on_one_axis_leaves_the_readings_of_the_others() -> None:
    healthy, faulty = standing(quick()), standing(quick(), couch_bias_mm=0.2)
    for axis, values in healthy.items():
        assert np.array_equal(values, faulty[axis]) == (axis != "couch 0"), axis


def test_another_seed_is_another_noise() -> None:
    a, b = standing(quick(), 3), standing(quick(), 4)
    assert not any(np.array_equal(a[axis], b[axis]) for axis in a)
