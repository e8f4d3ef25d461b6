"""Small moves of a device's own (`MV`, `MA`) and cyclic ones (`SV`): they arrive, they are absolute, they can be halted."""

import math
from collections.abc import Sequence

from ..bench import HOLD, IDLE, MOVE, Bench, SkipError, powered, state_of
from ..client import Heard, Reply
from ..description import Axis

STEP = 2000  # um or mdeg: 2 mm, 2 degrees
LEAST_STEP = 200  # an axis with less room is left alone
OFF = 500  # um or mdeg that a reading may be off at rest: coarse encoders jump by 0.2 mm
PATIENCE_MS, LONGEST_MS = 3000.0, 60_000.0
SETTLE_MS = 500.0  # DONE says that the profile is over; a drive may swing a little longer
MOST_AXES = 6  # of a collimator with 120 leaves: three of each bank
SPEED_MARGIN, SPEED_SPAN_MS = 1.3, 100
CYCLE_MS, CYCLES = 10.0, 80
HALTED_AFTER_MS, LATE_S = 30.0, 0.02  # a device hears and acts once a cycle


def moves(bench: Bench) -> None:
    """Every axis there and back; the same target again moves nothing."""
    axes = chosen(bench)
    without_power(bench, axes[0])
    switch_on(bench)
    for axis in axes:
        there_and_back(bench, axis)
    all_together(bench, axes)


def chosen(bench: Bench) -> list[Axis]:
    """Axes with room; SkipError if there are none."""
    axes = [axis for axis in bench.told.axes if axis.high - axis.low >= 4 * LEAST_STEP]
    if not axes:
        raise SkipError("no axis with room for a small move is described")
    half = MOST_AXES // 2
    return axes if len(axes) <= MOST_AXES else [*axes[:half], *axes[-half:]]


def without_power(bench: Bench, axis: Axis) -> None:
    """Moves need `EN 1`."""
    bench.ask("EN 0")
    reply = bench.ask(f"MV {axis.number} {bench.here()[axis.number]:.0f}")
    bench.refused(reply, 4, "MV without drive power is refused with code 4")


def switch_on(bench: Bench) -> None:
    """Drive power, and the flag that says so."""
    bench.ask("EN 1")
    end_us = bench.client.now_us() + int(PATIENCE_MS * 1000)
    while not powered(reply := bench.ask("ST")) and bench.client.now_us() < end_us:
        bench.client.listen(20.0)
    bench.expect(state_of(reply) == HOLD and powered(reply), "EN 1: state HOLD, drives have power", reply.text[:60])


