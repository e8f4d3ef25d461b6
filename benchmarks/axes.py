"""(d) What one more axis costs, from 5 to 500."""

import numba
import numpy as np

from benchmarks.measure import Row, best_us
from device_models.interface.image import AXIS
from device_models.parts.drive import new_drives, step_drives
from tests.support import machine

compiled = numba.njit(error_model="numpy", _nrt=False)


@compiled
def loop(drives, wires, sample, n):
    """n cycles of all axes."""
    for _ in range(n):
        step_drives(drives, wires, True, True, sample)


def ns_per_axis(axes: int) -> float:
    """Leaves of the HD120 machine, standing."""
    leaf = machine("c_arm_hd120").plant.leaf
    assert leaf is not None
    drives, wires = new_drives([leaf] * axes), np.zeros(axes, AXIS)
    wires["setpoint"] = wires["readback"] = wires["readback_2"] = drives["position"]
    drives["stream"] = 2 * np.arange(axes)
    sample = np.linspace(-1.0, 1.0, 2 * axes)
    return best_us(lambda n: loop(drives, wires, sample, n), max(40_000 // axes, 20)) / axes * 1e3


def rows() -> list[Row]:
    """Flat: the last is no dearer than the first."""
    sizes = (5, 20, 80, 160, 500)
    cost = [ns_per_axis(n) for n in sizes]
    found = [Row(f"{n} axes", ns, "ns per axis") for n, ns in zip(sizes, cost)]
    return [*found, Row("500 axes against 5, per axis", cost[-1] / cost[0], "ratio", "about 1")]
