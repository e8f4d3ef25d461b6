"""From wires to signals, once per cycle: worst axes, doses, rates, switches. NaN wins every comparison of worst."""

from math import sqrt

import numpy as np

from device_models.interface.compiled import compiled, inlined
from device_models.interface.image import ALL_TESTED, DT_S, Node, SafetyOpen

from ..interlocks.scan import PHASES, latch_differences
from .phases import Hold, Phase
from .signals import FIRST_GUARD, Guard, Signal
from .state import LIVE

BEAM, READY, NORMAL = int(Phase.BEAM), int(Phase.READY), int(Hold.NORMAL)
ARMED = (READY, BEAM)
HALF_PULSE = 0.51  # of a pulse: the field ends at the nearest one
DOSE, TIMER, HEARTBEAT, DOOR, ESTOP, LIMITS = (int(bit) for bit in SafetyOpen)
MLC_NODE, BEAM_NODE, GANTRY_NODE, COUCH_NODE = int(Node.MLC), int(Node.BEAM), int(Node.GANTRY), int(Node.COUCH)
SHORTER, SHORT, LONG = 0.25, 0.1, 0.01  # share of the newest value in a mean over about 0.04 s, 0.1 s and 1 s
LEAF_MEMORY = 0.005  # about 2 s
POSITION_APPROVED = FIRST_GUARD + int(Guard.POSITION_APPROVED)
ENDED_BY_SKIN = -2  # in place of the cycle of the images
NAN = float("nan")
USUAL = 1e9  # mm, deg or tolerances: sums below this hold neither NaN nor the infinite
DOOR_SHUTS = 50  # cycles: from the last word of a contact that the door is open to the end of the search
RADIATING = 10  # cycles: longer than the other channel waits for a heartbeat
FAR_APART = 10.0  # cycles: readings that are farther apart have tripped by their age
GUARD_TEST = 5  # cycles: a little longer than the touch guards' own test
COARSE, FINE = 1e3, 1e6  # grid of positions (um, 0.001 deg) and of MU: sums over whole numbers of it are exact
SAME_MU = 0.001
FAR_MM = 1e5  # no reading of a distance in the room is longer
SLOWER = 0.5 * DT_S  # of an axis's acceleration: a speed that was asked for counts until this, cycle by cycle, has eaten it
LIMITS_AT_MU_PER_S = 10.0  # 600 MU/min: limits of dose are stated for it, and go with the highest rate of the mode


@compiled
def worst(x, y):
    """The larger; NaN wins, so that no news is never good news."""
    return x if (x >= y) | (x != x) else y


@compiled
def lesser(x, y):
    """The smaller; NaN wins."""
    return x if (x <= y) | (x != x) else y


@compiled
def closed(contact):
    """1.0 for a contact that says so; whatever else it says is not closed, and NaN stays NaN."""
    said = 1.0 if contact == 1.0 else 0.0
    return said if contact == contact else contact


@compiled
def known_mm(distance_mm):
    """A distance that may be; NaN for any other."""
    return distance_mm if abs(distance_mm) <= FAR_MM else NAN


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


@compiled
def measure_dose(job, signals, param, beam, backup_mu):
    """Counters, their agreement with each other and with the second channel's own, and what is left of the field."""
    signals[Signal.MU_1] = job.mu_offset + beam.mu_1
    signals[Signal.MU_2] = job.mu_offset + beam.mu_2
    allowed = max(param.split_floor_mu, param.split_ratio * beam.mu_1)
    apart = worst(abs(beam.mu_1 - beam.mu_2), abs(signals[Signal.MU_1] - backup_mu))
    signals[Signal.MU_SPLIT] = apart / allowed
    signals[Signal.MU_LEFT] = job.mu_end - signals[Signal.MU_1]
    signals[Signal.MU_OVER] = -signals[Signal.MU_LEFT]
    signals[Signal.MU_BACKWARDS] = worst(job.last_mu_1 - beam.mu_1, job.last_mu_2 - beam.mu_2)
    measure_counters(job, signals, beam)
    job.last_mu_1, job.last_mu_2 = beam.mu_1, beam.mu_2


