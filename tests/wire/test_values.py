"""What crosses a wire is the same bits on both sides, for every number that is on its grid."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_models.interface.image import new_image
from device_models.interface.wire.fields import UNITS
from device_models.interface.wire.values import (
    hear_readings,
    hear_targets,
    hear_values,
    say_readings,
    say_targets,
    say_values,
)
from tests.support import machine

whole = st.integers(-2_000_000, 2_000_000)
VALUES = [(unit, way) for unit in UNITS.values() if not unit.axes for way in ("hears", "says") if getattr(unit, way)]


def wires(name: str) -> Any:
    return getattr(new_image(machine("c_arm_m120").controller.sizes()), name)


@pytest.mark.parametrize("name", ["couch", "mlc"])
@given(data=st.data())
def test_targets_and_readings_of_axes_are_the_same_bits(name: str, data: Any) -> None:
    here, there = wires(name), wires(name)
    n = len(here)
    first = np.array(data.draw(st.lists(whole, min_size=n, max_size=n)))
    apart = np.array(data.draw(st.lists(st.integers(-9999, 9999), min_size=n, max_size=n)))
    here["setpoint"], here["readback"], here["readback_2"] = first / 1000, first / 1000, (first + apart) / 1000
    assert np.array_equal(hear_targets(UNITS[name], say_targets(UNITS[name], here).split(), n), here["setpoint"])
    assert hear_readings(UNITS[name], say_readings(UNITS[name], here).split(), there)
    assert there["readback"].tobytes() == here["readback"].tobytes() and \
        there["readback_2"].tobytes() == here["readback_2"].tobytes()


@pytest.mark.parametrize(("unit", "way"), VALUES, ids=[f"{unit.name}-{way}" for unit, way in VALUES])
@given(data=st.data())
def test_all_other_values_are_the_same_bits(unit: Any, way: str, data: Any) -> None:
    here, there = wires(unit.name), wires(unit.name)
    values = getattr(unit, way)
    for value in values:
        at = slice(None) if value.at == -1 else (0, value.at)
        here[value.record_field][at] = data.draw(st.integers(-9_999_999, 9_999_999)) / value.per
    assert hear_values(values, say_values(values, here).split(), there)
    assert all(there[v.record_field].tobytes() == here[v.record_field].tobytes() for v in values)


@pytest.mark.parametrize("name", ["couch", "mlc"])
def test_a_reading_that_is_none_stays_none(name: str) -> None:
    here, there = wires(name), wires(name)
    here["readback"] = here["readback_2"] = np.nan
    there["readback"] = 5.0
    assert hear_readings(UNITS[name], say_readings(UNITS[name], here).split(), there)
    assert np.isnan(there["readback"]).all() and np.isnan(there["readback_2"]).all()


@pytest.mark.parametrize("args", [[], ["1"] * 11, ["1"] * 13, ["1"] * 11 + ["x"], ["1"] * 11 + ["1.5"]])
def test_anything_but_all_numbers_writes_nothing(args: list[str]) -> None:
    here = wires("couch")
    assert not hear_readings(UNITS["couch"], args, here) and np.isnan(here["readback"]).all()


@pytest.mark.parametrize("args", [["B=AAAA", "D=AAAA"], ["B=AAAA"], ["D=AAAA", "B=AAAA"], ["B=!", "D=!"], ["1", "2"]])
def test_blocks_of_another_size_or_form_write_nothing(args: list[str]) -> None:
    here = wires("mlc")
    assert not hear_readings(UNITS["mlc"], args, here) and np.isnan(here["readback"]).all()
    assert hear_targets(UNITS["mlc"], args, len(here)) is None
