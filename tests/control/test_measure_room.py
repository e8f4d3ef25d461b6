"""Door, guards, switches and clearance, as signals."""

import math
from typing import Any

import pytest

from linac_ctl.control.measure_room import measure_room
from linac_ctl.control.signals import Signal
from tests.control.bare import Bare

NAN, INF = float("nan"), float("inf")
CLOSED = ("door_closed", "door_closed_2", "last_person_out", "estop_ok", "motion_enable", "motion_enable_2", "touchguard_ok",
          "touchguard_ok_2", "key_on", "mains_ok", "room_monitor_ok")
ALONE = {"last_person_out": Signal.LAST_PERSON_OUT, "estop_ok": Signal.ESTOP, "key_on": Signal.KEY, "mains_ok": Signal.MAINS,
         "room_monitor_ok": Signal.ROOM_MONITOR}
PAIRS = {Signal.DOOR: ("door_closed", "door_closed_2", Signal.DOOR_SPLIT),
         Signal.MOTION_ENABLE: ("motion_enable", "motion_enable_2", Signal.ENABLE_SPLIT),
         Signal.TOUCHGUARD: ("touchguard_ok", "touchguard_ok_2", Signal.TOUCHGUARD_SPLIT)}


class Room(Bare):
    """A room in which all is well, and the bar is needed and has been held for long."""

    def __init__(self) -> None:
        super().__init__()
        self.set("room", clearance_mm=500.0, **dict.fromkeys(CLOSED, 1.0))
        self.set("job", bar_needed=1.0, bar_held=1, person_out=1, door_cycled=1.0, guards_tested=1.0, cycle=1000)

    def cycle(self, **room: float) -> "Room":
        """The next one, with these wires."""
        self.set("room", **room)
        self.job["cycle"] += 1
        measure_room(self.job, self.signals, self.room)
        return self


@pytest.fixture
def room() -> Room:
    return Room()


def same(value: float, expected: float) -> bool:
    """Equal, or both no number."""
    return value == expected or (math.isnan(value) and math.isnan(expected))


# --- switches

def test_a_room_in_which_all_is_well_says_so(room: Room) -> None:
    room.cycle()
    well = (*ALONE.values(), *PAIRS, Signal.SERVICE_MODE, Signal.BYPASS, Signal.DOOR_CYCLED, Signal.GUARDS_TESTED)
    assert {room.signal(signal) for signal in well} == {1.0}
    assert {room.signal(split) for _, _, split in PAIRS.values()} == {0.0}
    assert room.signal(Signal.CLEARANCE_MM) == 500.0


@pytest.mark.parametrize("wire", ALONE)
@pytest.mark.parametrize(("says", "signal"), [(0.0, 0.0), (0.5, 0.0), (2.0, 0.0), (INF, 0.0), (NAN, NAN)])
def test_each_switch_has_its_own_signal(room: Room, wire: str, says: float, signal: float) -> None:
    room.cycle(**{wire: says})
    assert same(room.signal(ALONE[wire]), signal)
    assert {room.signal(other) for name, other in ALONE.items() if name != wire} == {1.0}


@pytest.mark.parametrize(("wire", "signal"), [("service_mode", Signal.SERVICE_MODE), ("bypass", Signal.BYPASS)])
@pytest.mark.parametrize(("says", "fine"), [(0.0, 1.0), (1.0, 0.0), (0.5, 0.0), (-1.0, 0.0), (NAN, NAN)])
def test_a_service_switch_and_a_bypass_plug_are_fine_only_where_they_are_not(room: Room, wire: str, signal: Signal, says: float,
                                                                             fine: float) -> None:
    other = Signal.BYPASS if signal is Signal.SERVICE_MODE else Signal.SERVICE_MODE
    assert same(room.cycle(**{wire: says}).signal(signal), fine) and room.signal(other) == 1.0


@pytest.mark.parametrize("signal", PAIRS)
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(("says", "pair", "split"), [(0.0, 0.0, 1.0), (0.75, 0.0, 0.25), (1.5, 0.0, 0.5), (NAN, NAN, NAN)])
def test_of_two_contacts_the_worse_counts_and_their_difference_is_told(room: Room, signal: Signal, which: int, says: float,
                                                                       pair: float, split: float) -> None:
    room.cycle(**{PAIRS[signal][which]: says})
    assert same(room.signal(signal), pair) and same(room.signal(PAIRS[signal][2]), split)


