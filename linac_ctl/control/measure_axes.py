"""From the wires of all axes to signals: how far off, by whose motion, how fast."""

from math import sqrt

from device_models.interface.compiled import compiled, inlined
from device_models.interface.image import DT_S, Node

from .signals import Signal
from .worst import lesser, worst

MLC_NODE, GANTRY_NODE, COUCH_NODE = int(Node.MLC), int(Node.GANTRY), int(Node.COUCH)
LEAF_MEMORY = 0.005  # about 2 s
USUAL = 1e9  # mm, deg or tolerances: sums below this hold neither NaN nor the infinite
FAR_APART = 10.0  # cycles: readings that are farther apart have tripped by their age
SLOWER = 0.5 * DT_S  # of an axis's acceleration: a speed that was asked for counts until this, cycle by cycle, has eaten it


@inlined
def went_by_itself(aim, wire, here):
    """How far the axis has gone away from its setpoint since it was last near it, by its own motion and not by the setpoint's.

    One that lags, or is stuck, goes nowhere. One whose setpoint has stopped at once overshoots, so it is looked at when that is
    over.
    """
    pace = abs(wire.setpoint - aim.asked) / DT_S
    pace = pace if pace < aim.speed else aim.speed
    slower = aim.pace - SLOWER * aim.accel
    aim.pace = pace if pace > slower else slower
    resting = aim.pace * aim.pace * aim.per_tolerance <= aim.accel  # it stops from there within half of its tolerance
    gone = aim.stray + here - abs(wire.setpoint - aim.seen)
    looked = resting and here * aim.per_tolerance > 1.0
    aim.stray = gone if looked and gone > 0.0 else 0.0
    aim.asked, aim.seen = wire.setpoint, wire.readback
    return aim.stray


@compiled
def measure_axes(signals, off_at, away_at, split_at, stray_at, aims, wires, first, last):
    """Off, split and stray over axes first..last, away over all; -> how far the worst readback is beyond its range.

    Usual numbers take the short way, in which the larger of two is one instruction; NaN and the absurd take the long one.
    What goes away is seen by both encoders: one is noise, or a lie.
    """
    off, away, split, stray, beyond = 0.0, 0.0, 0.0, 0.0, -1e9
    for i in range(first, last):
        wire, aim = wires[i], aims[i]
        readback = wire.readback
        here = abs(wire.setpoint - readback)
        left = abs(aim.goal - readback) * aim.per_tolerance
        apart = abs(readback - wire.readback_2)
        far = abs(readback - aim.middle) - aim.half
        gone, here_2 = went_by_itself(aim, wire, here), abs(wire.setpoint - wire.readback_2)
        if here + left + (apart + far) < USUAL:
            off, away = here if here > off else off, left if left > away else away
            split, beyond = apart if apart > split else split, far if far > beyond else beyond
            gone = gone if gone < here_2 else here_2
            stray = gone if gone > stray else stray
        else:
            off, away, split, beyond = worst(here, off), worst(left, away), worst(apart, split), worst(far, beyond)
            stray = worst(lesser(gone + 0.0 * here, here_2), stray)
    signals[off_at], signals[away_at], signals[split_at], signals[stray_at] = off, away, split, stray
    return beyond


@compiled
def measure_leaves(signals, aims, wires):
    """As `measure_axes` for all leaves, in the same pass -> (beyond, longest step since the last cycle, sum of squares of off)."""
    off, away, split, stray, beyond, fastest, square = 0.0, 0.0, 0.0, 0.0, -1e9, 0.0, 0.0
    for i in range(wires.size):
        wire, aim = wires[i], aims[i]
        readback = wire.readback
        here = abs(wire.setpoint - readback)
        left = abs(aim.goal - readback) * aim.per_tolerance
        apart = abs(readback - wire.readback_2)
        far = abs(readback - aim.middle) - aim.half
        step = abs(readback - aim.seen)
        gone, here_2 = went_by_itself(aim, wire, here), abs(wire.setpoint - wire.readback_2)
        square += here * here
        if here + left + (apart + far) + step < USUAL:
            off, away = here if here > off else off, left if left > away else away
            split, beyond = apart if apart > split else split, far if far > beyond else beyond
            gone = gone if gone < here_2 else here_2
            stray = gone if gone > stray else stray
            fastest = step if step > fastest else fastest
        else:
            off, away, split, beyond = worst(here, off), worst(left, away), worst(apart, split), worst(far, beyond)
            stray = worst(lesser(gone + 0.0 * here, here_2), stray)
            fastest = worst(step, fastest)
    signals[Signal.LEAF_OFF_MM], signals[Signal.LEAF_AWAY], signals[Signal.LEAF_SPLIT_MM] = off, away, split
    signals[Signal.LEAF_STRAY_MM] = stray
    return beyond, fastest, square


@compiled
def measure_device(signals, off_at, stray_at, aims, wires):
    """The four signals of a device whose axes share one unit."""
    return measure_axes(signals, off_at, off_at + 1, off_at + 2, stray_at, aims, wires, 0, wires.size)