def goal_of(bench: Bench, axis: Axis, here: float) -> int:
    """A little away, where there is room; leaves open, so that they do not meet."""
    step = min(STEP, (axis.high - axis.low) // 4)
    outward = axis.number < bench.told.axes_said / 2 if bench.told.unit == "mlc" else here < axis.middle
    goal = int(here) + (step if outward else -step)
    return goal if axis.low <= goal <= axis.high else int(here) - (step if outward else -step)


def there_and_back(bench: Bench, axis: Axis) -> None:
    """`MV`, three times."""
    here = bench.here()[axis.number]
    goal = goal_of(bench, axis, here)
    watched = go(bench, axis, goal)
    bench.every(f"{axis.name} keeps to its vmax = {axis.vmax} per s", too_fast(bench, axis, watched))
    bench.client.listen(SETTLE_MS)
    settled = bench.here()[axis.number]
    strayed = [abs(place(bench, reply, axis) - settled) for reply in go(bench, axis, goal)]
    bench.expect(max(strayed, default=0.0) <= OFF, f"{axis.name}: the same target again moves nothing (absolute)",
                 f"{max(strayed, default=0.0):.0f} from where it was")
    go(bench, axis, round(here))


def go(bench: Bench, axis: Axis, goal: int) -> list[Reply]:
    """One move, watched until it is there; -> every status on the way."""
    bench.client.forget()
    begun = bench.ask(f"MV {axis.number} {goal}")
    bench.expect(state_of(begun) in (MOVE, HOLD), f"{axis.name}: MV to {goal} is taken", begun.text)
    watched = [bench.ask("ST")]
    end_us = bench.client.now_us() + int((PATIENCE_MS + longest_ms(axis)) * 1000)
    while not done(bench.client.events, axis) and bench.client.now_us() < end_us:
        bench.client.listen(5.0)
        watched.append(bench.ask("ST"))
    bench.expect(done(bench.client.events, axis), f"{axis.name}: event DONE axis={axis.number}")
    arrived(bench, {axis: goal})
    return watched


def longest_ms(axis: Axis) -> float:
    """More than a step takes at its vmax and amax."""
    return min(1000.0 * (STEP / axis.vmax + axis.vmax / axis.amax + 2.0 * math.sqrt(STEP / axis.amax)), LONGEST_MS)


def done(events: Sequence[Heard], axis: Axis) -> bool:
    """Has it said so?"""
    return any(event.line.args[1:3] == ("DONE", f"axis={axis.number}") for event in events)


def arrived(bench: Bench, goals: dict[Axis, int]) -> None:
    """State HOLD, readings near the goals; a drive may settle first."""
    end_us = bench.client.now_us() + int((PATIENCE_MS + max(map(longest_ms, goals))) * 1000)
    while (off := farthest(bench, reply := bench.ask("ST"), goals)) > OFF or state_of(reply) != HOLD:
        if bench.client.now_us() > end_us:
            break
        bench.client.listen(20.0)
    names = ", ".join(axis.name for axis in goals)
    there = off <= OFF and state_of(reply) == HOLD
    bench.expect(there, f"{names}: is there, state HOLD", f"{off:.0f} off, state {state_of(reply)}")


def farthest(bench: Bench, reply: Reply, goals: dict[Axis, int]) -> float:
    """How far the worst is from its goal; infinite without a reading."""
    return max(abs(place(bench, reply, axis) - goal) for axis, goal in goals.items())


def place(bench: Bench, reply: Reply, axis: Axis) -> float:
    """First reading of one axis; infinite where there is none."""
    found = bench.readings(reply)
    return found[axis.number] if axis.number < len(found) and math.isfinite(found[axis.number]) else math.inf


def too_fast(bench: Bench, axis: Axis, watched: Sequence[Reply]) -> list[str]:
    """Speeds beyond what it tells, between readings that are far enough apart to be sure."""
    found, then = [], watched[0]
    for now in watched[1:]:
        ms = (now.t_ms - then.t_ms) % 2**32
        if ms < SPEED_SPAN_MS:
            continue
        travel = abs(place(bench, now, axis) - place(bench, then, axis))
        if travel > OFF + SPEED_MARGIN * axis.vmax * ms / 1000.0:
            found.append(f"{travel:.0f} in {ms} ms")
        then = now
    return found


def all_together(bench: Bench, axes: Sequence[Axis]) -> None:
    """`MA` to where they are but for a step of some, and back."""
    here = [float(value) for value in bench.here()]
    goals = {axis: goal_of(bench, axis, here[axis.number]) for axis in axes}
    targets = list(here)
    for axis, goal in goals.items():
        targets[axis.number] = float(goal)
    bench.expect((reply := bench.ask(f"MA {bench.targets(targets)}")).ok, "MA is taken", reply.text)
    arrived(bench, goals)
    bench.ask(f"MA {bench.targets(here)}")
    arrived(bench, {axis: round(here[axis.number]) for axis in axes})


def halt(bench: Bench) -> None:
    """`HT` in the middle of a move: at rest as soon as it can, powered, not latched; then it moves again."""
    axis = chosen(bench)[0]
    switch_on(bench)
    here = round(bench.here()[axis.number])
    begun = bench.ask(f"MV {axis.number} {goal_of(bench, axis, here)}")
    bench.client.listen(HALTED_AFTER_MS)
    halted = bench.ask("HT")
    bench.expect((state := bench.wait_state(HOLD, PATIENCE_MS)) == HOLD, "HT ends in state HOLD, not latched", f"state {state}")
    most = OFF + farthest_travel(axis, (halted.heard.t_us - begun.sent_us) / 1e6 + LATE_S)
    at_rest(bench, axis, "after HT")
    travel = abs(place(bench, end := bench.ask("ST"), axis) - here)
    bench.expect(travel <= most, "it has gone no farther than its amax makes it", f"{travel:.0f}, at most {most:.0f}")
    bench.expect(powered(end), "the drives keep power")
    go(bench, axis, here)


def farthest_travel(axis: Axis, seconds: float) -> float:
    """Speeding up for so long, then braking."""
    speed = min(axis.vmax, axis.amax * seconds)
    return speed * seconds  # what is not yet gained while speeding up is what braking takes


def at_rest(bench: Bench, axis: Axis, when: str) -> None:
    """Two looks."""
    then = place(bench, bench.ask("ST"), axis)
    bench.client.listen(150.0)
    travel = abs(place(bench, bench.ask("ST"), axis) - then)
    bench.expect(travel <= OFF, f"{axis.name} stands {when}", f"{travel:.0f} um or mdeg in 0.15 s")


def following(bench: Bench) -> None:
    """`SV 1` along a slow ramp, as a controller does it, and back; `SV 0` takes the power away."""
    axes = chosen(bench)
    here = [float(value) for value in bench.here()]
    goals = {axis: goal_of(bench, axis, here[axis.number]) for axis in axes}
    cycles = max(CYCLES, round(2.0 * max(map(longest_ms, axes)) / CYCLE_MS))
    for shares in ([i / cycles for i in range(cycles + 1)], [i / cycles for i in range(cycles, -1, -1)]):
        refused = [reply.text for share in shares if not (reply := cycle(bench, here, goals, share)).ok]
        bench.every("every SV 1 of a slow ramp is answered with readings", refused)
        end = {axis: round(here[axis.number] + shares[-1] * (goal - here[axis.number])) for axis, goal in goals.items()}
        off = settled_off(bench, here, goals, shares[-1], end)
        bench.expect(off <= OFF, "the axes have followed", f"{off:.0f} um or mdeg off")
    reply = bench.cyclic(0)
    bench.expect(state_of(reply) == IDLE, "SV 0: state IDLE", reply.text[:60])


def cycle(bench: Bench, here: Sequence[float], goals: dict[Axis, int], share: float) -> Reply:
    """Targets at this share of the way."""
    targets = list(here)
    for axis, goal in goals.items():
        targets[axis.number] = round(here[axis.number] + share * (goal - here[axis.number]))
    reply = bench.cyclic(1, targets)
    bench.client.listen(max(CYCLE_MS - reply.trip_us / 1000.0, 0.0))
    return reply


def settled_off(bench: Bench, here: Sequence[float], goals: dict[Axis, int], share: float, end: dict[Axis, int]) -> float:
    """How far off with targets that stand; a drive may swing a while."""
    end_us = bench.client.now_us() + int(PATIENCE_MS * 1000)
    while (off := farthest(bench, cycle(bench, here, goals, share), end)) > OFF and bench.client.now_us() < end_us:
        pass
    return off
