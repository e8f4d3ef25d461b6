"""Whether a line carries an exchange every cycle."""

import pytest

from device_models.interface.wire.fields import UNITS
from device_models.interface.wire.sizes import highest_rate_hz, sizes
from device_models.interface.wire.tables import USUAL
from linac_ctl.errors import LinkError
from linac_ctl.links.budget import Budget, require_fit


def of(unit: str, baud: int, rate_hz: float = 100.0) -> Budget:
    return Budget(baud, rate_hz, *sizes(UNITS[unit], USUAL.get(unit, [])))


@pytest.mark.parametrize("unit, baud, fits", [
    ("mlc", 921600, True), ("mlc", 115200, False), ("couch", 115200, True), ("beam", 115200, False), ("gantry", 57600, True),
    ("mlc", 0, True),
])
def test_what_fits_at_100_hz(unit, baud, fits):
    assert of(unit, baud).fits is fits


@pytest.mark.parametrize("unit", UNITS)
def test_the_highest_rate_is_the_pages_and_fits_while_a_higher_one_does_not(unit):
    highest_hz = of(unit, 115200).highest_hz
    assert highest_hz == highest_rate_hz(UNITS[unit], USUAL.get(unit, []), 115200)
    assert of(unit, 115200, highest_hz * 0.999).fits and not of(unit, 115200, highest_hz * 1.001).fits


def test_the_busier_direction_counts():
    assert Budget(9600, 10, 96, 1).used == Budget(9600, 10, 1, 96).used == 1.0


def test_refused_in_one_line_that_says_what_would_do():
    with pytest.raises(LinkError) as refused:
        require_fit("mlc at /dev/ttyUSB0", of("mlc", 115200))
    assert str(refused.value) == ("mlc at /dev/ttyUSB0: 498 B out and 835 B back at 100 Hz are 725% of 115200 baud: does not fit; "
                                  "it carries 13 Hz at most: set the line to 921600 baud")
    with pytest.raises(LinkError, match="use TCP"):
        require_fit("x", Budget(115200, 100, 10**5, 1))
    require_fit("couch", of("couch", 115200))


def test_shown_in_one_line():
    assert str(of("couch", 115200)) == "60 B out and 110 B back at 100 Hz are 95% of 115200 baud: fits"
    assert str(of("couch", 0)).endswith("no baud rate, fits")