@compiled
def measure_counters(job, signals, beam):
    """Dose of the pulses against either counter, about the last second. Between fields the counters are cleared."""
    counts = 1.0 / DT_S if job.phase == BEAM else 0.0
    job.mu_rate_mean[0] += LONG * ((beam.mu_1 - job.last_mu_1) * counts - job.mu_rate_mean[0])
    job.mu_rate_mean[1] += LONG * ((beam.mu_2 - job.last_mu_2) * counts - job.mu_rate_mean[1])
    apart = worst(abs(job.pulse_rate_mean - job.mu_rate_mean[0]), abs(job.pulse_rate_mean - job.mu_rate_mean[1]))
    signals[Signal.RATE_PLAUS] = apart / max(job.max_rate_mu_per_s, 1e-9)


@compiled
def forget_bad_means(job):
    """A mean that swallowed a NaN in the last cycle starts again: its signal has been NaN by then, and need not stay so."""
    job.pulse_rate_mean = job.pulse_rate_mean if job.pulse_rate_mean == job.pulse_rate_mean else 0.0
    for i in range(2):
        job.symmetry_mean[i] = job.symmetry_mean[i] if job.symmetry_mean[i] == job.symmetry_mean[i] else 0.0
        job.mu_rate_mean[i] = job.mu_rate_mean[i] if job.mu_rate_mean[i] == job.mu_rate_mean[i] else 0.0


@compiled
def measure_rates(job, signals, beam):
    """Dose rate against what was asked, arcs, pulses without permit."""
    pulses = beam.pulses - job.last_pulses
    missed = beam.missed_pulses - job.last_missed
    job.last_pulses, job.last_missed = beam.pulses, beam.missed_pulses
    job.rate_mean_mu_per_s += SHORT * (job.rate_mu_per_s * job.permit - job.rate_mean_mu_per_s)
    counted = pulses - missed if job.phase == BEAM else 0
    job.pulse_rate_mean += LONG * (counted * job.pulse_mu / DT_S - job.pulse_rate_mean)
    job.missed_mean += missed - job.missed_mean * LONG
    highest = max(job.max_rate_mu_per_s, 1e-9)
    signals[Signal.RATE_RATIO] = abs(beam.rate_1_mu_per_s) / highest
    signals[Signal.PULSE_RATIO] = abs(beam.pulse_mu) / max(job.pulse_mu, 1e-9)
    weak = 1.0 - signals[Signal.PULSE_RATIO]
    signals[Signal.PULSE_SHORT] = weak if pulses > missed or weak != weak else 0.0
    steady = job.flowing > 30 and job.rate_mean_mu_per_s > 0.02 * highest
    short = 1.0 - beam.rate_1_mu_per_s / max(job.rate_mean_mu_per_s, 1e-9)
    signals[Signal.RATE_SHORT] = short if steady or short != short else 0.0
    signals[Signal.MISSED_PULSES] = job.missed_mean
    begun = job.permit == 1 and pulses > 0 and beam.pulses != job.pulses_at_permit
    job.flowing += 1 if begun or job.flowing > 0 else 0
    late = job.low_cycles - 1 if pulses != 0 and job.permit == 0 else 0
    job.radiating = RADIATING if late > 0 else max(job.radiating - 1, 0)
    signals[Signal.RADIATION_OFF] = late


