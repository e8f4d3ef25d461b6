"""Tests as a user would write them."""

DOOR = """
import pytest
from linac_ctl.testing import at_mu, beam_off, beam_on, interlock

{mark}
{sync}def test_a_door_stops_the_beam(linac, operator):
    {wait}linac.until(at_mu(5, beam=1))
    {wait}linac.expect(beam_on)
    operator.open_door()
    moment = {wait}linac.expect(beam_off, within_ms=60, for_ms=200)
    assert moment.took_ms <= 20
    {wait}linac.expect(interlock("DOOR"))
    assert linac.first_out == ["DOOR"]
"""


def door_test(is_async: bool, mark: str = "") -> str:
    """The same test in both kinds."""
    return DOOR.format(mark=mark, sync="async " if is_async else "", wait="await " if is_async else "")


FROZEN = """
import pytest
from linac_ctl.testing import at_mu, beam_off

{mark}
{sync}def test_a_monitor_that_stands_still_stops_the_beam(linac, inject):
    {wait}linac.until(at_mu(5, beam=1))
    fault = inject(signal="beam.mu_1", behaviour="freeze")
    {wait}linac.expect(beam_off, within_ms=300)
    assert fault.acted and linac.first_out == ["RATE_PLAUS"]
"""


def fault_test(is_async: bool, mark: str = "") -> str:
    """With a fault, in both kinds."""
    return FROZEN.format(mark=mark, sync="async " if is_async else "", wait="await " if is_async else "")
