"""B. Motion: only when asked for, never too fast, and soon over. Places are plant truth."""

from typing import Any

import numpy as np

from ..columns import Flag
from ..judging.runs import falls, rises, run_length
from ..judging.table import ANGULAR, CYCLE_MS, DT_S, Table
from ..judging.verdict import Verdict
from .catalogue import ANY, Property, joined

CREEP = {"mm": 0.5, "deg": 0.1}  # per s: slower than this is no motion
STOP_MS = {"mm": 200.0, "deg": 300.0}
GANTRY_STOP_MS = 400.0  # from full speed; real ones coast 0.85 to 1.15 deg in about 0.4 s
TRAVEL = {"mm": 3.0, "deg": 2.0}
SLOW_DEG_PER_S, SLOW_TRAVEL_DEG = 1.0, 0.5
SLOWLY = 20  # cycles from when something begins to go by itself until that is more than noise
UNASKED_MS, SETTLED_CYCLES, AWAY_OVER = 50.0, 50, 5  # a setpoint that stands for 0.5 s; growing for 50 ms
OVER_SPEED, OVER_MS = 1.02, 250.0
CONTACT_MS, CONTACT = 50.0, {"mm": 10.0, "deg": 2.0}
CLOSEST_MM = 20.0
PUT_THERE = "ROM-06"  # something is put in the way; so close that it touches, that is the fault, and SI-18 judges what comes of it


def stop_ms(name: str, unit: str) -> float:
    """How long an axis may take to rest."""
    return GANTRY_STOP_MS if name == "gantry" else STOP_MS[unit]


def moving(table: Table, name: str) -> Any:
    """(n,) bool."""
    return table.speed(name) > CREEP[table.axes[name][1]]


def movers(table: Table) -> list[str]:
    """Names of the axes that move at any time."""
    return [name for name, (_, unit, _) in table.watched.items() if table.fastest[name] > np.float32(CREEP[unit])]


def no_motion_without_enable(it: Property, table: Table) -> Verdict:
    """SI-16."""
    if not table.watched:
        return it.apart("every device is outside this process: how they move is not known here")
    verdicts = [it.far(UNASKED_MS)]
    for name in movers(table):
        device, unit, _ = table.axes[name]
        off = ~table.power[device]
        if (moving(table, name) & off).any():
            loose = moving(table, name) & (run_length(off) * CYCLE_MS > stop_ms(name, unit))
            verdicts.append(it.worst(table, UNASKED_MS - run_length(loose) * CYCLE_MS, f"{name}: moved without drive power",
                                     at_most=UNASKED_MS, looked=loose))
        if table.setpoint(name) is not None:
            verdicts.append(unasked(it, table, name, unit))
    return joined(verdicts)


def unharmed_for_long(table: Table) -> np.ndarray:
    """(n,) bool: no fault is effective, nor soon will be: what goes slowly has gone for a while when that is seen."""
    soon = np.full(len(table), bool(table.unharmed[-1]))
    soon[: max(len(table) - SLOWLY, 0)] = table.unharmed[SLOWLY:]
    return soon


def unasked(it: Property, table: Table, name: str, unit: str) -> Verdict:
    """Under power, but nobody has asked it to go where it goes."""
    loose = moving(table, name) & (table.still(name) > SETTLED_CYCLES)
    off = np.zeros(len(table))
    if loose.any():
        off = np.abs(table.axes[name][2].astype(float) - table.setpoint(name))
        away = np.concatenate([np.zeros(min(AWAY_OVER, len(off))), off[AWAY_OVER:] - off[:-AWAY_OVER]])[: len(off)]
        loose &= away > CREEP[unit] * AWAY_OVER * DT_S
    if not loose.any():
        return it.worst(table, UNASKED_MS, "", at_most=UNASKED_MS, looked=loose)
    sound = unharmed_for_long(table)
    limit = np.where(sound, UNASKED_MS, UNASKED_MS + stop_ms(name, unit))
    left = limit - run_length(loose) * CYCLE_MS
    left = np.where(~sound & (left < 0.0) & (off <= TRAVEL[unit]), 0.0, left)  # slow, and seen before it was far
    return it.worst(table, left, f"{name}: went where nobody had asked it to go",
                    at_most=UNASKED_MS, looked=loose)