@compiled
def measure_quality(job, signals, param, beam):
    """Symmetry, chamber voltages, energy, mode, live parameters."""
    for i in range(2):
        pair = beam.quadrants[2 * i] + beam.quadrants[2 * i + 1]
        skew = (beam.quadrants[2 * i] - beam.quadrants[2 * i + 1]) / pair if pair > 0.0 else NAN
        skew = skew if job.flowing > 0 or skew != skew else 0.0
        job.symmetry_mean[i] += SHORTER * (skew - job.symmetry_mean[i])
    signals[Signal.SYMMETRY] = worst(abs(job.symmetry_mean[0]), abs(job.symmetry_mean[1]))
    signals[Signal.CHAMBER_HV] = worst(abs(beam.chamber_hv_1_v / param.chamber_hv_v - 1.0),
                                       abs(beam.chamber_hv_2_v / param.chamber_hv_v - 1.0))
    signals[Signal.ENERGY] = abs(beam.energy_ratio - 1.0)
    signals[Signal.MODE_WRONG] = 0.0 if beam.mode_sensed == beam.mode else 1.0
    job.selecting = 0 if beam.mode_sensed == beam.mode else job.selecting
    signals[Signal.MODE_UNASKED] = signals[Signal.MODE_WRONG] if job.selecting == 0 else 0.0
    signals[Signal.ACCESSORY_WRONG] = 0.0 if beam.accessory == job.accessory else 1.0
    signals[Signal.HV_ON] = closed(beam.hv_on)
    signals[Signal.WATER_LEVEL] = closed(beam.water_level_ok)
    live = (beam.gun_hv_kv, beam.gun_current_a, beam.pfn_kv, beam.afc_error_v, beam.rf_driver_v, beam.vacuum_ua,
            beam.gas_psi, beam.water_c)
    band = 0.0
    for i in range(len(LIVE)):
        band = worst(abs(live[i] - param.live_middle[i]) * param.live_per_half[i], band)
    signals[Signal.UTILITY_BAND] = band


@compiled
def bits(word):
    """How many bits of a small non-negative number are set."""
    n = 0
    for i in range(6):
        n += (word >> i) & 1
    return n


@compiled
def measure_safety(job, signals, safety):
    """What the second channel says of itself; a self-test opens it on purpose."""
    opened = 0 if safety.testing > 0.5 else safety.open
    signals[Signal.CHANNEL_PERMIT] = closed(safety.permit)
    signals[Signal.PERMIT_WELDED] = 1.0 if safety.permit != 0.0 and (safety.open != 0 or safety.testing > 0.5) else 0.0
    refused = job.permit == 1 and safety.permit != 1.0
    signals[Signal.CHANNEL_REFUSED] = signals[Signal.CHANNEL_REFUSED] + 1.0 if refused else 0.0
    signals[Signal.OPEN_DOSE] = 1.0 if opened & DOSE else 0.0
    signals[Signal.OPEN_TIMER] = 1.0 if opened & TIMER else 0.0
    signals[Signal.OPEN_HEARTBEAT] = 1.0 if opened & HEARTBEAT else 0.0
    signals[Signal.OPEN_DOOR] = 1.0 if opened & DOOR else 0.0
    signals[Signal.OPEN_ESTOP] = 1.0 if opened & ESTOP else 0.0
    signals[Signal.OPEN_LIMITS] = 1.0 if opened & LIMITS else 0.0
    signals[Signal.ECHO_OFF] = worst(abs(safety.preset_echo_mu - job.preset_mu),
                                     abs(safety.time_limit_echo_s - job.time_limit_s))
    signals[Signal.TIMER_SPLIT_S] = abs(safety.beam_s - job.beam_s)
    job.timer_ahead_s = job.timer_ahead_s if job.permit == 1 else safety.beam_s - job.beam_s
    signals[Signal.TIMER_SLOW_S] = abs(safety.beam_s - job.beam_s - job.timer_ahead_s)
    signals[Signal.BEAM_TIME_OVER_S] = job.flowing_s - job.longest_s
    missing = ALL_TESTED & ~safety.passed
    signals[Signal.SELFTEST_MISSING] = bits(missing)
    signals[Signal.SELFTEST_DOSE_MISSING] = bits(missing & (DOSE | TIMER))


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