@pytest.mark.parametrize(("needed", "seen"), [(1.0, 0.0), (0.51, 0.0), (0.5, 1.0), (0.0, 1.0)])
def test_a_released_bar_counts_only_while_it_is_needed(room: Room, needed: float, seen: float) -> None:
    room.set("job", bar_needed=needed)
    assert room.cycle(motion_enable=0.0, motion_enable_2=0.0).signal(Signal.MOTION_ENABLE) == seen


def test_a_bar_that_says_no_number_is_unknown_even_where_it_is_not_needed(room: Room) -> None:
    room.set("job", bar_needed=0.0)
    assert math.isnan(room.cycle(motion_enable_2=NAN).signal(Signal.MOTION_ENABLE))


@pytest.mark.parametrize(("says_mm", "clearance_mm"), [(20.0, 20.0), (-3.0, -3.0), (0.0, 0.0), (1e6, NAN), (INF, NAN), (NAN, NAN)])
def test_a_clearance_that_cannot_be_is_unknown(room: Room, says_mm: float, clearance_mm: float) -> None:
    assert same(room.cycle(clearance_mm=says_mm).signal(Signal.CLEARANCE_MM), clearance_mm)


# --- the door behind the last person

def goes_out(room: Room, first: int, second: int, later: int) -> float:
    """Those contacts have said open for one cycle; so many cycles later the search is over. -> DOOR_CYCLED"""
    room.cycle(last_person_out=0.0)
    room.set("job", door_open_cycle=-1000)
    room.cycle(door_closed=1.0 - first, door_closed_2=1.0 - second)
    for _ in range(later - 1):
        room.cycle(door_closed=1.0, door_closed_2=1.0)
    return room.cycle(door_closed=1.0, door_closed_2=1.0, last_person_out=1.0).signal(Signal.DOOR_CYCLED)


@pytest.mark.parametrize(("first", "second", "later", "cycled"), [
    (1, 1, 1, 1.0), (1, 1, 50, 1.0), (1, 1, 51, 0.0), (1, 0, 10, 0.0), (0, 1, 10, 0.0), (0, 0, 10, 0.0)])
def test_both_contacts_of_the_door_have_to_open_shortly_before_it_closes_behind_the_last_person(
        room: Room, first: int, second: int, later: int, cycled: float) -> None:
    assert goes_out(room, first, second, later) == cycled
    assert room.cycle().signal(Signal.DOOR_CYCLED) == cycled  # and it is remembered


@pytest.mark.parametrize("which", [0, 1])
def test_of_two_contacts_that_opened_the_older_one_counts(room: Room, which: int) -> None:
    room.cycle(last_person_out=0.0)
    cycle = int(room.job["cycle"])
    room.set("job", door_open_cycle=[cycle - 60, cycle - 5] if which == 0 else [cycle - 5, cycle - 60])
    assert room.cycle(last_person_out=1.0).signal(Signal.DOOR_CYCLED) == 0.0


@pytest.mark.parametrize("says", [0.5, NAN, -0.5])
def test_a_contact_that_says_no_zero_has_not_said_open(room: Room, says: float) -> None:
    room.cycle(last_person_out=0.0)
    room.set("job", door_open_cycle=-1000)
    room.cycle(door_closed=says, door_closed_2=says)
    assert room.cycle(door_closed=1.0, door_closed_2=1.0, last_person_out=1.0).signal(Signal.DOOR_CYCLED) == 0.0


def test_the_door_is_judged_once_when_the_search_ends(room: Room) -> None:
    assert goes_out(room, 1, 1, 10) == 1.0
    for _ in range(80):
        room.cycle()
    assert room.signal(Signal.DOOR_CYCLED) == 1.0
    assert goes_out(room, 0, 0, 10) == 0.0
    assert goes_out(room, 1, 1, 10) == 1.0


@pytest.mark.parametrize("says", [0.999, 2.0, NAN])
def test_a_search_that_is_not_wholly_over_is_not_over(room: Room, says: float) -> None:
    room.cycle(last_person_out=0.0)
    room.cycle(last_person_out=says)
    assert room.job["person_out"] == 0 and room.signal(Signal.DOOR_CYCLED) == 1.0