def motion_stops(it: Property, table: Table) -> Verdict:
    """SI-17."""
    verdicts = [power_goes(it, table), leaves_stop(it, table)]
    gone = {device: falls(on).tolist() for device, on in table.power.items()}
    for name, (device, unit, place) in table.watched.items():
        for at in gone[device]:
            speed = table.speed(name)
            if speed[at] > CREEP[unit]:
                verdicts.append(one_stop(it, table, name, unit, place.astype(float), speed, at))
    return joined(verdicts)


def power_goes(it: Property, table: Table) -> Verdict:
    """A row that stops motion takes drive power within two cycles: as it is said, a link may be broken."""
    stops = table.any_row([row.stops_motion for row in table.facts.rows]) & table.has(Flag.ALIVE)
    on = stops & (table["asked"] != 0)
    return it.worst(table, lambda: 1.0 - run_length(on) / 2.0, "drive power after a motion stop", at_most=1.0, looked=on)


def one_stop(it: Property, table: Table, name: str, unit: str, place: np.ndarray, speed: np.ndarray, at: int) -> Verdict:
    """One axis that was under way when its power went: share left of time and way."""
    device = table.axes[name][0]
    back = np.flatnonzero(table.power[device][at:])
    end = at + int(back[0]) if len(back) else len(table)
    rest = np.flatnonzero(speed[at:end] <= CREEP[unit])
    took_ms = (int(rest[0]) if len(rest) else end - at) * CYCLE_MS
    way = float(np.abs(place[at:end] - place[max(at - 1, 0)]).max(initial=0.0))
    slow = unit == ANGULAR and speed[at] < SLOW_DEG_PER_S
    limit = SLOW_TRAVEL_DEG if slow else TRAVEL[unit]
    left = min(1.0 - took_ms / stop_ms(name, unit), 1.0 - way / limit)
    text = f"{name}: rest after {took_ms:.0f} ms and {way:.2f} {unit}"
    margins = np.full(len(table), np.inf)
    margins[at] = left
    return it.worst(table, margins, text, at_most=1.0, looked=margins < np.inf)


def leaves_stop(it: Property, table: Table) -> Verdict:
    """All leaves together: only their greatest speed is on record while they have no power."""
    if "mlc" in table.facts.outside:
        return it.apart("the leaves are outside this process")
    off = ~table.power["mlc"]
    loose = off & (table["leaf_mm_per_s"] > CREEP["mm"])
    return it.worst(table, lambda: 1.0 - run_length(off) * CYCLE_MS / STOP_MS["mm"], "leaves: moved this long without drive power",
                    at_most=1.0, looked=loose)


def speed_limits(it: Property, table: Table) -> Verdict:
    """SI-18."""
    verdicts = [contact(it, table)]
    verdicts += [too_fast(it, table, name, table.axes[name][1], table.speed(name), v_max) for name, v_max in nearest(it, table)]
    if (leaf := table.facts.v_max.get("mlc")) and "mlc" not in table.facts.outside:
        fast = table["leaf_mm_per_s"].astype(float)
        verdicts.append(too_fast(it, table, "leaves", "mm", fast, leaf[0]))
    return joined(verdicts)


def nearest(it: Property, table: Table) -> list[tuple[str, float]]:
    """(axis, its top speed) of those that are too fast, and of the one of all others that comes nearest to it."""
    limits, counts = [], dict.fromkeys(table.power, 0)
    for name, (device, _, _) in table.watched.items():
        if counts[device] < len(table.facts.v_max.get(device, ())):
            limits.append((name, table.facts.v_max[device][counts[device]]))
        counts[device] += 1
    if not limits:
        return []
    most = np.array([OVER_SPEED * v_max for _, v_max in limits], np.float32)
    rows = table.counting(it.holds_for)
    fastest = np.array([table.fastest[name] for name, _ in limits])
    over = fastest > most
    counted = fastest if len(rows) == len(table) else np.array([table.speed(name)[rows].max(initial=0.0) for name, _ in limits])
    first = int(np.argmin(np.where(over, np.inf, 1.0 - counted / most)))
    return [limit for i, limit in enumerate(limits) if over[i] or i == first]


