"""From the room's wires to signals: door, guards, switches, clearance."""

from device_models.interface.compiled import compiled

from .signals import Signal
from .worst import closed, known_mm, lesser

DOOR_SHUTS = 50  # cycles: from the last word of a contact that the door is open to the end of the search
GUARD_TEST = 5  # cycles: a little longer than the touch guards' own test


@compiled
def watch_door(job, room):
    """1.0 when both contacts said open shortly before the door closed behind the last person: a welded one does not."""
    job.door_open_cycle[0] = job.cycle if room.door_closed == 0.0 else job.door_open_cycle[0]
    job.door_open_cycle[1] = job.cycle if room.door_closed_2 == 0.0 else job.door_open_cycle[1]
    out = 1 if room.last_person_out == 1.0 else 0
    if out == 1 and job.person_out == 0:
        longest = job.cycle - min(job.door_open_cycle[0], job.door_open_cycle[1])
        job.door_cycled = 1.0 if longest <= DOOR_SHUTS else 0.0
    job.person_out = out
    return job.door_cycled


@compiled
def watch_guards(job, room):
    """1.0 when both contacts of the touch guards opened as they do when the bar is taken: a welded one does not."""
    held = 1 if room.motion_enable == 1.0 and room.motion_enable_2 == 1.0 else 0
    if held == 1 and job.bar_held == 0:
        job.guard_test_left, job.guards_open[0], job.guards_open[1] = GUARD_TEST, 0, 0
    job.bar_held = held
    if job.guard_test_left > 0:
        job.guards_open[0] = 1 if room.touchguard_ok == 0.0 else job.guards_open[0]
        job.guards_open[1] = 1 if room.touchguard_ok_2 == 0.0 else job.guards_open[1]
        job.guards_tested = float(job.guards_open[0] * job.guards_open[1]) if job.guard_test_left == 1 else job.guards_tested
    return job.guards_tested


@compiled
def measure_guards(job, signals, room):
    """Pressed or not; while the guards test themselves, before anything moves far, they say nothing of that."""
    signals[Signal.GUARDS_TESTED] = watch_guards(job, room)
    pressed = lesser(closed(room.touchguard_ok), closed(room.touchguard_ok_2))
    signals[Signal.TOUCHGUARD] = 1.0 if job.guard_test_left > 0 and pressed == 0.0 else pressed
    signals[Signal.TOUCHGUARD_SPLIT] = abs(room.touchguard_ok - room.touchguard_ok_2)
    job.guard_test_left -= 1 if job.guard_test_left > 0 else 0


@compiled
def measure_room(job, signals, room):
    """Switches; 1.0 is healthy."""
    signals[Signal.DOOR_CYCLED] = watch_door(job, room)
    signals[Signal.DOOR] = lesser(closed(room.door_closed), closed(room.door_closed_2))
    signals[Signal.DOOR_SPLIT] = abs(room.door_closed - room.door_closed_2)
    signals[Signal.LAST_PERSON_OUT] = closed(room.last_person_out)
    signals[Signal.ESTOP] = closed(room.estop_ok)
    bar = lesser(closed(room.motion_enable), closed(room.motion_enable_2))
    signals[Signal.MOTION_ENABLE] = bar if job.bar_needed > 0.5 or bar != bar else 1.0
    signals[Signal.ENABLE_SPLIT] = abs(room.motion_enable - room.motion_enable_2)
    measure_guards(job, signals, room)
    signals[Signal.KEY] = closed(room.key_on)
    signals[Signal.MAINS] = closed(room.mains_ok)
    signals[Signal.ROOM_MONITOR] = closed(room.room_monitor_ok)
    signals[Signal.SERVICE_MODE] = closed(1.0 - room.service_mode)
    signals[Signal.BYPASS] = closed(1.0 - room.bypass)
    signals[Signal.CLEARANCE_MM] = known_mm(room.clearance_mm)