@compiled
def measure_couch(signals, aims, wires):
    """Translations in mm, rotations in deg; away is in tolerances, so one signal serves both."""
    beyond = measure_axes(signals, Signal.COUCH_OFF_DEG, Signal.COUCH_AWAY, Signal.COUCH_SPLIT_DEG, Signal.COUCH_STRAY_DEG, aims,
                          wires, min(3, wires.size), wires.size)
    far = signals[Signal.COUCH_AWAY]
    beyond = worst(beyond, measure_axes(signals, Signal.COUCH_OFF_MM, Signal.COUCH_AWAY, Signal.COUCH_SPLIT_MM,
                                        Signal.COUCH_STRAY_MM, aims, wires, 0, min(3, wires.size)))
    signals[Signal.COUCH_AWAY] = worst(far, signals[Signal.COUCH_AWAY])
    return beyond


@compiled
def measure_positions(control, image):
    """All axis devices; -> (longest step of a leaf, sum of squares of what leaves are off)."""
    signals = control.signals
    beyond = measure_device(signals, Signal.GANTRY_OFF_DEG, Signal.GANTRY_STRAY_DEG, control.gantry, image.gantry)
    beyond = worst(measure_device(signals, Signal.COLLIMATOR_OFF_DEG, Signal.COLLIMATOR_STRAY_DEG, control.collimator,
                                  image.collimator), beyond)
    beyond = worst(measure_device(signals, Signal.JAW_OFF_MM, Signal.JAW_STRAY_MM, control.jaws, image.jaws), beyond)
    leaves, fastest, square = measure_leaves(signals, control.mlc, image.mlc)
    beyond = worst(leaves, beyond)
    beyond = worst(measure_device(signals, Signal.CARRIAGE_OFF_MM, Signal.CARRIAGE_STRAY_MM, control.carriages,
                                  image.carriages), beyond)
    beyond = worst(measure_device(signals, Signal.KV_ARM_OFF_MM, Signal.KV_ARM_STRAY_MM, control.kv_arms, image.kv_arms), beyond)
    beyond = worst(measure_device(signals, Signal.MV_ARM_OFF_MM, Signal.MV_ARM_STRAY_MM, control.mv_arm, image.mv_arm), beyond)
    signals[Signal.BEYOND_RANGE] = worst(measure_couch(signals, control.couch, image.couch), beyond)
    return fastest, square


@compiled
def measure_still(control, image):
    """Readings of the gantry that come anew and say the same; before places of the last cycle are forgotten.

    Encoders that live tremble by more than their last digit, at rest too. Two that fail together agree with each other, and
    with a setpoint that rests: nothing else tells.
    """
    job, sampled, moved = control.job[0], image.nodes[GANTRY_NODE].sampled_cycle, False
    for i in range(image.gantry.size):
        wire, aim = image.gantry[i], control.gantry[i]
        moved |= (wire.readback != aim.seen) | (wire.readback_2 != aim.seen_2)
    if sampled != job.gantry_sampled:
        job.gantry_still = 0 if moved else job.gantry_still + 1
    job.gantry_sampled = sampled
    control.signals[Signal.GANTRY_STILL] = job.gantry_still


@compiled
def measure_unasked(control, image):
    """Seen speed beyond what was commanded of late (gantry, couch); before places of the last cycle are forgotten."""
    signals, job = control.signals, control.job[0]
    apart, asked = apart_s(image.nodes[GANTRY_NODE]), job.gantry_asked_deg_per_s
    signals[Signal.GANTRY_UNASKED_DEG_PER_S] = unasked(control.gantry[0], image.gantry[0], apart, asked)
    apart, fastest_mm_per_s = apart_s(image.nodes[COUCH_NODE]), 0.0
    for i in range(min(3, image.couch.size)):  # each by itself: one that falls is not hidden by another that was told to go
        unasked_mm_per_s = unasked(control.couch[i], image.couch[i], apart, job.couch_asked_mm_per_s[i])
        fastest_mm_per_s = worst(unasked_mm_per_s, fastest_mm_per_s)
    signals[Signal.COUCH_UNASKED_MM_PER_S] = fastest_mm_per_s


@compiled
def measure_leaf_speeds(control, image, fastest, square):
    """The fastest leaf, and what all of them are off in the mean."""
    signals, job = control.signals, control.job[0]
    signals[Signal.LEAF_SPEED_MM_PER_S] = fastest / apart_s(image.nodes[MLC_NODE])
    leaves = max(image.mlc.size, 1)
    job.leaf_rms2 += LEAF_MEMORY * (square / leaves - job.leaf_rms2) if job.leaf_rms2 == job.leaf_rms2 else 0.0
    job.leaf_rms2 = square / leaves if not (job.leaf_rms2 >= 0.0) else job.leaf_rms2
    signals[Signal.LEAF_RMS_MM] = sqrt(job.leaf_rms2) if job.leaf_rms2 >= 0.0 else job.leaf_rms2


@compiled
def apart_s(node):
    """Time between a node's last two readings, s. A node that says nothing sensible, or too much, is taken for fast."""
    cycles = node.apart_cycles
    return DT_S * (cycles if 1.0 <= cycles <= FAR_APART else 1.0)


@compiled
def unasked(aim, wire, apart, asked):
    """Speed above the highest speed commanded in the last second, unit per s. What moves is seen by both encoders: one is noise."""
    step = lesser(abs(wire.readback - aim.seen), abs(wire.readback_2 - aim.seen_2))
    aim.seen_2 = wire.readback_2
    return step / apart - asked
