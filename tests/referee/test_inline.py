"""The checks in line on traces made by hand: which pulse stops the run, and which does not yet."""

from typing import Any

import pytest

from device_models.interface.image import records
from device_models.referee.columns import JUDGED, STATE, Flag
from device_models.referee.inline import look
from tests.referee.made import CYCLES, LAST, MLC_POS, MU_DIS, PER_CYCLE, ROWS, Alter, Made

MID = 250


def stopped_by(alter: Alter) -> tuple[int, int]:
    """-> (number of the property that stops the run, cycles after MID); zeros if none does."""
    made = Made()
    alter(made)
    states = records(1, STATE)
    state, states["inhibits"][0, 0] = states[0], sum(int(row.inhibits) << i for i, row in enumerate(ROWS))
    for row in made.rows:
        if look(state, row) == JUDGED:
            return int(state["violated"]), int(row["cycle"]) - MID
    return 0, 0


def back(made: Made, row: int, cycles: int, *, away: int = 20, every: int = 1) -> Made:
    """A trip ends the beam; later it is back for so many cycles, with pulses in every so many."""
    made.trip(row, MID)
    for k in range(0, cycles, every):
        made.pulses(MID + 1 + away + k, MID + 2 + away + k, 4, PER_CYCLE)
    return made


def lost(made: Made, flag: Flag, cycles: int) -> Made:
    """These bits are missing."""
    return made.flag(flag, MID, MID + cycles, on=False)


def unsaid(made: Made) -> Made:
    """A row trips, and the controller does not say that it forbids anything."""
    return made.trip(MU_DIS, MID, react=False).flag(Flag.INHIBIT, MID, CYCLES, on=False)


@pytest.mark.parametrize(("alter", "number", "after"), [
    (lambda m: m, 0, 0),
    (lambda m: unsaid(m).dark(MID + 3, LAST), 0, 0),
    (unsaid, 29, 3),
    (lambda m: m.flag(Flag.INHIBIT, MID, MID + 2), 0, 0),
    (lambda m: m.flag(Flag.INHIBIT, MID, MID + 3), 1, 2),
    (lambda m: lost(m, Flag.PERMIT, 3), 0, 0),
    (lambda m: lost(m, Flag.PERMIT, 4), 2, 3),
    (lambda m: lost(m, Flag.HEARTBEAT, 5), 0, 0),
    (lambda m: lost(m, Flag.HEARTBEAT, 6), 12, 5),
    (lambda m: m.add("total_mu", MID, LAST, 4.0), 0, 0),
    (lambda m: m.add("total_mu", MID, LAST, 60.0), 5, 0),
])
def test_a_pulse_is_allowed_for_just_as_long_as_a_machine_with_faults_may_take(alter: Any, number: int, after: int) -> None:
    assert stopped_by(alter) == (number, after)


@pytest.mark.parametrize("row", [MLC_POS, MU_DIS])
def test_a_beam_that_comes_back_while_it_is_forbidden_has_to_be_stopped_within_30_ms(row: int) -> None:
    assert stopped_by(lambda m: back(m, row, 3)) == (0, 0)
    assert stopped_by(lambda m: back(m, row, 5))[0] in (1, 2, 29)


@pytest.mark.parametrize(("row", "number"), [(MLC_POS, 29), (MU_DIS, 29)])
def test_a_beam_that_comes_back_with_a_permit_is_stopped_at_once(row: int, number: int) -> None:
    assert stopped_by(lambda m: back(m, row, 1).flag(Flag.PERMIT, MID + 21, MID + 22)) == (number, 21)


def test_few_pulses_that_come_back_are_no_less_a_beam() -> None:
    number, after = stopped_by(lambda m: back(m, MU_DIS, 40, every=3))
    assert number == 29 and after == 21 + 3


def test_a_pause_of_a_beam_that_goes_on_is_no_new_beginning() -> None:
    assert stopped_by(lambda m: back(m, MU_DIS, 3, away=4)) == (29, 5)


def test_a_beam_after_the_interlock_is_over_is_a_new_one() -> None:
    def twice(made: Made) -> Any:
        made.trip(MLC_POS, MID, MID + 30).pulses(MID + 10, MID + 12, 4, PER_CYCLE)
        return made.trip(MLC_POS, MID + 60, MID + 90).pulses(MID + 80, MID + 83, 4, PER_CYCLE)
    assert stopped_by(twice) == (0, 0)