@compiled
def measure_nodes(job, signals, nodes):
    """Age of the oldest reading, drive power where it is asked for and nowhere else, reference positions."""
    age, drives, calibrated = 0.0, 1.0, 1.0
    for i in range(nodes.size):
        age = worst(abs(float(job.cycle - nodes[i].sampled_cycle)), age)  # what comes from the future has no age that is known
        if i < BEAM_NODE:
            powered = nodes[i].powered if nodes[i].enable > 0.5 else 1.0 - nodes[i].powered
            drives = lesser(closed(powered), drives)
            calibrated = lesser(closed(nodes[i].calibrated), calibrated)
    signals[Signal.NODE_AGE_CYCLES] = age
    signals[Signal.DRIVES_OK] = drives
    signals[Signal.CALIBRATED] = calibrated
    signals[Signal.MLC_CALIBRATED] = closed(nodes[MLC_NODE].calibrated)


@compiled
def out_of_step(gantry):
    """deg that the gantry is off its setpoint, by the worse of its encoders."""
    off = 0.0
    for i in range(gantry.size):
        off = worst(worst(abs(gantry[i].setpoint - gantry[i].readback), abs(gantry[i].setpoint - gantry[i].readback_2)), off)
    return off


@compiled
def measure_arc(job, signals, param, trajectory, gantry):
    """Dose and gantry angle out of step, as a share of what they may be; of the dose that flows, and of the next that would."""
    s = job.segment
    turned = abs(trajectory.gantry[s + 1, 0] - trajectory.gantry[s, 0])
    mu_per_deg = (trajectory.mu[s + 1] - trajectory.mu[s]) / turned if turned > 1e-6 else 0.0
    scale = max(job.max_rate_mu_per_s / LIMITS_AT_MU_PER_S, 1.0)
    allowed = max(param.angle_floor_mu * scale, param.angle_ratio * job.mu_end)
    in_field = job.phase == BEAM and job.moving == 0
    signals[Signal.ANGLE_BEHIND] = out_of_step(gantry) * mu_per_deg / allowed if in_field else 0.0
    signals[Signal.MU_ANGLE] = signals[Signal.ANGLE_BEHIND] if job.hold == NORMAL else 0.0  # held: the gantry runs out
    signals[Signal.RUN_UP_LEFT_CYCLES] = job.run_up_left


@compiled
def measure_approval(job, signals, couch):
    """How far the couch has moved since the position was approved, and how old the images are that it rests on."""
    way2, turn = 0.0, 0.0
    for i in range(couch.size):
        off = couch[i].readback - job.token_couch[i]
        way2 += off * off if i < 3 else 0.0
        turn = worst(abs(off), turn) if i >= 3 else turn
    needed, held = job.token_needed != 0.0, job.token_cycle >= 0
    signals[Signal.POSITION_MOVED_MM] = sqrt(way2) if needed and held else 0.0
    signals[Signal.POSITION_MOVED_DEG] = turn if needed and held else 0.0
    age = (job.cycle - job.token_cycle) * DT_S if held else NAN
    signals[Signal.IMAGE_AGE_S] = age if needed else 0.0


@compiled
def measure_target(job, signals):
    """What triggered images say: out of its limit for too long, or not looked at for too long."""
    if job.target_watched == 0.0:
        signals[Signal.TARGET_OUT_S] = signals[Signal.TARGET_UNSEEN] = 0.0
        return
    job.target_out = 0 if job.target_off_mm <= job.target_limit_mm else job.target_out + 1
    signals[Signal.TARGET_OUT_S] = job.target_out * DT_S - job.target_patience_s
    signals[Signal.TARGET_UNSEEN] = (job.cycle - job.target_cycle) * DT_S / job.target_longest_s


@compiled
def measure_surface(job, signals, room):
    """What the surface monitor says. Too far from where it was approved, and the approval is over in this very cycle."""
    if job.surface_watched == 0.0:
        signals[Signal.SURFACE_OFF_MM] = signals[Signal.SURFACE_OUT_S] = signals[Signal.SURFACE_AGE_S] = 0.0
        return
    way2 = 0.0
    for i in range(3):
        off = room.surface_mm[i] - job.surface_reference_mm[i]
        way2 += off * off
    way = sqrt(way2)  # NaN while no position is approved
    job.surface_out = 0 if way <= job.surface_limit_mm else job.surface_out + 1
    signals[Signal.SURFACE_OFF_MM] = way
    signals[Signal.SURFACE_OUT_S] = job.surface_out * DT_S - job.surface_patience_s
    signals[Signal.SURFACE_AGE_S] = abs(job.cycle - room.surface_cycle) * DT_S
    if way > job.surface_excursion_mm:
        job.token_cycle = ENDED_BY_SKIN
        signals[POSITION_APPROVED] = 0.0


