"""The protocol page says what the code does."""

from pathlib import Path

import numpy as np

from device_models.interface.wire.blocks import pack_16, pack_24, unpack_16, unpack_24
from device_models.interface.wire.fields import UNITS
from device_models.interface.wire.sizes import highest_rate_hz
from device_models.interface.wire.tables import USUAL, imagers, rates, units

PAGE = (Path(__file__).parents[2] / "docs/reference/wire-protocol.md").read_text()


def test_the_tables_of_the_page_are_those_of_the_code():
    assert "\n".join(units()) in PAGE
    assert "\n".join(rates()) in PAGE
    assert "\n".join(imagers()) in PAGE


def test_120_leaves_at_100_hz_fit_921600_baud_and_not_115200():
    leaves = UNITS["mlc"], USUAL["mlc"]
    assert highest_rate_hz(*leaves, 921_600) > 100.0 > highest_rate_hz(*leaves, 115_200)


def test_a_couch_of_six_axes_fits_115200_baud_at_100_hz():
    assert highest_rate_hz(UNITS["couch"], USUAL["couch"], 115_200) >= 100.0


def test_blocks_come_out_as_they_went_in_with_no_reading_as_nan():
    values = np.array([0.0, 1.0, -1.0, 8_388_607.0, -8_388_607.0, np.nan])
    assert np.array_equal(unpack_24(pack_24(values), 6), values, equal_nan=True)
    near = np.array([0.0, 32_767.0, -32_767.0, np.nan])
    assert np.array_equal(unpack_16(pack_16(near), 4), near, equal_nan=True)
    assert unpack_24("AAAA", 2) is None and unpack_24("AA=A", 1) is None and unpack_16("????", 1) is None