# --- guards that test themselves

def take_bar(room: Room, *cycles: tuple[float, float]) -> list[float]:
    """The bar is let go and taken; what both contacts of the guards say from then on. -> GUARDS_TESTED of those cycles"""
    room.cycle(motion_enable=0.0, motion_enable_2=0.0)
    seen = []
    for first, second in cycles:
        room.cycle(motion_enable=1.0, motion_enable_2=1.0, touchguard_ok=first, touchguard_ok_2=second)
        seen.append(room.signal(Signal.GUARDS_TESTED))
    return seen


BOTH_OPEN, FIRST, SECOND, NONE = (0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)


@pytest.mark.parametrize("at", range(5))
def test_guards_have_passed_when_both_contacts_open_within_five_cycles(room: Room, at: int) -> None:
    room.set("job", guards_tested=0.0)
    assert take_bar(room, *[BOTH_OPEN if i == at else NONE for i in range(7)]) == [0.0] * 4 + [1.0] * 3


def test_contacts_may_open_one_after_the_other(room: Room) -> None:
    room.set("job", guards_tested=0.0)
    assert take_bar(room, FIRST, NONE, NONE, SECOND, NONE, NONE) == [0.0] * 4 + [1.0] * 2


@pytest.mark.parametrize("said", [FIRST, SECOND, NONE, (0.5, 0.0), (0.0, 0.5), (NAN, 0.0), (0.0, NAN), (-1.0, 0.0)])
def test_guards_of_which_a_contact_does_not_open_have_failed(room: Room, said: tuple[float, float]) -> None:
    assert take_bar(room, said, said, said, said, NONE, NONE) == [1.0] * 4 + [0.0] * 2


def test_what_opens_after_the_test_comes_too_late(room: Room) -> None:
    assert take_bar(room, NONE, NONE, NONE, NONE, NONE, BOTH_OPEN, BOTH_OPEN) == [1.0] * 4 + [0.0] * 3


@pytest.mark.parametrize("later", [NONE, FIRST, SECOND])
def test_what_opened_in_an_earlier_test_does_not_count(room: Room, later: tuple[float, float]) -> None:
    assert take_bar(room, BOTH_OPEN, NONE, NONE, NONE, NONE)[-1] == 1.0
    assert take_bar(room, later, NONE, NONE, NONE, NONE)[-1] == 0.0


@pytest.mark.parametrize("held", [{"motion_enable": 1.0}, {"motion_enable_2": 1.0}, {"motion_enable": 1.0, "motion_enable_2": 0.9},
                                  {"motion_enable": NAN, "motion_enable_2": 1.0}])
def test_a_bar_held_by_one_contact_starts_no_test(room: Room, held: dict[str, float]) -> None:
    room.cycle(motion_enable=0.0, motion_enable_2=0.0)
    room.cycle(**held)
    assert room.job["guard_test_left"] == 0 and room.job["bar_held"] == 0


def test_a_bar_that_is_held_on_starts_no_other_test(room: Room) -> None:
    take_bar(room, *[NONE] * 9)
    assert room.job["guard_test_left"] == 0 and room.job["bar_held"] == 1


def test_while_guards_test_themselves_open_ones_are_not_pressed_and_afterwards_they_are(room: Room) -> None:
    room.cycle(motion_enable=0.0, motion_enable_2=0.0)
    seen = []
    for _ in range(7):
        room.cycle(motion_enable=1.0, motion_enable_2=1.0, touchguard_ok=0.0, touchguard_ok_2=1.0)
        seen.append(room.signal(Signal.TOUCHGUARD))
    assert seen == [1.0] * 5 + [0.0] * 2


def test_a_guard_that_says_no_number_is_unknown_even_in_its_test(room: Room) -> None:
    take_bar(room, (NAN, 1.0))
    assert math.isnan(room.signal(Signal.TOUCHGUARD))


def test_a_room_that_has_said_nothing_yet_is_not_well() -> None:
    dead: Any = Bare()
    measure_room(dead.job, dead.signals, dead.room)
    assert {dead.signal(signal) for signal in (*ALONE.values(), Signal.DOOR, Signal.TOUCHGUARD)} == {0.0}
    assert math.isnan(dead.signal(Signal.CLEARANCE_MM))