@compiled
def measure_patient(job, signals, room):
    """The patient during the beam, and exposures that nobody asked for."""
    measure_target(job, signals)
    measure_surface(job, signals, room)
    shut = 0.0 if known_mm(room.breath_mm) <= job.gate_mm else 1.0
    signals[Signal.GATE_SHUT] = shut if job.gate_mm > 0.0 else 0.0
    signals[Signal.KV_UNASKED] = room.kv_exposures - job.kv_asked


@compiled
def sum_up(row, weight):
    """Whole thousandths of a unit, each with a weight of its own."""
    total = 0.0
    for i in range(row.size):
        weight += 1.0
        total += weight * np.rint(row[i] * COARSE)
    return total


@compiled
def sum_of_point(table, k):
    """Over everything that is to be delivered at this control point; exact, so that whoever sums up finds the same."""
    total = np.rint(table.mu[k] * FINE) + 2.0 * np.rint(table.stop_mu[k] * FINE) + 3.0 * table.move[k]
    total += sum_up(table.gantry[k], 3.0) + sum_up(table.collimator[k], 4.0) + sum_up(table.jaws[k], 5.0)
    return total + sum_up(table.carriages[k], 9.0) + sum_up(table.mlc[k], 11.0)


@compiled
def altered(job, table):
    """1.0 when what is about to be delivered, at the two control points in use, is not what was armed."""
    s = job.segment
    whole = sum_of_point(table, s) == table.check[s] and sum_of_point(table, s + 1) == table.check[s + 1]
    sound = abs(job.mu_end - job.preset_mu) <= SAME_MU and abs(job.half_pulse_mu - HALF_PULSE * job.pulse_mu) <= 1e-9
    return 0.0 if whole and sound and job.prescription == job.armed_prescription else 1.0


@compiled
def measure_self(job, signals, rows, table):
    """The controller's own consistency."""
    phase = job.phase
    signals[Signal.STATE_ILLEGAL] = 0.0 if phase in PHASES and (job.permit == 0 or phase == BEAM) else 1.0
    signals[Signal.UNEVALUATED] = rows.size - job.evaluated
    signals[Signal.LATCH_SPLIT] = latch_differences(rows)
    signals[Signal.PRESCRIPTION_CHANGED] = altered(job, table) if phase in ARMED else 0.0
    signals[Signal.SESSION_CHANGED] = 0.0 if job.session == job.armed_session else 1.0


@compiled
def measure(control, image):
    """All signals of this cycle."""
    job, signals, beam = control.job[0], control.signals, image.beam[0]
    measure_unasked(control, image)
    fastest, square = measure_positions(control, image)
    measure_leaf_speeds(control, image, fastest, square)
    measure_rates(job, signals, beam)
    forget_bad_means(job)
    measure_dose(job, signals, control.param[0], beam, image.safety[0].mu_backup)
    measure_quality(job, signals, control.param[0], beam)
    measure_safety(job, signals, image.safety[0])
    measure_room(job, signals, image.room[0])
    measure_nodes(job, signals, image.nodes)
    measure_arc(job, signals, control.param[0], control.trajectory, image.gantry)
    measure_approval(job, signals, image.couch)
    measure_patient(job, signals, image.room[0])
    measure_self(job, signals, control.interlocks, control.trajectory)
    lag = worst(signals[Signal.GANTRY_OFF_DEG] * control.param[0].per_gantry_hold,
                signals[Signal.JAW_OFF_MM] * control.param[0].per_jaw_hold)
    signals[Signal.MOTION_LAG] = worst(lag, signals[Signal.LEAF_OFF_MM] * control.param[0].per_leaf_hold)
