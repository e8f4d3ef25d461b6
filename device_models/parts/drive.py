"""The law of ONE axis: a jerk-limited servo with brakes, a gearbox with play, two encoders, two end stops.

Truth, parameters and the places where faults write are fields of one record. Units: the axis's own (mm or deg) and s.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..config import DriveConfig
from ..interface.compiled import compiled, inlined
from ..interface.image import DT_S, records

PER_DT = 1.0 / DT_S
FAR = 1e9  # a setpoint or reading beyond this, or NaN, is no number: the drive takes its power away

DRIVE = np.dtype([
    # truth
    ("position", "f8"), ("velocity", "f8"), ("acceleration", "f8"),
    ("coupled", "f8"),  # what turns the primary encoder: follows `position` behind the play
    ("seen", "f8"),  # last reading of the primary encoder; the servo closes its loop on it
    ("last_setpoint", "f8"), ("last_asked_v", "f8"),  # setpoint and its speed, one cycle ago
    ("tracking", "f8"),  # 1.0 = the servo ran in the last cycle, so last_setpoint is valid
    # parameters
    ("v_max", "f8"), ("a_max", "f8"), ("jerk_dt", "f8"), ("brake_dt", "f8"), ("kv", "f8"), ("ka", "f8"),
    ("forward", "f8"), ("two_a", "f8"), ("knee", "f8"), ("knee_2", "f8"),
    ("play", "f8"), ("low", "f8"), ("high", "f8"),
    ("sigma", "f8"), ("per_lsb", "f8"), ("sigma_2", "f8"), ("per_lsb_2", "f8"),
    # where faults write; healthy values in `new_drives`
    ("moves", "f8"),  # 1.0; 0.0 = dead motor
    ("gain", "f8"),  # 1.0; servo gain, negative = wrong direction
    ("creep", "f8"),  # 0.0; unit/s that the load moves by itself, with power and without: a leaking brake
    ("slides", "f8"),  # 0.0; unit/s at which the load goes under power, whatever it is told: slip, sag, drop, runaway
    ("scale", "f8"), ("bias", "f8"), ("drift_per_cycle", "f8"), ("freeze", "f8"),  # 1.0, 0.0, 0.0, 0.0: primary encoder
    ("scale_2", "f8"), ("bias_2", "f8"), ("freeze_2", "f8"),  # 1.0, 0.0, 0.0: second encoder
    ("stream", "i8"),  # first of two noise streams
])


@compiled
def clip(x, low, high):
    """x inside [low, high]; NaN stays NaN."""
    x = low if x < low else x
    return high if x > high else x


@compiled
def approach(drive, error):
    """Speed at which to close an error and still stop there: kp * error near zero, sqrt(2 a error) far off."""
    return drive.two_a * error / (np.sqrt(drive.two_a * abs(error) + drive.knee_2) + drive.knee)


@inlined
def servo(drive, setpoint):
    """One cycle under power: feed-forward plus approach, within the limits of speed, acceleration and jerk."""
    last = drive.last_setpoint if drive.tracking > 0.5 else setpoint  # power is back: no memory, so no jump
    asked_v = (setpoint - last) * PER_DT * drive.forward
    wanted_v = clip(asked_v + approach(drive, last - drive.seen), -drive.v_max, drive.v_max)
    wanted_a = (wanted_v - drive.velocity) * drive.kv + (asked_v - drive.last_asked_v) * drive.ka
    wanted_a = clip(wanted_a * drive.gain, -drive.a_max, drive.a_max)
    drive.last_setpoint, drive.last_asked_v, drive.tracking = setpoint, asked_v, 1.0
    drive.acceleration += clip(wanted_a - drive.acceleration, -drive.jerk_dt, drive.jerk_dt)
    fastest = max(drive.v_max, abs(drive.velocity))  # no amplifier drives faster, whatever it is told; a load that fell may
    drive.velocity = clip(drive.velocity + drive.acceleration * DT_S, -fastest, fastest) * drive.moves
    drive.velocity = drive.velocity if drive.slides == 0.0 else drive.slides  # the brake, without power, still holds the load


@compiled
def brake(drive):
    """One cycle without power: the brake takes speed away until the axis stands."""
    drive.velocity -= clip(drive.velocity, -drive.brake_dt, drive.brake_dt)
    drive.acceleration, drive.last_asked_v, drive.tracking = 0.0, 0.0, 0.0


@compiled
def follow(drive, setpoint, powered):
    """One cycle of motion. A setpoint or own reading that is no number counts as no power."""
    if powered and abs(setpoint - drive.seen) < FAR:
        servo(drive, setpoint)
    else:
        brake(drive)
    moved = drive.position + (drive.velocity + drive.creep) * DT_S
    drive.position = clip(moved, drive.low, drive.high)
    drive.velocity = drive.velocity if drive.position == moved else 0.0  # an end stop takes all speed


@compiled
def encode(drive, sample):
    """Two quantised, noisy opinions about the truth: the primary behind the play, the second (returned) on the load.

    `+ 0.0` makes -0.0 a plain zero: a wire knows only one.
    """
    drive.coupled = clip(drive.coupled, drive.position - drive.play, drive.position + drive.play)
    drive.bias += drive.drift_per_cycle
    raw = drive.coupled * drive.scale + drive.bias + drive.sigma * sample[drive.stream]
    raw_2 = drive.position * drive.scale_2 + drive.bias_2 + drive.sigma_2 * sample[drive.stream + 1]
    drive.seen = drive.seen if drive.freeze > 0.5 else np.rint(raw * drive.per_lsb) / drive.per_lsb + 0.0
    return np.rint(raw_2 * drive.per_lsb_2) / drive.per_lsb_2 + 0.0


@compiled
def step_drives(drives, wires, powered, talks, sample):
    """One cycle of all axes of a device; `talks` False leaves the readback wires as they are.

    Two loops: axes then overlap inside the processor, which is a quarter faster than one long chain per axis.
    """
    for i in range(drives.size):
        follow(drives[i], wires[i].setpoint, powered)
    for i in range(drives.size):
        second = encode(drives[i], sample)
        if talks:
            wires[i].readback = drives[i].seen
            wires[i].readback_2 = second if drives[i].freeze_2 < 0.5 else wires[i].readback_2


def new_drives(configs: Sequence[DriveConfig]) -> Any:
    """DRIVE (n,): healthy axes, at rest where the configuration starts them, brakes on."""
    drives = records(len(configs), DRIVE, moves=1.0, gain=1.0, scale=1.0, scale_2=1.0)
    for i, config in enumerate(configs):
        for name, value in parameters(config).items():
            drives[name][i] = value
    return drives


def parameters(config: DriveConfig) -> dict[str, float]:
    """Record fields of one axis. The velocity loop is as fast as jerk and cycle allow, the position loop a quarter."""
    kv = min(0.8 * config.jerk / config.a_max, 0.6 / DT_S)
    kp = kv / 4.0
    stopping = 0.6 * config.a_max  # approach with part of the acceleration: the rest is for the jerk limit
    return {
        "position": config.start, "coupled": config.start, "seen": config.start,
        "v_max": config.v_max, "a_max": config.a_max, "jerk_dt": config.jerk * DT_S, "brake_dt": config.brake * DT_S,
        "kv": kv, "ka": PER_DT - kv, "forward": 1.0 - kp * config.lag_s,
        "two_a": 2.0 * stopping, "knee": stopping / kp, "knee_2": (stopping / kp) ** 2,
        "play": config.backlash, "low": config.low, "high": config.high,
        "sigma": config.noise, "per_lsb": 1000.0 / round(1000 * config.lsb),
        "sigma_2": config.noise_2, "per_lsb_2": 1000.0 / round(1000 * config.lsb_2),
    }
