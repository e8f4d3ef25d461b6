"""One disturbed wire, by hand: who reads what, and what becomes of values that come between two cycles."""

import numpy as np
import pytest

from device_models.disturb.wire import lie, new_wires, tell_truth
from device_models.faults.behaviour import Behaviour

ORDER = list(Behaviour)
RINGS = np.zeros(8)


class Line:
    """One word; `cycle` is what its readers get."""

    def __init__(self, behaviour: Behaviour, value: float, **settings: float) -> None:
        self.floats, self.wires = (np.array([value]),), new_wires(1)
        self.wholes = (self.floats[0].view(np.int64),)
        self.wires["behaviour"], self.wires["active"] = ORDER.index(behaviour), 1
        for name, given in settings.items():
            self.wires[name] = given
        self.now = 0

    def cycle(self) -> float:
        """Nobody writes."""
        self.now += 1
        tell_truth(self.wires, self.floats, self.wholes)
        lie(self.wires, RINGS, self.floats, self.wholes, self.now)
        return float(self.floats[0][0])

    def said(self, value: float) -> float:
        """Its sender has written between two cycles."""
        self.floats[0][0] = value
        return self.cycle()


def test_a_wire_that_nobody_writes_is_not_disturbed_twice() -> None:
    line = Line(Behaviour.BIAS, 5.0, size=1.0)
    assert [line.cycle() for _ in range(3)] == [6.0, 6.0, 6.0]


def test_what_a_sender_with_a_time_of_its_own_writes_between_two_cycles_is_not_lost() -> None:
    line = Line(Behaviour.BIAS, 5.0, size=1.0)
    assert (line.cycle(), line.said(9.0), line.cycle(), line.said(2.0)) == (6.0, 10.0, 10.0, 3.0)


@pytest.mark.parametrize(("chance", "read"), [(0.0, [6.0, 7.0, 8.0]), (1.0, [5.0, 5.0, 5.0])])
def test_values_that_come_slowly_come_through_a_line_that_loses_none_and_not_through_one_that_loses_all(chance: float,
                                                                                                        read: list[float]) -> None:
    line = Line(Behaviour.DROP, 5.0, chance=0.0)
    line.cycle()
    line.wires["chance"] = chance
    assert [line.said(value) for value in (6.0, 7.0, 8.0)] == read


def test_a_value_that_is_no_number_is_taken_back_as_well() -> None:
    line = Line(Behaviour.NAN, 5.0)
    assert np.isnan(line.cycle()) and np.isnan(line.cycle())
    tell_truth(line.wires, line.floats, line.wholes)
    assert line.floats[0][0] == 5.0