def too_fast(it: Property, table: Table, name: str, unit: str, speed: np.ndarray, v_max: float) -> Verdict:
    """Share of the speed left. A load that falls (one fault) is caught within 250 ms and 10 mm, or 2 deg."""
    over = speed > OVER_SPEED * v_max
    if not over.any():
        return it.worst(table, lambda: 1.0 - speed / (OVER_SPEED * v_max), f"{name}: share of the top speed left", at_most=1.0)
    run = run_length(over)
    way = np.cumsum(np.where(over, speed, 0.0)) * DT_S
    caught = ~table.unharmed & (run * CYCLE_MS <= OVER_MS) & (way <= CONTACT[unit])
    left = 1.0 - speed / (OVER_SPEED * v_max)
    return it.worst(table, np.where(over & caught, 0.0, left), f"{name}: share of the top speed left", at_most=1.0)


def contact(it: Property, table: Table) -> Verdict:
    """Something touches: power gone within 50 ms, at most 10 mm or 2 deg further, and never back by itself."""
    touched = ~table.has(Flag.GUARD)
    verdicts = [it.held(1.0, "nothing touched")]
    for at in rises(touched).tolist():
        on = table["enable"][at : at + 7] != 0
        took = float(run_length(on)[-1] if len(on) else 0) * CYCLE_MS if on.all() else float(np.argmin(on)) * CYCLE_MS
        margins = np.full(len(table), np.inf)
        margins[at] = 1.0 - took / CONTACT_MS
        for _, unit, place in table.watched.values():
            way = np.abs(place[at : at + 50].astype(float) - float(place[at])).max()
            margins[at] = min(margins[at], 1.0 - way / CONTACT[unit])
        verdicts.append(it.worst(table, margins, "contact: power, and way after it", at_most=1.0, looked=margins < np.inf))
    return joined(verdicts)


def put_there(table: Table, clear: np.ndarray) -> np.ndarray:
    """(n,) mm, up to zero: how near a fault has put something, less the way that contact allows; it counts from when it touches."""
    floor = np.zeros(len(table))
    for at in rises(table.begun(PUT_THERE, 1)).tolist():
        if clear[at] < 0.0:
            floor[at:] = np.minimum(floor[at:], clear[at] - CONTACT["mm"])
    return floor


def no_collision(it: Property, table: Table) -> Verdict:
    """SI-19."""
    clear = table["clearance_mm"].astype(float)
    known = np.isfinite(clear)
    if not known.any():
        return it.apart("no clearance is computed")
    automatic = known & (table["phase"] == table.facts.moving_phase) & (table["enable"] != 0) & (clear < CLOSEST_MM)
    if automatic.any():
        automatic &= np.any([moving(table, name) for name in table.axes], axis=0)
    near = run_length(automatic) * CYCLE_MS
    bare = clear - put_there(table, clear)
    left = np.where(near > 60.0, clear - CLOSEST_MM, np.where(clear < CLOSEST_MM, bare, clear - CLOSEST_MM))
    return it.worst(table, left, "mm between machine, couch and patient, less 20 mm during automatic motion", at_most=1e4,
                    looked=known)


MOTION = (
    Property("SI-16", "no motion without enable", "ms", ANY, "0.5 mm/s, 0.1 deg/s; 50 ms",
             "motion after the stop of SI-17 should be over; under power: away from a setpoint that has stood for 0.5 s, by a "
             "fault no longer than 50 ms and the stop, or no farther than 3 mm, 2 deg", no_motion_without_enable),
    Property("SI-17", "motion stops", "share", ANY, "200 ms and 3 mm; 300 ms and 0.5 deg below 1 deg/s, 2 deg above; gantry 400 ms",
             "from the cycle in which drive power is away to rest; leaves by their greatest speed", motion_stops),
    Property("SI-18", "speed and force limits", "share", 1, "1.02 x top speed; contact: 50 ms, 10 mm",
             "top speed is the drive's; a load that falls is caught within 250 ms and 10 mm; contact counts until power is away",
             speed_limits),
    Property("SI-19", "no collision", "mm", 1, "0 mm; 20 mm in automatic motion, 60 ms to stop",
             "distance as the collision computer has it, from second encoders; of what a fault puts there so close that it "
             "touches, the 10 mm of SI-18", no_collision),
)
