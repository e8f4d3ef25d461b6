"""The treatment room and the console: door, buttons, keys, bars. Operators write the truth; contacts carry it."""

from typing import Any

import numpy as np

from .interface.compiled import compiled
from .interface.grid import on_grid
from .interface.image import DT_S, records
from .parts.node import report

GUARD_TEST_CYCLES = 3

ROOM_STATE = np.dtype([
    # truth, written by operators (1.0 yes, 0.0 no)
    ("door_closed", "f8"), ("search_pressed", "f8"), ("patient_present", "f8"),
    ("estop_ok", "f8"), ("motion_enable", "f8"), ("touchguard_ok", "f8"), ("key_on", "f8"), ("mains_ok", "f8"),
    ("room_monitor_ok", "f8"), ("service_mode", "f8"), ("bypass", "f8"),
    # memory
    ("door_1", "f8"), ("door_2", "f8"),  # what the two door contacts say; wired to the safety channel as well
    ("door_was_closed", "f8"), ("last_person_out", "f8"), ("search_left", "i8"),
    ("bar_was_held", "f8"), ("guard_test_left", "i8"),
    # parameters
    ("search_cycles", "i8"),
    # where faults write
    # contacts: 0.0; 1.0 = welded closed; -1.0 = open, whatever the truth
    ("door_stuck", "f8"), ("door_stuck_2", "f8"),
    ("bar_stuck", "f8"), ("bar_stuck_2", "f8"),  # dead-man
    ("guard_stuck", "f8"), ("guard_stuck_2", "f8"),  # touch guards: closed is free
])


@compiled
def either(truth, stuck):
    """A contact that is welded closed says 1.0 whatever the truth, a broken one 0.0."""
    said = 0.0 if stuck < -0.5 else truth
    return 1.0 if stuck > 0.5 else said


@compiled
def search(room):
    """Last person out: button pressed with the door open, and the door closed in time since. An open door forgets."""
    was_closed, room.door_was_closed = room.door_was_closed, room.door_closed
    if room.search_pressed > 0.5 and not (room.door_closed == 1.0 and was_closed == 1.0):
        room.search_left = room.search_cycles
    room.search_pressed = 0.0
    if room.door_closed != 1.0:
        room.last_person_out = 0.0
        room.search_left -= 1 if room.search_left > 0 else 0
    elif room.search_left > 0:
        room.last_person_out, room.search_left = 1.0, 0


@compiled
def test_guards(room):
    """The touch guards open for a moment when somebody takes the bar, so that a welded contact is found; -> 1.0 = not just now."""
    if room.motion_enable == 1.0 and room.bar_was_held != 1.0:
        room.guard_test_left = GUARD_TEST_CYCLES
    room.bar_was_held = room.motion_enable
    testing = room.guard_test_left > 0
    room.guard_test_left -= 1 if testing else 0
    return 0.0 if testing else 1.0


@compiled
def step_room(room, wire, clearance_mm, node, node_wire, cycle):
    """One cycle. `clearance_mm`: what the collision computer says; contact presses the touch guards."""
    search(room)
    room.door_1, room.door_2 = either(room.door_closed, room.door_stuck), either(room.door_closed, room.door_stuck_2)
    free = 0.0 if clearance_mm <= 0.0 else room.touchguard_ok
    free *= test_guards(room)
    if not report(node, node_wire, True, cycle):
        return
    wire.door_closed, wire.door_closed_2 = room.door_1, room.door_2
    wire.last_person_out, wire.estop_ok = room.last_person_out, room.estop_ok
    wire.motion_enable = either(room.motion_enable, room.bar_stuck)
    wire.motion_enable_2 = either(room.motion_enable, room.bar_stuck_2)
    wire.touchguard_ok, wire.touchguard_ok_2 = either(free, room.guard_stuck), either(free, room.guard_stuck_2)
    wire.key_on, wire.mains_ok, wire.room_monitor_ok = room.key_on, room.mains_ok, room.room_monitor_ok
    wire.service_mode, wire.bypass, wire.clearance_mm = room.service_mode, room.bypass, on_grid(clearance_mm)


def new_room(search_window_s: float) -> Any:
    """ROOM_STATE (1,): door open, nobody on the couch, key off, nothing pressed, mains and cameras fine."""
    return records(1, ROOM_STATE, estop_ok=1.0, touchguard_ok=1.0, mains_ok=1.0, room_monitor_ok=1.0,
                   search_cycles=round(search_window_s / DT_S))
